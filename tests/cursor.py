"""The cursor at the end of a page that is still being written: who compares text looks past it."""

from __future__ import annotations

from bot.core.dialects import DISCORD

MARK = DISCORD.cursor.strip()


def without_cursor(text: str) -> str:
    """What the model has written of a page, wherever its cursor stands."""
    return text.removesuffix(MARK).rstrip() if text.endswith(MARK) else text
