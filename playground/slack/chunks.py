"""The chunks of a streamed message: text, tasks, a plan's title, blocks."""

from __future__ import annotations

import json
from typing import Any, cast

from playground.slack.arguments import Arguments
from playground.slack.blocks import check_blocks
from playground.slack.errors import SlackError
from playground.slack.limits import Limits

_NEEDED: dict[str, tuple[str, ...]] = {
    "markdown_text": ("text",),
    "task_update": ("id", "title", "status"),
    "plan_update": ("title",),
    "blocks": ("blocks",),
}
_TASK_STATUSES = frozenset({"pending", "in_progress", "complete", "error"})
_SHORT = ("title", "details", "output")


def read_chunks(arguments: Arguments, limits: Limits) -> list[dict[str, Any]]:
    """Raises SlackError."""
    chunks = arguments.structure("chunks", "invalid_chunks")
    if chunks is None:
        return []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    return [_checked(chunk, limits) for chunk in cast("list[Any]", chunks)]


def size_of(chunks: list[dict[str, Any]]) -> int:
    """Bytes that count for the message; what is not text counts with its frame, which was seen to cost more."""
    return sum(
        len(str(chunk["text"]).encode())
        if chunk["type"] == "markdown_text"
        else len(json.dumps(chunk, ensure_ascii=False).encode())
        for chunk in chunks
    )


def _checked(chunk: Any, limits: Limits) -> dict[str, Any]:
    if not isinstance(chunk, dict):
        raise SlackError("invalid_chunks")
    known = cast("dict[str, Any]", chunk)
    kind = known.get("type")
    if kind not in _NEEDED or any(known.get(name) is None for name in _NEEDED[kind]):
        raise SlackError("invalid_chunks")
    match kind:
        case "markdown_text":
            fine = isinstance(known["text"], str)
        case "blocks":
            check_blocks(known["blocks"], markdown_limit=limits.markdown_text)
            fine = True
        case _:
            texts = [known[name] for name in _SHORT if known.get(name) is not None]
            fine = all(isinstance(text, str) and len(text) <= limits.stream_task_text for text in texts)
            fine = fine and known.get("status", "pending") in _TASK_STATUSES
    if not fine:
        raise SlackError("invalid_chunks")
    return known
