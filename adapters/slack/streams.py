"""Slack's streamed messages: chat.startStream, chat.appendStream, chat.stopStream.

Each has to stand in a thread, so in a direct message the question begins one. In a channel the person who asked is the
only one who sees a stream grow, so `auto` streams in direct messages alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from adapters.slack.calls import Answer, Unsupported, WebClient
from adapters.slack.content import mark
from bot.core.dialects import SLACK_STREAM, Dialect
from bot.core.model import Place
from bot.core.pacing import Call, Receipt
from bot.errors import Rejected, StreamEnded

Way = Literal["auto", "edit", "native"]
Find = Callable[[Place, str], Awaitable[str]]  # the message that an unanswered start with this nonce made, or ""

_REMEMBERED = 1_000  # streams whose nonce is known


class Made(Protocol):
    """Makes a call of this kind. With a nonce it notes when the call's effect stays unknown."""

    async def __call__(self, call: Awaitable[Any], kind: Call, *, nonce: str = "") -> Answer: ...


class Streams:
    """Where answers are streamed, and what the workspace has said of that."""

    def __init__(self, client: WebClient, way: Way) -> None:
        self._client = client
        self._way = way
        self._refused = False  # streams are not for this workspace ...
        self._refused_in_channels = False  # ... or only in direct messages
        self._nonces: OrderedDict[str, str] = OrderedDict()  # of streamed messages, by ts

    def at(self, place: Place, team: str, made: Made, find: Find) -> Stream | None:
        """None where answers are posted and edited."""
        thread, direct = place.thread or place.message, place.room.startswith("D")
        if self._way == "edit" or self._refused or not thread:
            return None
        if not direct and (self._way == "auto" or self._refused_in_channels):
            return None
        return Stream(replace(place, thread=thread), team, self._client, self, made, find)

    def may_be_in(self, place: Place) -> bool:
        """Whether there may be streams of ours."""
        return self._way == "native" or (self._way == "auto" and place.room.startswith("D"))

    async def end(self, place: Place, message: str, made: Made) -> None:
        """Ends a stream that a process before this one has left open. Raises PlatformError, but not if it has ended."""
        with suppress(Rejected, StreamEnded):
            await made(self._client.chat_stopStream(channel=place.room, ts=message), Call.STOP)

    def refuse(self, place: Place, error: Unsupported) -> None:
        """The workspace does not take streams: from now on none is tried."""
        if error.word == "channel_type_not_supported" and not place.room.startswith("D"):
            self._refused_in_channels = True
        else:
            self._refused = True

    def remember(self, message: str, nonce: str) -> None:
        self._nonces[message] = nonce
        if len(self._nonces) > _REMEMBERED:
            self._nonces.popitem(last=False)

    def mark(self, message: str) -> dict[str, Any] | None:
        """What tells later whose page a streamed message is; a start cannot carry it."""
        nonce = self._nonces.get(message)
        return mark(nonce) if nonce else None


@dataclass(frozen=True, slots=True)
class Stream:
    """The streamed messages of one answer."""

    place: Place
    _team: str
    _client: WebClient
    _streams: Streams
    _made: Made
    _find: Find
    dialect: Dialect = SLACK_STREAM

    async def start(self, text: str, *, person: str, nonce: str) -> Receipt:
        if found := await self._find(self.place, nonce):
            self._streams.remember(found, nonce)
            return Receipt(found)
        call = self._client.chat_startStream(
            channel=self.place.room,
            thread_ts=self.place.thread,
            recipient_user_id=person,
            recipient_team_id=self._team,
            chunks=_chunks(text),
        )
        try:
            answer = await self._made(call, Call.START, nonce=nonce)
        except Unsupported as error:
            self._streams.refuse(self.place, error)
            raise
        message = str(answer.data["ts"])
        self._streams.remember(message, nonce)
        return Receipt(message)

    async def append(self, message: str, text: str) -> Receipt:
        # the SDK's signature wants a markdown_text, and leaves out what is None
        markdown: Any = None
        call = self._client.chat_appendStream(
            channel=self.place.room, ts=message, markdown_text=markdown, chunks=_chunks(text)
        )
        return await self._grown(message, call, Call.APPEND)

    async def stop(self, message: str, text: str, *, more: bool) -> Receipt:
        call = self._client.chat_stopStream(
            channel=self.place.room,
            ts=message,
            chunks=_chunks(text) or None,
            metadata=self._streams.mark(message),
            session_status="processing" if more else "active",
        )
        return await self._grown(message, call, Call.STOP)

    async def _grown(self, message: str, call: Awaitable[Any], kind: Call) -> Receipt:
        try:
            await self._made(call, kind)
        except Unsupported as error:
            self._streams.refuse(self.place, error)
            raise
        return Receipt(message)


def _chunks(text: str) -> list[dict[str, Any]]:
    """A stream has one mode for its whole life; in this one it can hold more than text (tasks, a plan's title)."""
    return [{"type": "markdown_text", "text": text}] if text else []
