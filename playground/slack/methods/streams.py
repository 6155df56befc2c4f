"""Streamed messages: chat.startStream, chat.appendStream, chat.stopStream.

A stream has one kind of content, fixed by the first piece; it takes so much in all, and ends by itself a time after its
start, whatever is appended. In a channel its recipient alone sees it grow.
"""

from __future__ import annotations

from typing import Any, cast

from playground.slack.arguments import Arguments, invalid_arguments
from playground.slack.blocks import check_blocks, visible_text
from playground.slack.chunks import read_chunks, size_of
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method, markdown_block, read_metadata, read_thread
from playground.slack.payloads import message_json
from playground.slack.service import Service
from playground.slack.sessions import STATUSES
from playground.slack.state import Channel, Message, Stream

_BLOCKS = 50  # that all chunks of a stream may bring; stopStream's own are counted apart


def start(service: Service, arguments: Arguments) -> dict[str, Any]:
    """The recipient is asked for in direct messages too: some bots were refused there without one, others not."""
    channel = service.workspace.writable(arguments.need("channel"))
    arguments.need("thread_ts")
    thread_ts = read_thread(channel, arguments)
    if not thread_ts:
        raise SlackError("invalid_thread_ts")
    for name in ("recipient_user_id", "recipient_team_id"):
        if not arguments.text(name):
            raise SlackError(f"missing_{name}")
    recipient = service.workspace.person(arguments.text("recipient_user_id")).id
    if arguments.text("recipient_team_id") != service.workspace.team:
        raise invalid_arguments("not a team of the recipient [json-pointer:/recipient_team_id]")
    if any(arguments.text(name) for name in ("username", "icon_emoji", "icon_url")):
        service.require_scope("chat:write.customize")
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
    service.sessions.stream_started((channel.id, thread_ts))
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
    if status not in STATUSES:
        raise invalid_arguments("must be a valid enum value [json-pointer:/session_status]")
    blocks = check_blocks(
        arguments.structure("blocks", "invalid_blocks_format"), markdown_limit=service.limits.markdown_text
    )
    metadata = read_metadata(arguments)
    _append(service, message, arguments)

    def finish(message: Message) -> None:
        message.metadata = metadata or message.metadata
        stream = cast(Stream, message.stream)
        stream.ended = True
        message.blocks = [*message.blocks, *blocks]
        message.shown = _shown(message, [*stream.chunk_blocks, *blocks])

    service.edit(channel, message, finish)
    service.sessions.stream_stopped((channel.id, message.thread_ts), status)
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
    stream, limits = cast(Stream, message.stream), service.limits
    markdown = arguments.text("markdown_text")
    chunks = read_chunks(arguments, limits)
    if markdown and chunks:
        raise SlackError("cannot_provide_both_markdown_text_and_chunks")
    if not markdown and not chunks:
        return
    mode = "markdown_text" if markdown else "chunks"
    if stream.mode and stream.mode != mode:
        raise SlackError("streaming_mode_mismatch")
    pieces = [markdown] if markdown else [str(chunk["text"]) for chunk in chunks if chunk["type"] == "markdown_text"]
    blocks = [block for chunk in chunks if chunk["type"] == "blocks" for block in chunk["blocks"]]
    if len(stream.chunk_blocks) + len(blocks) > _BLOCKS:
        raise SlackError("msg_blocks_too_many")
    size = len(markdown.encode()) + size_of(chunks)
    if sum(map(len, pieces)) > limits.markdown_text or stream.size + size > limits.stream_bytes:
        raise SlackError("msg_too_long")
    stream.mode = mode
    stream.size += size
    stream.chunk_blocks = [*stream.chunk_blocks, *blocks]
    for piece in pieces:
        message.text += piece.lstrip() if message.text and limits.joins_lose_whitespace else piece
    message.blocks = [markdown_block(message.text), *stream.chunk_blocks]
    message.shown = _shown(message, stream.chunk_blocks)


def _shown(message: Message, blocks: list[dict[str, Any]]) -> str:
    return "\n\n".join(part for part in (message.text, visible_text(blocks)) if part)
