"""At start: goes on with what the last process left open.

A queued turn goes on in its order. A running one was interrupted by the end of the process: before anything new is
delivered it waits again, ahead of the later ones of its channel, and once its platform is connected its answer is
written into the messages that are there already.

Before a turn goes on, its question is looked at: it may have been edited or deleted while nobody listened. It does not
wait long for that; what is learnt later counts as if it happened then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from bot.core.model import Channel, Status, Turn
from bot.dispatcher import Dispatcher
from bot.ports import Store

log = logging.getLogger(__name__)

_HELD_BACK = 5.0  # seconds that turns may wait until their questions are looked at


async def reopen(store: Store) -> Sequence[Turn]:
    """What a start has to look after; interrupted turns wait again. Before any platform delivers. Raises StoreError."""
    turns = await store.open_turns()
    for turn in turns:
        if turn.status is Status.RUNNING:
            log.info("turn.recovered", extra={"turn": turn.id})
            await store.requeue(turn)
    return turns


async def resume(dispatcher: Dispatcher, turns: Iterable[Turn]) -> None:
    """Hands over what `reopen` found, once its platform is connected. Returns within a few seconds."""
    open_in: dict[Channel, list[Turn]] = {}
    for turn in turns:
        if turn.status in {Status.QUEUED, Status.RUNNING}:
            open_in.setdefault(turn.prompt.channel, []).append(turn)
        else:
            dispatcher.remove(turn)

    async def go_on(waiting: Sequence[Turn]) -> None:
        # all of a channel: when one of them turns out to be deleted, the next begins
        await asyncio.wait([dispatcher.reread(turn) for turn in waiting], timeout=_HELD_BACK)
        for turn in waiting:
            dispatcher.wake(turn)

    async with asyncio.TaskGroup() as group:
        for waiting in open_in.values():
            group.create_task(go_on(waiting))
