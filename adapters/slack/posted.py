"""What of an answer is there already: the bot's own messages, looked up where the answer to a call was lost."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from adapters.slack.calls import Answer, WebClient
from adapters.slack.content import nonce_of
from adapters.slack.received import seconds
from adapters.slack.streams import Streams
from adapters.slack.uploads import holds
from bot.core.files import File
from bot.core.model import Place
from bot.errors import Gone, Refused, Rejected
from bot.ports import Strays

_REMEMBERED = 1_000  # nonces of posts that nobody repeated, and messages
_LOOKS = (0.3, 0.7, 1.0, 2.0, 4.0)  # seconds between looks for shared files: Slack shows them after it says that it did


class Posted:
    """The bot's messages. They are told apart by the nonces in their metadata; streams have none until they end."""

    def __init__(
        self, client: WebClient, made: Callable[[Awaitable[Any]], Awaitable[Answer]], streams: Streams
    ) -> None:
        self._client = client
        self._made = made
        self._streams = streams
        self._user = ""
        self._since = 0.0  # seconds since 1970, as Slack's ts
        self._unsure: deque[str] = deque(maxlen=_REMEMBERED)  # nonces of posts that may or may not have appeared
        self._known: deque[str] = deque(maxlen=_REMEMBERED)  # messages that are certainly accounted for

    def begin(self, user: str) -> None:
        """The bot is this user, and posts from now on: what is older is that of a process before this one."""
        self._user = user
        self._since = time.time()

    def known(self, message: str) -> str:
        """This message is accounted for; returns it."""
        self._known.append(message)
        return message

    def unsure(self, nonce: str) -> None:
        """The post with this nonce may have appeared."""
        self._unsure.append(nonce)

    @contextmanager
    def unsure_if_lost(self, nonce: str) -> Generator[None]:
        """Around the call that posts with this nonce."""
        try:
            yield
        except (Refused, Rejected, Gone):
            raise
        except BaseException:  # unreachable or cancelled: it may have been taken
            self.unsure(nonce)
            raise

    async def page(self, place: Place, nonce: str) -> str:
        """The message that an earlier post or start with this nonce has made; empty if it has made none."""
        if nonce not in self._unsure:
            return ""
        found = await self._find(place, lambda message: nonce_of(message) == nonce)
        if not found and self._streams.may_be_in(place):  # a stream is marked when it ends
            found = await self._find(place, lambda message: self._is_unmarked(message, place))
        return self.known(found) if found else ""

    async def files(self, place: Place, nonce: str, files: Sequence[File]) -> str:
        """The message in which these files were shared with this nonce; empty if they were not."""
        if nonce in self._unsure:
            return await self.shared(place, files)
        is_older = 0 < seconds(place.message) < self._since  # so a process before this one may have shared them
        return await self._find(place, lambda message: holds(message, files)) if is_older else ""

    async def shared(self, place: Place, files: Sequence[File]) -> str:
        """The message with these files, looked for until Slack shows it, for a few seconds; empty if it does not."""
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            if found := await self._find(place, lambda message: holds(message, files)):
                return found
        return ""

    async def strays(self, place: Place, nonces: str, known: Sequence[str]) -> Strays:
        """As `Platform.strays`."""
        unknown = {str(message["ts"]): message async for message in self._written(place)}
        for ts in known:
            unknown.pop(ts, None)
        in_order = sorted(unknown, key=seconds)
        pages = [ts for ts in in_order if (nonce_of(unknown[ts]) or "").startswith(nonces)]
        if self._streams.may_be_in(place):  # its last page may be a stream, which is marked when it ends
            pages += [ts for ts in in_order if self._is_unmarked(unknown[ts], place)][:1]
        pages.sort(key=seconds)
        if not (known or pages):
            return Strays()
        last = max(map(seconds, [*known, *pages]))  # what stands above it may be another answer's
        files = [ts for ts in in_order if unknown[ts].get("files") and seconds(ts) > last]
        for ts in (*pages, *files):
            self.known(ts)
        return Strays(tuple(pages), tuple(files))

    def _is_unmarked(self, message: dict[str, Any], place: Place) -> bool:
        ts = str(message["ts"])
        later = seconds(ts) > seconds(place.message)
        return later and not (nonce_of(message) or message.get("files") or ts in self._known)

    async def _find(self, place: Place, wanted: Callable[[dict[str, Any]], bool]) -> str:
        """The ts of our wanted message among what was written after the question; empty if there is none."""
        async with aclosing(self._written(place)) as messages:
            async for message in messages:
                if wanted(message):
                    return str(message["ts"])
        return ""

    async def _written(self, place: Place) -> AsyncGenerator[dict[str, Any]]:
        """Our messages after the question."""
        cursor: str | None = None
        while True:
            window: dict[str, Any] = {
                "channel": place.room,
                "oldest": place.message or None,
                "include_all_metadata": True,
                "limit": 100,
                "cursor": cursor,
            }
            if place.thread:
                answer = await self._made(self._client.conversations_replies(ts=place.thread, **window))
            else:
                answer = await self._made(self._client.conversations_history(**window))
            messages: list[dict[str, Any]] = answer.data.get("messages") or []
            for message in messages:
                if message.get("user") == self._user:
                    yield message
            paging: dict[str, str] = answer.data.get("response_metadata") or {}
            cursor = paging.get("next_cursor")
            if not cursor:
                return
