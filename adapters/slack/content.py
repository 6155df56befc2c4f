"""What a message on Slack is made of."""

from __future__ import annotations

from typing import Any

from bot.core.slack_markdown import plain


def page(text: str) -> dict[str, Any]:
    """A page of Markdown, with its first words for notifications.

    `markdown_text` would be the shorter way, but it excludes `text`, and a notification then shows the markers.
    """
    return {"blocks": [{"type": "markdown", "text": text}], "text": plain(text) or "…"}
