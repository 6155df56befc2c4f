"""What a message on Slack is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.slack_markdown import plain

_PAGE = "rivulet_page"  # the type of the metadata that carries a nonce


def page(text: str) -> dict[str, Any]:
    """A page of Markdown, with its first words for notifications.

    `markdown_text` would be the shorter way, but it excludes `text`, and a notification then shows the markers.
    """
    return {"blocks": [{"type": "markdown", "text": text}], "text": plain(text) or "…"}


def mark(nonce: str) -> dict[str, Any]:
    """The metadata by which a message is found again."""
    return {"event_type": _PAGE, "event_payload": {"nonce": nonce}}


def nonce_of(message: Mapping[str, Any]) -> str | None:
    """The nonce that a message was marked with, if it was."""
    metadata: dict[str, Any] = message.get("metadata") or {}
    return metadata.get("event_payload", {}).get("nonce") if metadata.get("event_type") == _PAGE else None
