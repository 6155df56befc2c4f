"""What a Web API method is, and the content that the posting methods share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from playground.slack.arguments import Arguments, invalid_arguments
from playground.slack.blocks import check_blocks, in_mrkdwn, visible_text
from playground.slack.errors import SlackError
from playground.slack.limits import Limits, Tier
from playground.slack.service import Service
from playground.slack.state import Channel

T = TypeVar("T")
_TS = re.compile(r"\d+(\.\d+)?")
_METADATA = 16_000  # bytes of JSON


@dataclass(frozen=True, slots=True)
class Method:
    """`run` does the work and returns the answer's fields besides `ok`; it raises SlackError."""

    run: Callable[[Service, Arguments], dict[str, Any]]
    tier: Tier
    scope: str = ""
    token: str = "xoxb"  # the kind of token it takes
    json_allowed: bool = True  # methods that only read do not look into a JSON body


@dataclass(frozen=True, slots=True)
class Content:
    """What a message is made of."""

    text: str  # as apps receive it
    shown: str  # as a reader sees it
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None  # None: not given
    plain: bool  # neither Markdown nor blocks
    mrkdwn: bool = False  # in Slack's older markup
    truncated: bool = False


def read_content(limits: Limits, arguments: Arguments, *, text_limit: int, cut: bool) -> Content:
    """Text, Markdown or blocks; a text over the limit is cut or refused. Raises SlackError."""
    text, markdown = arguments.text("text"), arguments.text("markdown_text")
    blocks = check_blocks(arguments.structure("blocks", "invalid_blocks_format"), markdown_limit=limits.markdown_text)
    attachments = arguments.structure("attachments", "invalid_attachments")
    metadata = read_metadata(arguments)
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if not (text.strip() or markdown.strip() or blocks or attachments):
        raise SlackError("no_text")
    if len(markdown) > limits.markdown_text:
        raise SlackError("msg_too_long")
    truncated = len(text) > text_limit
    if truncated and not cut:
        raise SlackError("msg_too_long")
    if markdown:
        return Content(markdown, markdown, [markdown_block(markdown)], metadata, plain=False)
    text = text[:text_limit]
    shown = visible_text(blocks) or text
    mrkdwn = in_mrkdwn(blocks)
    return Content(text, shown, blocks, metadata, plain=not blocks, mrkdwn=mrkdwn, truncated=truncated)


def markdown_block(text: str) -> dict[str, Any]:
    return {"type": "markdown", "block_id": "markdown", "text": text}


def read_thread(channel: Channel, arguments: Arguments) -> str:
    """The root to reply to, or "".

    A reply to a message that is not there (any more) is not refused: Slack posts it outside of any thread
    (slack-go/slack#1571).
    """
    ts = arguments.text("thread_ts")
    if ts and not _TS.fullmatch(ts):
        raise SlackError(
            "invalid_thread_ts", response_metadata={"messages": [f"[ERROR] {ts} is not a valid thread_ts"]}
        )
    root = channel.messages.get(ts)
    if root is None:
        return ""
    return root.thread_ts or root.ts


def page(items: list[T], arguments: Arguments, default: int, most: int = 1000) -> tuple[list[T], dict[str, Any]]:
    """One page of a collection, and the `response_metadata` that leads to the next. It has `most` items at most."""
    limit = arguments.number("limit", default)
    if not 1 <= limit <= 1000:
        raise invalid_arguments("must be between 1 and 1000: limit")
    limit = min(limit, most)
    cursor = arguments.text("cursor")
    start = int(cursor.removeprefix("next:")) if re.fullmatch(r"next:\d+", cursor) else 0
    if cursor and not start:
        raise SlackError("invalid_cursor")
    more = start + limit < len(items)
    return items[start : start + limit], {"next_cursor": f"next:{start + limit}" if more else ""}


def read_metadata(arguments: Arguments) -> dict[str, Any] | None:
    metadata = arguments.structure("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return cast(dict[str, Any] | None, metadata)
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    known = cast(dict[str, Any], metadata)
    if not isinstance(known.get("event_type"), str) or not isinstance(known.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(str(known).encode()) > _METADATA:
        raise SlackError("metadata_too_large")
    return known
