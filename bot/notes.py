"""What is stored of a running turn: what becomes known of it, behind the answer's back, and how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bot.core.model import Progress, Turn
from bot.errors import StoreError
from bot.ports import Store

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 10.0, 30.0)  # seconds between tries of storing what the database does not take
_PROGRESS = 2.0  # seconds between two notes of the progress: what a crash may cost, of an answer that cannot go on


class Notes:
    """Stores one thing after the other, as tasks of this group. `progress` tells how far the answer is now."""

    def __init__(self, group: asyncio.TaskGroup, store: Store, turn: Turn, progress: Callable[[], Progress]) -> None:
        self._group = group
        self._store = store
        self._turn = turn
        self._progress = progress
        self._in_order = asyncio.Lock()  # first come, first served
        self._noting: asyncio.Task[None] | None = None
        self._noted_at = asyncio.get_running_loop().time()

    def add(self, storing: Callable[[], Awaitable[object]]) -> None:
        """An id, which the database has to take: pages are found again by the order of their messages."""
        self._group.create_task(self._insist(storing))

    def advanced(self) -> None:
        """The answer has come further, which is stored now and then."""
        if self._noting is None:
            self._noting = self._group.create_task(self._note())

    def close(self) -> None:
        """The progress does not matter any more."""
        if self._noting is not None:
            self._noting.cancel()

    async def _note(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._noted_at + _PROGRESS - now))
        self._noted_at = asyncio.get_running_loop().time()
        try:
            async with self._in_order:
                await self._store.set_progress(self._turn, self._progress())
        except StoreError as error:  # the next one tells it as well
            log.warning("turn.not_noted", extra={"turn": self._turn.id, "detail": str(error)})
        self._noting = None

    async def _insist(self, storing: Callable[[], Awaitable[object]]) -> None:
        async with self._in_order:
            try:
                await insist(storing, self._turn)
            except StoreError as error:
                log.error("turn.not_noted", extra={"turn": self._turn.id, "detail": str(error)})


async def insist(storing: Callable[[], Awaitable[object]], turn: Turn) -> None:
    """Stores something that must not be lost, several times if need be. Raises StoreError."""
    for pause in _PAUSES:
        try:
            await storing()
            return
        except StoreError as error:
            log.error("turn.not_stored", extra={"turn": turn.id, "detail": str(error)})
            await asyncio.sleep(pause)
    await storing()


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does the work, also when the task is being cancelled meanwhile."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await working
        raise
