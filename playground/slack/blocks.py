"""Block Kit, as far as sizes go and as far as a reader sees text."""

from __future__ import annotations

from typing import Any, cast

from playground.slack.errors import SlackError

_BLOCKS = 50  # blocks in one message
_SECTION = 3_000  # characters
_HEADER = 150


def check_blocks(blocks: Any, *, markdown_limit: int) -> list[dict[str, Any]]:
    """The blocks of a message. Raises SlackError."""
    if blocks is None:
        return []
    if not isinstance(blocks, list) or not all(_is_block(block) for block in cast(list[Any], blocks)):
        raise SlackError("invalid_blocks_format")
    checked = cast(list[dict[str, Any]], blocks)
    if len(checked) > _BLOCKS:
        raise SlackError("invalid_blocks", response_metadata={"messages": ["[ERROR] no more than 50 items allowed"]})
    for block in checked:
        allowed = {"section": _SECTION, "header": _HEADER}.get(str(block["type"]))
        if allowed is not None and len(_text_of(block)) > allowed:
            message = f"[ERROR] must be less than {allowed + 1} characters"
            raise SlackError("invalid_blocks", response_metadata={"messages": [message]})
    # 12,000 characters over all markdown blocks of a message
    if sum(len(_text_of(block)) for block in checked if block["type"] == "markdown") > markdown_limit:
        raise SlackError("msg_blocks_too_long")
    return checked


def visible_text(blocks: list[dict[str, Any]]) -> str:
    """What a reader reads in them, a block a paragraph."""
    return "\n\n".join(text for block in blocks if (text := _text_of(block)))


def in_mrkdwn(blocks: list[dict[str, Any]]) -> bool:
    """Whether what a reader reads is written in Slack's older markup, as text is; only markdown blocks are not."""
    return all(block["type"] != "markdown" for block in blocks)


def _is_block(block: Any) -> bool:
    return isinstance(block, dict) and isinstance(cast(dict[str, Any], block).get("type"), str)


def _text_of(block: dict[str, Any]) -> str:
    if block["type"] == "context":
        elements = cast(list[dict[str, Any]], block.get("elements") or [])
        return " ".join(str(element["text"]) for element in elements if "text" in element)
    text = block.get("text", "")
    if isinstance(text, dict):
        text = cast(dict[str, Any], text).get("text", "")
    return str(text)
