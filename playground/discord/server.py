"""Discord's stand-in as a whole, with the people's side of it: what they do, as plain methods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from playground.discord.attachments import Attachments
from playground.discord.call import Answer, Call
from playground.discord.commands import Commands
from playground.discord.drafts import Draft
from playground.discord.gateway import Gateway
from playground.discord.intents import Intent
from playground.discord.interactions import Interactions
from playground.discord.limits import Budgets, Limits, Refusal
from playground.discord.mentions import DEFAULT, AllowedMentions, Ping
from playground.discord.messages import Messages
from playground.discord.payloads import application_json, user_json
from playground.discord.permissions import Permission
from playground.discord.rest import Called, Rest
from playground.discord.route import Route
from playground.discord.settings import Settings
from playground.discord.state import Message, State
from playground.discord.world import World
from playground.timeline import Timeline
from playground.windows import Windows

_QUIET_REPLY = AllowedMentions(replied_user=False)


class DiscordStandIn:
    """One guild, "Rivulet Playground", with the channel "general" and two people, Ada and Linus.

    All ids are text. A person who does what Discord's client would not let them do gets ValueError with the reason;
    what is not there raises ApiError, as it would for the bot.
    """

    def __init__(self, timeline: Timeline, *, latency: float, limits: Limits | None = None) -> None:
        self.settings = Settings(latency, limits=limits or Limits())
        self.state = State()
        budgets = Budgets(Windows(timeline.now))
        self._gateway = Gateway(self.state, self.settings, timeline.now)
        self._attachments = Attachments(self.state, self.settings)
        self._world = World(self.state, timeline, self._gateway.dispatch, self._attachments)
        self._rest = Rest(timeline, self.settings, budgets)
        self._messages = Messages(self._world, budgets, self.settings)
        self._commands = Commands(self.state)
        self._interactions = Interactions(self._world, self.settings)

        self.guild = self.state.guild
        self.application = self.state.application
        self.bot_user = self.state.bot.id
        self.general = self.state.add_channel("general").id
        self.ada = self.state.add_person("Ada").id
        self.linus = self.state.add_person("Linus").id

    @property
    def url(self) -> str:
        """Where it listens, such as http://127.0.0.1:123/discord."""
        return self.settings.url

    @url.setter
    def url(self, url: str) -> None:
        self.settings.url = url

    @property
    def latency(self) -> float:
        """Seconds from a call's arrival to its answer; its effect comes half way."""
        return self.settings.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.settings.latency = seconds

    @property
    def limits(self) -> Limits:
        return self.settings.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.settings.limits = limits

    @property
    def token(self) -> str:
        return self.settings.token

    @property
    def calls(self) -> list[Called]:
        """Every REST call so far."""
        return self._rest.calls

    @property
    def refusals(self) -> list[Refusal]:
        """Every 429 given so far."""
        return self._rest.refusals

    @property
    def pings(self) -> list[Ping]:
        """Whom the bot's messages have pinged so far."""
        return self._world.pings

    def file(self, attachment: str) -> tuple[str, bytes]:
        """The name and the bytes of an attachment. Raises ValueError."""
        found = self.state.files.get(attachment)
        if found is None:
            raise ValueError(f"there is no attachment {attachment!r}")
        return found.name, found.content

    def mount(self, app: web.Application) -> None:
        """Adds the routes below /discord."""
        self._gateway.mount(app)
        self._attachments.mount(app)
        self._rest.mount(
            app,
            [
                *self._about_the_bot(),
                *self._messages.routes(),
                *self._commands.routes(),
                *self._interactions.routes(),
            ],
        )

    async def close(self) -> None:
        """Lets running calls take effect and closes the gateway's sockets."""
        await self._rest.close()
        await self._gateway.close()

    async def connected(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109  # part of the stand-in's interface
        """Returns when a bot was told that it is ready (or resumed). Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._gateway.connected()

    def add_person(self, name: str) -> str:
        return self.state.add_person(name).id

    def add_role(self, name: str) -> str:
        id = self.state.snowflakes.new()
        self.state.roles[id] = name
        return id

    def add_channel(self, name: str) -> str:
        channel = self.state.add_channel(name)
        self._world.channel_changed(channel, "CHANNEL_CREATE")
        return channel.id

    def open_dm(self, person: str) -> str:
        return self.state.open_dm(self.state.person(person)).id

    def create_thread(self, channel: str, name: str, *, person: str = "", start: str = "") -> str:
        """A thread from a message or from none, by Ada if nobody is named."""
        owner = self.state.person(person or self.ada)
        message = self.state.message(start) if start else None
        return self._world.open_thread(self.state.channel(channel), name, owner, start=message).id

    def archive_thread(self, thread: str) -> None:
        """A thread is closed, by hand or because nobody wrote in it for long: whoever writes opens it again."""
        found = self.state.channel(thread)
        found.archived = True
        self._world.channel_changed(found, "THREAD_UPDATE")

    def lock_thread(self, thread: str) -> None:
        """A moderator locks and archives a thread: the bot can still read it."""
        found = self.state.channel(thread)
        found.archived = found.locked = True
        self._world.channel_changed(found, "THREAD_UPDATE")

    def remove_bot(self) -> None:
        """An administrator removes the bot from the guild."""
        self._world.remove_bot()

    def forbid(self, channel: str, *permissions: Permission) -> None:
        """From now on exactly these are denied to everyone in the channel and its threads; none: all is allowed."""
        found = self.state.channel(channel)
        found.denied = Permission.NONE
        for permission in permissions:
            found.denied |= permission
        self._world.channel_changed(found, "CHANNEL_UPDATE")

    def say(
        self,
        channel: str,
        person: str,
        text: str,
        reply_to: str | None = None,
        mentions_bot: bool = False,
        *,
        ping: bool = True,
        ago: float = 0.0,
    ) -> str:
        """Posts as a person and returns the message's id. `ping`: whether a reply mentions whom it answers.

        `ago`: as if it had been posted so many seconds ago; nothing in the channel may be newer.
        """
        if mentions_bot and f"<@{self.bot_user}>" not in text:
            text = f"<@{self.bot_user}> {text}"
        text = text.strip()
        if not text:
            raise ValueError("a person cannot send an empty message")
        room = self.state.channel(channel)
        if ago and any(message.created > time.time() - ago for message in room.messages.values()):
            raise ValueError("there is something newer already")
        answered = room.message(reply_to) if reply_to else None
        draft = Draft(content=text, allowed_mentions=DEFAULT if ping else _QUIET_REPLY)
        return self._world.post(room, self.state.person(person), draft, reply_to=answered, ago=ago).id

    def edit(self, message: str, text: str) -> None:
        self._world.edit(self.state.message(message), Draft(content=text.strip()))

    def delete(self, message: str) -> None:
        """Any message, also the bot's, as a moderator could."""
        self._world.delete(self.state.message(message))

    def delete_together(self, *messages: str) -> None:
        """Messages of one channel in one go, as moderators' tools do."""
        self._world.delete_together([self.state.message(message) for message in messages])

    def type(self, channel: str, person: str) -> None:
        """Shows that a person is typing."""
        self._world.type(self.state.channel(channel), self.state.person(person))

    def press_command(
        self, channel: str, person: str, name: str, options: Mapping[str, str | int | float | bool] | None = None
    ) -> str:
        """Uses a slash command and returns the interaction's id; `responses` has what comes of it."""
        room = self.state.channel(channel)
        command = self._commands.find(name, room.guild)
        if command is None:
            raise ValueError(f"there is no command /{name} here; the bot has registered {self._commands.names()}")
        return self._interactions.press_command(room, self.state.person(person), command, options or {}).id

    def press_button(self, message: str, person: str, custom_id: str) -> str:
        """Presses a button of a message and returns the interaction's id."""
        return self._interactions.press_button(self.state.message(message), self.state.person(person), custom_id).id

    def responses(self, interaction: str) -> list[Message]:
        """What the bot has shown in answer, oldest first; what it has deleted is no longer there."""
        shown = self.state.interactions[interaction].responses
        return [message for message in shown if message.id in message.channel.messages]

    def redeliver(self, message: str) -> None:
        """Sends the message's MESSAGE_CREATE once more."""
        self._world.redeliver(self.state.message(message))

    def reconnect(self) -> None:
        """Op 7: asks the bot to reconnect. Events from now on wait for its RESUME."""
        self._gateway.reconnect()

    def invalidate(self, resumable: bool) -> None:
        """Op 9: the session is invalid; unless it is resumable, it is gone with everything that it has missed."""
        self._gateway.invalidate(resumable=resumable)

    def drop(self) -> None:
        """Cuts the gateway's TCP connections without a word."""
        self._gateway.drop()

    def fail(
        self,
        method: str,
        path_regex: str,
        *,
        status: int = 500,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        after_effect: bool = False,
        drop: bool = False,
        hang: bool = False,
    ) -> Callable[[], None]:
        """Scripts what happens to the next `times` calls whose path (from /channels, /webhooks, ... on) matches.

        They get this status, or no answer at all (`drop` cuts the connection, `hang` lets the caller wait), before they
        have an effect or after it. A body of text is sent as a proxy would send it, anything else as JSON in Discord's
        name. Returns what ends the fault before it has been met so often.
        """
        return self._rest.faults.add(
            method,
            path_regex,
            status=status,
            body=body,
            headers=headers,
            times=times,
            after_effect=after_effect,
            drop=drop,
            hang=hang,
        )

    def _about_the_bot(self) -> list[Route]:
        state = self.state
        return [
            Route("GET", "/users/@me", lambda _: Answer(user_json(state.bot))),
            Route("GET", "/oauth2/applications/@me", self._application),
            Route("GET", "/gateway", lambda _: Answer({"url": self.settings.gateway_url}), bot=False),
            Route("GET", "/gateway/bot", self._gateway_bot),
        ]

    def _application(self, call: Call) -> Answer:
        content = Intent.MESSAGE_CONTENT in self.settings.privileged_intents
        return Answer(application_json(self.state, content=content))

    def _gateway_bot(self, call: Call) -> Answer:
        limit = self._gateway.session_start_limit()
        return Answer({"url": self.settings.gateway_url, "shards": 1, "session_start_limit": limit})
