"""What is stored of a running turn: what becomes known of it, behind the answer's back, and how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.core.model import Ending, Turn
from bot.errors import StoreError
from bot.ports import Store

log = logging.getLogger(__name__)

_SEALING_PAUSES = (1.0, 4.0, 10.0, 30.0)  # seconds between tries of storing an end that the database does not take


class Notes:
    """Stores ids one after the other, as tasks of this group. Losing a note does not hurt the answer."""

    def __init__(self, group: asyncio.TaskGroup, turn: Turn) -> None:
        self._group = group
        self._turn = turn
        self._in_order = asyncio.Lock()  # first come, first served

    def add(self, storing: Coroutine[Any, Any, object]) -> None:
        self._group.create_task(self._store(storing))

    async def _store(self, storing: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._in_order:
                await storing
        except StoreError as error:
            log.error("turn.not_noted", extra={"turn": self._turn.id, "detail": str(error)})


async def finish(store: Store, turn: Turn, answer: str, ending: Ending) -> None:
    """Stores the end of the turn. Raises StoreError, but insists before: a turn whose end is not stored would be
    answered again at the next start."""
    for pause in _SEALING_PAUSES:
        try:
            return await store.finish(turn, answer, ending)
        except StoreError as error:
            log.error("turn.not_sealed", extra={"turn": turn.id, "detail": str(error)})
            await asyncio.sleep(pause)
    return await store.finish(turn, answer, ending)


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does the work, also when the task is being cancelled meanwhile."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await working
        raise
