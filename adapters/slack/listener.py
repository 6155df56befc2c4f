"""What Slack delivers, taken to the inbox: posts as questions, with their edits and deletions, and the slash command
and the Stop button as commands.

Bolt runs with `process_before_response`: an envelope is acknowledged after its listener has returned, so a question is
stored before Slack is told that it was received. A listener that raises leaves the envelope without an acknowledgement,
and Slack delivers it again: at once, after a minute and after five more, and then never.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import Any, cast
from weakref import WeakValueDictionary

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from adapters.slack.calls import WebClient
from adapters.slack.people import People
from adapters.slack.prompts import (
    Scope,
    deletion_in,
    edit_in,
    is_addressed,
    is_post,
    is_reply,
    key_of,
    people_in,
    to_prompt,
    where,
)
from adapters.slack.received import Received, seconds
from adapters.slack.sign_in import Me
from adapters.slack.untaken import Untaken
from bot.core.commands import Command, parse
from bot.core.model import Channel, Place, Prompt
from bot.errors import PlatformError, RivuletError, StoreError
from bot.ports import Inbox

log = logging.getLogger(__name__)

_PRESSED = 200  # Stop buttons remembered, since Slack delivers events more than once
_THREADS = 1_000  # threads remembered in which the bot was asked: they are not looked up again
_ANYTHING = re.compile("")


class Listener:
    """Decides which events are questions and hands them on, those of one room in the order in which they came."""

    def __init__(
        self,
        me: Me,
        people: People,
        inbox: Inbox,
        *,
        scope: Scope,
        direct_threads: bool,
        always_on: frozenset[str],
        command: str,
        quiet: Callable[[Place], Awaitable[None]],
        untaken: Untaken,
    ) -> None:
        self._me = me
        self._people = people
        self._inbox = inbox
        self._scope: Scope = scope
        self._direct_threads = direct_threads
        self._quiet = quiet
        self._untaken = untaken
        self._received = Received(lambda at: inbox.heard("slack", at))
        self._pressed: deque[str] = deque(maxlen=_PRESSED)
        self._threads: OrderedDict[tuple[str, str], float] = OrderedDict()  # and when that was; seconds since 1970
        self.always_on = always_on
        self._command = command
        self._rooms: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def app(self, client: WebClient, logger: logging.Logger) -> AsyncApp:
        """The Bolt app. The client needs no token: it only asks for the socket's address."""
        me = self._me

        # Without it Bolt asks auth.test at the first event, and acknowledges (loses) the event if that fails.
        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=me.team, bot_id=me.bot, bot_user_id=me.user)

        app: Any = AsyncApp(
            name=__name__,  # Bolt sets the level of the logger that has this name
            logger=logger,
            client=client,
            authorize=authorize,
            process_before_response=True,
            request_verification_enabled=False,  # signatures are for HTTP; a socket was opened by us
            attaching_conversation_kwargs_enabled=False,  # they may call Slack before the listener runs
        )
        app.error(self._failed)
        app.event("app_mention")(self._on_post)
        app.event("message")(self._on_message)
        app.event("agent_session_stopped")(self._on_stop)
        app.command(self._command)(self._on_command)
        # Bolt does not acknowledge what nobody listens to, and Slack then delivers it three times more.
        app.event(_ANYTHING)(_ignore_event)
        app.command(_ANYTHING)(self._on_other_command)
        return cast("AsyncApp", app)

    def turn_of(self, room: str) -> asyncio.Lock:
        """While it is held, what is delivered of this room waits, in order."""
        return self._rooms.setdefault(room, asyncio.Lock())

    async def question(self, event: Mapping[str, Any]) -> Prompt | None:
        """The question that the post is, if it is one. Raises StoreError."""
        me = self._me
        if not is_post(event, bot_user=me.user):
            return None
        if not self._is_addressed(event):
            if not is_reply(event):
                return None
            channel, place = self._where(event)
            if not self._was_asked_in(place) and not await self._inbox.knows(channel, place):
                return None
        names = await self._people.names(people_in(event, bot_user=me.user))
        return to_prompt(
            event,
            team=me.team,
            bot_user=me.user,
            scope=self._scope,
            direct_threads=self._direct_threads,
            names=names,
        )

    async def taken(self, prompt: Prompt) -> None:
        """The inbox has received it."""
        await self._untaken.settled(prompt.key)
        if prompt.place.thread and parse(prompt.text) is None and not self._was_asked_in(prompt.place):
            self._threads[prompt.place.room, prompt.place.thread] = seconds(prompt.place.message)
            if len(self._threads) > _THREADS:
                self._threads.popitem(last=False)

    def recall(self, post: Mapping[str, Any], room: str) -> None:
        """A post that was found by looking; the bot may have said it, of a question that it may take now."""
        if post.get("user") == self._me.user:
            self._untaken.recall(post, room)

    async def _on_message(self, event: dict[str, Any], request: AsyncBoltRequest) -> None:
        room = str(event.get("channel"))
        if ts := deletion_in(event):
            key = key_of(self._me.team, room, ts)
            async with self.turn_of(room):
                await self._inbox.deleted(key)
                await self._untaken.settled(key)
        elif post := edit_in(event):
            async with self.turn_of(room):
                if prompt := await self.question(post):
                    await self._inbox.edited(prompt)
        else:
            await self._on_post(event, request)
            return
        self._received.end(room, str(event.get("ts")))

    async def _on_post(self, event: dict[str, Any], request: AsyncBoltRequest) -> None:
        room, ts = str(event.get("channel")), str(event.get("ts"))
        self._received.begin(room, ts)
        async with self.turn_of(room):
            try:
                if prompt := await self.question(event):
                    await self._inbox.receive(prompt)
                    await self.taken(prompt)
            except StoreError:
                if await self._comes_again(event, request):
                    raise
        self._received.end(room, ts)

    async def _comes_again(self, event: dict[str, Any], request: AsyncBoltRequest) -> bool:
        """Tells who asked how it stands with a question that could not be stored."""
        _, place = self._where(event)
        if not (self._is_addressed(event) or self._was_asked_in(place)):
            place = None  # it may be talk between people
        key = key_of(self._me.team, str(event["channel"]), str(event["ts"]))
        return await self._untaken.failed(key, place, _delivery(request))

    def _is_addressed(self, event: Mapping[str, Any]) -> bool:
        return is_addressed(event, bot_user=self._me.user, always_on=self.always_on)

    def _was_asked_in(self, place: Place) -> bool:
        """Before this message: people may have talked in the thread before that, and old messages may come late."""
        return self._threads.get((place.room, place.thread), inf) <= seconds(place.message)

    async def _on_stop(self, event: dict[str, Any]) -> None:
        """Somebody pressed Stop under a thread. It counts where their `!stop` would."""
        if event.get("user") in {None, "", self._me.user} or not (event.get("channel") and event.get("thread_ts")):
            return
        if (press := str(event.get("event_ts"))) in self._pressed:
            return  # delivered again: it must not stop the next answer
        channel, place = self._where({**event, "ts": ""})
        if self._is_addressed(event) or await self._inbox.knows(channel, place):
            await self._inbox.obey(Command.STOP, channel)
        self._pressed.append(press)
        try:
            await self._quiet(place)  # also where nothing runs: a crash may have left the button there
        except PlatformError as error:
            log.info("slack.status.left", extra={"detail": str(error)})

    def _where(self, event: Mapping[str, Any]) -> tuple[Channel, Place]:
        return where(event, team=self._me.team, scope=self._scope, direct_threads=self._direct_threads)

    async def _on_command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack({"response_type": "ephemeral", "text": await self._obey(command)})

    async def _on_other_command(self, ack: AsyncAck) -> None:
        await ack({"response_type": "ephemeral", "text": f"I only know `{self._command} new | stop | retry | help`."})

    async def _obey(self, command: dict[str, Any]) -> str:
        try:
            wish = Command((command.get("text") or "").strip().lstrip("!").lower())
        except ValueError:
            wish = Command.HELP
        room = str(command["channel_id"])
        threaded = self._scope == "thread" and (self._direct_threads or not room.startswith("D"))
        if threaded and wish is not Command.HELP:
            # Slack does not say in which thread a slash command was typed
            return f"Each thread has a conversation of its own here: write `!{wish}` in the thread."
        try:
            return await self._inbox.obey(wish, Channel("slack", f"{self._me.team}:{room}"))
        except RivuletError as error:  # a slash command is not delivered again, so its author is told
            return str(error)

    async def _failed(self, error: Exception) -> None:
        trace = None if isinstance(error, RivuletError) else error
        log.error("slack.event.failed", exc_info=trace, extra={"error": f"{type(error).__name__}: {error}"})


async def _ignore_event() -> None:
    pass


def _delivery(request: AsyncBoltRequest) -> int:
    """How often Slack has delivered this event before."""
    headers: Mapping[str, Sequence[str]] = request.headers
    return int(headers.get("x-slack-retry-num", ["0"])[0])
