"""What is stored of a running turn: what becomes known of it, behind the answer's back, and how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from itertools import chain, repeat
from typing import Any

from bot.core.model import Conversation, Progress, Turn
from bot.errors import Missing, StoreError
from bot.ports import Store

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 10.0)  # seconds between tries of storing what the database does not take
_LONGEST_PAUSE = 30.0  # and from then on
_PROGRESS = 2.0  # seconds between two notes of the progress: what a crash may cost, of an answer that cannot go on
_AT_LAST = 10.0  # seconds that work may still take whose task is cancelled

Storing = Callable[[], Awaitable[object]]


class Notes:
    """Stores one thing after the other, while `keep` runs."""

    def __init__(self, store: Store, turn: Turn) -> None:
        self._store = store
        self._turn = turn
        self._ids = deque[Storing]()
        self._news = asyncio.Event()
        self._advanced = False

    # Ids have to be taken by the database: pages are found again by the order of their messages

    def posted(self, message: str, *, file: bool = False) -> None:
        """One more message of the answer is there."""
        self._add(partial(self._store.add_message, self._turn, message, file=file))

    def removed(self, message: str) -> None:
        """A message of the answer is not there any more."""
        self._add(partial(self._store.drop_message, self._turn, message))

    def asked_in(self, conversation: Conversation) -> None:
        """It has got its id on the server."""
        self._add(partial(self._store.set_remote, conversation, conversation.remote))

    def begun(self, progress: Progress) -> None:
        """The answer has got its id on the server."""
        self._add(partial(self._store.set_progress, self._turn, progress))

    def advanced(self) -> None:
        """The answer has come further, which is stored now and then."""
        if not self._advanced:
            self._advanced = True
            self._news.set()

    async def keep(self, progress: Callable[[], Progress]) -> None:
        """Until it is cancelled. `progress` tells how far the answer is now."""
        noted_at = asyncio.get_running_loop().time()
        while True:
            await self._until(noted_at + _PROGRESS if self._advanced else None)
            await insist(self.settle, self._turn)
            if self._advanced and (now := asyncio.get_running_loop().time()) >= noted_at + _PROGRESS:
                self._advanced, noted_at = False, now
                try:
                    await self._store.set_progress(self._turn, progress())
                except StoreError as error:  # the next one tells it as well
                    log.warning("turn.not_noted", extra={"turn": self._turn.id, "detail": str(error)})

    async def settle(self) -> None:
        """Stores the ids that are left; twice is as good as once. Raises StoreError."""
        while self._ids:
            try:
                await self._ids[0]()
            except Missing as error:
                log.error("turn.not_noted", extra={"turn": self._turn.id, "detail": str(error)})
            self._ids.popleft()

    def _add(self, storing: Storing) -> None:
        self._ids.append(storing)
        self._news.set()

    async def _until(self, moment: float | None) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()


async def insist(storing: Storing, turn: Turn) -> None:
    """Stores something that must not be lost, however long the database does not take it. Raises Missing."""
    for pause in chain(_PAUSES, repeat(_LONGEST_PAUSE)):
        try:
            await storing()
            return
        except Missing:
            raise
        except StoreError as error:
            log.error("turn.not_stored", extra={"turn": turn.id, "detail": str(error)})
            await asyncio.sleep(pause)


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does the work, also when the task is being cancelled meanwhile: then for some seconds more."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await at_last(working)
        raise


async def at_last(work: Awaitable[None]) -> None:
    """Does the work of a task that is being cancelled: what takes longer than some seconds is left."""
    try:
        async with asyncio.timeout(_AT_LAST):
            await work
    except TimeoutError:
        log.error("turn.left_open")
