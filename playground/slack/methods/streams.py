"""Streamed messages: chat.startStream, chat.appendStream, chat.stopStream.

A stream has one kind of content, fixed by the first piece; it takes a number of characters in all, and ends by itself a
time after its start, whatever is appended.
"""

from __future__ import annotations

from typing import Any, cast

from playground.slack.arguments import Arguments
from playground.slack.blocks import check_blocks, visible_text
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method, markdown_block, read_thread
from playground.slack.payloads import message_json
from playground.slack.service import Service
from playground.slack.state import Channel, Message, Stream

_CHUNKS = {"markdown_text", "task_update", "plan_update", "blocks"}
_TASK_TEXTS = ("title", "details", "output")


def start(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.writable(arguments.need("channel"))
    arguments.need("thread_ts")
    thread_ts = read_thread(channel, arguments)
    if not thread_ts:
        raise SlackError("invalid_thread_ts")
    if channel.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not arguments.text(name):
                raise SlackError(f"missing_{name}")
    recipient = arguments.text("recipient_user_id")
    if recipient:
        service.workspace.person(recipient)
    message = Message(
        service.workspace.new_ts(),
        service.workspace.bot_user,
        "",
        bot=True,
        thread_ts=thread_ts,
        stream=Stream(service.timeline.now(), recipient),
    )
    _append(service, message, arguments)
    service.post(channel, message)
    service.sessions[channel.id, thread_ts] = "processing"
    return {"channel": channel.id, "ts": message.ts}


def append(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel, message = _streaming(service, arguments)
    if not arguments.text("markdown_text") and not arguments.text("chunks"):
        raise SlackError("no_text")
    _append(service, message, arguments)
    service.grow(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def stop(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel, message = _streaming(service, arguments)
    status = arguments.text("session_status") or "active"
    if status not in {"active", "processing", "suspended", "closed"}:
        raise SlackError("invalid_status")
    blocks = check_blocks(
        arguments.structure("blocks", "invalid_blocks_format"), markdown_limit=service.limits.markdown_text
    )
    _append(service, message, arguments)

    def finish(message: Message) -> None:
        cast(Stream, message.stream).ended = True
        message.shown = "\n\n".join(part for part in (message.text, visible_text(blocks)) if part)
        message.blocks = [*message.blocks, *blocks]

    service.edit(channel, message, finish)
    service.sessions[channel.id, message.thread_ts] = status
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(service.workspace, channel, message, metadata=True),
    }


METHODS = {
    "chat.startStream": Method(start, Tier.TWO, "chat:write"),
    "chat.appendStream": Method(append, Tier.FOUR, "chat:write"),
    "chat.stopStream": Method(stop, Tier.TWO, "chat:write"),
}


def _streaming(service: Service, arguments: Arguments) -> tuple[Channel, Message]:
    """The message that is being streamed. Raises SlackError."""
    channel = service.workspace.writable(arguments.need("channel"))
    message = service.workspace.message(channel, arguments.need("ts"))
    if not message.bot:
        raise SlackError("message_not_owned_by_app")
    stream = message.stream
    if stream is not None and stream.stopped_by_person:
        raise SlackError("stopped_by_user")
    if stream is None or not stream.live(service.timeline.now(), service.limits.stream_seconds):
        raise SlackError("message_not_in_streaming_state")
    return channel, message


def _append(service: Service, message: Message, arguments: Arguments) -> None:
    """Adds what this call brings, all or nothing. Raises SlackError."""
    stream = cast(Stream, message.stream)
    markdown = arguments.text("markdown_text")
    chunks = _read_chunks(arguments)
    if markdown and chunks:
        raise SlackError("cannot_provide_both_markdown_text_and_chunks")
    if not markdown and not chunks:
        return
    mode = "markdown_text" if markdown else "chunks"
    if stream.mode and stream.mode != mode:
        raise SlackError("streaming_mode_mismatch")
    text = markdown or "".join(str(chunk["text"]) for chunk in chunks if chunk["type"] == "markdown_text")
    size = len(text) + sum(len(str(chunk.get(name, ""))) for chunk in chunks for name in _TASK_TEXTS)
    if len(markdown) > service.limits.markdown_text or stream.size + size > service.limits.stream_text:
        raise SlackError("msg_too_long")
    stream.mode = mode
    stream.size += size
    message.text += text
    message.blocks = [markdown_block(message.text)]


def _read_chunks(arguments: Arguments) -> list[dict[str, Any]]:
    chunks = arguments.structure("chunks", "invalid_chunks")
    if chunks is None:
        return []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    for chunk in cast(list[Any], chunks):
        kind = cast(dict[str, Any], chunk).get("type") if isinstance(chunk, dict) else None
        if kind not in _CHUNKS or (kind == "markdown_text" and "text" not in chunk):
            raise SlackError("invalid_chunks")
    return cast(list[dict[str, Any]], chunks)
