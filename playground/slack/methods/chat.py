"""Messages: chat.postMessage, chat.update, chat.delete, chat.postEphemeral."""

from __future__ import annotations

from typing import Any

from playground.slack.arguments import Arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Content, Method, read_content, read_thread
from playground.slack.payloads import message_json
from playground.slack.service import Service
from playground.slack.state import Channel, Message


def post_message(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = _destination(service, arguments.need("channel"))
    if any(arguments.text(name) for name in ("username", "icon_emoji", "icon_url")):
        service.require_scope("chat:write.customize")
    content = read_content(service.limits, arguments, text_limit=service.limits.post_text, cut=True)
    message = Message(
        service.workspace.new_ts(),
        service.workspace.bot_user,
        content.text,
        content.shown,
        bot=True,
        thread_ts=read_thread(channel, arguments),
        blocks=content.blocks,
        metadata=content.metadata or {},
        mrkdwn=content.mrkdwn,
        unfurl=not all(_is_off(arguments, name) for name in ("unfurl_links", "unfurl_media")),
    )
    service.post(channel, message)
    answer: dict[str, Any] = {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(service.workspace, channel, message, metadata=True),
    }
    if content.truncated:
        answer |= {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return answer


def update(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.channel(arguments.need("channel"))
    message = service.workspace.message(channel, arguments.need("ts"))
    if channel.archived:
        raise SlackError("is_inactive")
    if not message.bot:
        raise SlackError("cant_update_message")
    content = read_content(service.limits, arguments, text_limit=service.limits.update_text, cut=False)
    if message.stream is not None:
        _check_streamed(service, message, content)

    def change(message: Message) -> None:
        message.text, message.shown, message.blocks = content.text, content.shown, content.blocks
        message.mrkdwn = content.mrkdwn
        if message.stream is not None:
            message.stream.ended = True  # one that had expired does not look unfinished any more
        message.edited_ts = service.workspace.new_ts()
        if content.metadata is not None:
            message.metadata = content.metadata

    service.edit(channel, message, change)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(service.workspace, channel, message, metadata=True),
    }


def delete(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.channel(arguments.need("channel"))
    message = service.workspace.message(channel, arguments.need("ts"))
    if not message.bot:
        raise SlackError("cant_delete_message")
    service.delete(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(service: Service, arguments: Arguments) -> dict[str, Any]:
    channel = service.workspace.writable(arguments.need("channel"))
    person = arguments.need("user")
    if person not in channel.members:
        raise SlackError("user_not_in_channel")
    content = read_content(service.limits, arguments, text_limit=service.limits.post_text, cut=True)
    thread_ts = read_thread(channel, arguments)
    ts = service.whisper(channel, person, content.shown, thread_ts=thread_ts, mrkdwn=content.mrkdwn)
    return {"message_ts": ts}


METHODS = {
    "chat.postMessage": Method(post_message, Tier.POST, "chat:write"),
    "chat.update": Method(update, Tier.THREE, "chat:write"),
    "chat.delete": Method(delete, Tier.THREE, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, Tier.FOUR, "chat:write"),
}


def _is_off(arguments: Arguments, name: str) -> bool:
    return arguments.text(name).lower() in {"0", "false"}


def _destination(service: Service, name: str) -> Channel:
    """chat.postMessage alone also takes a channel's name, and a person to write to directly."""
    if name in service.workspace.people and name != service.workspace.bot_user:
        return service.workspace.direct(name)
    for channel in service.workspace.visible():
        if channel.name and channel.name == name.removeprefix("#"):
            return service.workspace.writable(channel.id)
    return service.workspace.writable(name)


def _check_streamed(service: Service, message: Message, content: Content) -> None:
    """Raises SlackError where a streamed message cannot be replaced so."""
    stream = message.stream
    if stream is not None and stream.live(service.timeline.now(), service.limits.stream_seconds):
        raise SlackError("streaming_state_conflict")
    if content.plain:
        raise SlackError("block_mismatch")
