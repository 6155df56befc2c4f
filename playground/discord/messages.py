"""REST: channels, their messages, typing, threads and DMs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, cast

from playground.discord.call import Answer, Call
from playground.discord.drafts import read_draft
from playground.discord.errors import (
    anothers_message,
    archived_thread,
    invalid_form,
    invalid_recipients,
    missing_access,
    missing_permissions,
    no_history_to_reply,
    system_message,
    thread_exists,
    unknown_guild,
)
from playground.discord.intents import Intent
from playground.discord.limits import Budgets
from playground.discord.payloads import Json, channel_json, guild_json, message_json
from playground.discord.permissions import Permission
from playground.discord.route import Route
from playground.discord.settings import Settings
from playground.discord.state import Channel, ChannelType, Message
from playground.discord.world import World

_NEIGHBOURS = ("around", "before", "after")
_THREAD_NAME = 100


@dataclass
class Messages:
    world: World
    budgets: Budgets
    settings: Settings
    _nonces: dict[str, tuple[float, Message]] = field(default_factory=dict[str, tuple[float, Message]])

    def routes(self) -> list[Route]:
        channel, messages = "/channels/{channel}", "/channels/{channel}/messages"
        message = messages + "/{message}"
        return [
            Route("GET", channel, self.get_channel),
            Route("POST", channel + "/typing", self.type, "typing"),
            Route("GET", messages, self.history),
            Route("POST", messages, self.post, "post"),
            Route("GET", message, self.get),
            Route("PATCH", message, self.edit, "edit"),
            Route("DELETE", message, self.delete, "delete"),
            Route("POST", message + "/threads", self.open_thread),
            Route("POST", "/users/@me/channels", self.open_dm),
            Route("GET", "/guilds/{guild}", self.get_guild),
        ]

    def get_guild(self, call: Call) -> Answer:
        if call.ids["guild"] != self.world.state.guild:
            raise unknown_guild()
        return Answer(guild_json(self.world.state))

    def get_channel(self, call: Call) -> Answer:
        return Answer(channel_json(self._channel(call)))

    def type(self, call: Call) -> Answer:
        channel = self._channel(call)
        _may_send(channel)
        self.world.type(channel, self.world.state.bot)
        return Answer()

    def history(self, call: Call) -> Answer:
        channel = self._channel(call)
        limit = _limit(call)
        if Permission.READ_MESSAGE_HISTORY not in channel.permissions:
            return Answer([])
        found = _page(channel.visible(), call, limit)
        return Answer([self._json(message) for message in reversed(found)])

    def get(self, call: Call) -> Answer:
        channel = self._channel(call)
        if Permission.READ_MESSAGE_HISTORY not in channel.permissions:
            raise missing_access()
        return Answer(self._json(channel.message(call.ids["message"])))

    def post(self, call: Call) -> Answer:
        channel = self._channel(call)
        _may_send(channel)
        if call.body.files and Permission.ATTACH_FILES not in channel.permissions:
            raise missing_permissions()
        body = call.fields()
        draft = read_draft(body, call.body.files)
        now = self.world.timeline.now()
        key = str(draft.nonce) if draft.enforce_nonce and draft.nonce is not None else ""
        at, earlier = self._nonces.get(key, (0.0, None))
        if earlier and now < at + self.settings.limits.nonce_lives:
            return Answer(self._json(earlier))
        message = self.world.post(channel, self.world.state.bot, draft, reply_to=_answered(channel, body))
        if key:
            self._nonces[key] = (now, message)
        return Answer(self._json(message))

    def edit(self, call: Call) -> Answer:
        message = self._channel(call).message(call.ids["message"])
        if message.author is not self.world.state.bot:
            raise anothers_message()
        if message.system:
            raise system_message()
        if message.channel.archived:
            raise archived_thread()
        draft = read_draft(call.fields(), call.body.files)
        if time.time() - message.created > self.settings.limits.old_after:
            self.budgets.admit_old_edit(message.channel.id, self.settings.limits.old_edit)
        self.world.edit(message, draft)
        return Answer(self._json(message))

    def delete(self, call: Call) -> Answer:
        channel = self._channel(call)
        message = channel.message(call.ids["message"])
        if message.author is not self.world.state.bot and Permission.MANAGE_MESSAGES not in channel.permissions:
            raise missing_permissions()
        self.world.delete(message)
        return Answer()

    def open_thread(self, call: Call) -> Answer:
        channel = self._channel(call)
        message = channel.message(call.ids["message"])
        name = call.fields().get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= _THREAD_NAME:
            raise invalid_form("name", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_THREAD_NAME} in length.")
        if message.thread:
            raise thread_exists()
        thread = self.world.open_thread(channel, name, self.world.state.bot, start=message)
        return Answer(channel_json(thread), 201)

    def open_dm(self, call: Call) -> Answer:
        person = self.world.state.people.get(str(call.fields().get("recipient_id")))
        if person is None or person is self.world.state.bot:
            raise invalid_recipients()
        return Answer(channel_json(self.world.state.open_dm(person)))

    def _channel(self, call: Call) -> Channel:
        channel = self.world.state.channel(call.ids["channel"])
        if Permission.VIEW_CHANNEL not in channel.permissions:
            raise missing_access()
        return channel

    def _json(self, message: Message) -> Json:
        return message_json(
            message, self.world.state, content=Intent.MESSAGE_CONTENT in self.settings.privileged_intents
        )


def _may_send(channel: Channel) -> None:
    thread = channel.type is ChannelType.PUBLIC_THREAD
    if channel.locked:
        raise archived_thread()
    needed = Permission.SEND_MESSAGES_IN_THREADS if thread else Permission.SEND_MESSAGES
    if needed not in channel.permissions:
        raise missing_permissions()


def _answered(channel: Channel, body: Json) -> Message | None:
    """The message that the new one replies to; raises ApiError where it must exist and does not."""
    given = body.get("message_reference")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise invalid_form("message_reference", "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
    reference = cast("dict[str, Any]", given)
    if Permission.READ_MESSAGE_HISTORY not in channel.permissions:
        raise no_history_to_reply()
    elsewhere = str(reference.get("channel_id") or channel.id) != channel.id
    message = None if elsewhere else channel.messages.get(str(reference.get("message_id")))
    if message is None or message.private_to:
        if reference.get("fail_if_not_exists", True):
            raise invalid_form("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        return None
    if message.system:
        code = "REPLIES_CANNOT_REFERENCE_SYSTEM_MESSAGE"
        raise invalid_form("message_reference", code, "Cannot reply to a system message")
    return message


def _limit(call: Call) -> int:
    text = call.query.get("limit", "50")
    if not text.isdecimal():
        raise invalid_form("limit", "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')
    limit = int(text)
    if not 1 <= limit <= 100:
        rule = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise invalid_form(
            "limit", "NUMBER_TYPE_MIN" if limit < 1 else "NUMBER_TYPE_MAX", f"int value should be {rule}."
        )
    return limit


def _page(messages: list[Message], call: Call, limit: int) -> list[Message]:
    """Oldest first, though Discord answers newest first; only one of around, before and after is looked at."""
    way = next((way for way in _NEIGHBOURS if way in call.query), None)
    if way is None:
        return messages[-limit:]
    text = call.query[way]
    if not text.isdecimal():
        raise invalid_form(way, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    pivot = int(text)
    older = [message for message in messages if int(message.id) < pivot]
    newer = [message for message in messages if int(message.id) > pivot]
    match way:
        case "before":
            return older[-limit:]
        case "after":
            return newer[:limit]
        case _:
            same = [message for message in messages if int(message.id) == pivot]
            half = limit // 2
            return [*older[len(older) - min(half, len(older)) :], *same, *newer[: limit - half - len(same)]]
