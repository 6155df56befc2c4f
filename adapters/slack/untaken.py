"""Questions that the database does not take, and what their authors are told.

Slack delivers such a question again: at once, after a minute and after five more. So a short trouble passes without a
word; one that lasts longer is told in a single message, which says how it stands: first that the question will be tried
again; at last that it was not taken. When the question is taken after all, be it by the next process, which finds it
among what was missed, the message goes away.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.calls import Answer, WebClient
from adapters.slack.content import mark, nonce_of, page
from bot.core.endings import NOT_STORED
from bot.core.model import Place
from bot.errors import PlatformError

log = logging.getLogger(__name__)

LATER = "I cannot take your question just now. I will try it again in the next minutes."

_LAST = 3  # Slack's last delivery of an event, counted from 0
_REMEMBERED = 1_000  # questions
_ABOUT = "untaken "  # how the nonce begins that a message is marked with; the question's key follows


@dataclass(frozen=True, slots=True)
class _Told:
    room: str
    message: str  # its ts
    words: str


class Untaken:
    """Whatever goes wrong with its own messages is logged, and hurts nothing else."""

    def __init__(self, client: WebClient, made: Callable[[Awaitable[Any]], Awaitable[Answer]]) -> None:
        self._client = client
        self._made = made
        self._told: OrderedDict[str, _Told] = OrderedDict()  # by the question's key
        self._settled: OrderedDict[str, None] = OrderedDict()  # keys of the newest

    async def failed(self, key: str, place: Place | None, delivery: int) -> bool:
        """After this delivery (0 is the first) the question is not taken. Returns whether Slack delivers it again.

        `place` is where its answer would be; None: it may be no question, so nothing is said.
        """
        if key in self._settled:
            return False  # a mention is delivered as two events, and the other one was taken
        if delivery and place:
            await self._tell(key, place, LATER if delivery < _LAST else NOT_STORED)
        return delivery < _LAST

    async def settled(self, key: str) -> None:
        """The question is taken after all, or gone: what was said of it goes away."""
        self._settled[key] = None
        if len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)
        if told := self._told.pop(key, None):
            try:
                await self._made(self._client.chat_delete(channel=told.room, ts=told.message))
            except PlatformError as error:
                log.warning("slack.sentence.left", extra={"channel": told.room, "detail": str(error)})

    def recall(self, message: Mapping[str, Any], room: str) -> None:
        """A message of the bot's; it may be what a process before this one said of a question."""
        key = (nonce_of(message) or "").partition(_ABOUT)[2]
        if key:
            self._told.setdefault(key, _Told(room, str(message["ts"]), ""))

    async def _tell(self, key: str, place: Place, words: str) -> None:
        told = self._told.get(key)
        if told and told.words in {words, NOT_STORED}:
            return  # a mention is delivered as two events
        try:
            if told:
                message = told.message
                await self._made(
                    self._client.chat_update(channel=place.room, ts=message, metadata=mark(_ABOUT + key), **page(words))
                )
            else:
                thread = place.thread or None
                call = self._client.chat_postMessage(
                    channel=place.room, thread_ts=thread, metadata=mark(_ABOUT + key), **page(words)
                )
                message = str((await self._made(call)).data["ts"])
        except PlatformError as error:
            log.error("slack.not_told", extra={"channel": place.room, "detail": str(error)})
            return
        self._told[key] = _Told(place.room, message, words)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
