"""At start: goes on with what the last process left open.

A queued turn goes on in its order. A running one was interrupted by the end of the process: before anything new is
delivered it waits again, ahead of the later ones of its channel, and once its platform is connected its answer is
written into the messages that are there already.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bot.core.model import Status, Turn
from bot.dispatcher import Dispatcher
from bot.ports import Store

log = logging.getLogger(__name__)


async def reopen(store: Store) -> Sequence[Turn]:
    """What a start has to look after; interrupted turns wait again. Before any platform delivers. Raises StoreError."""
    turns = await store.open_turns()
    for turn in turns:
        if turn.status is Status.RUNNING:
            log.info("turn.recovered", extra={"turn": turn.id})
            await store.requeue(turn)
    return turns


def resume(dispatcher: Dispatcher, turns: Iterable[Turn]) -> None:
    """Hands over what `reopen` found, once its platform is connected."""
    for turn in turns:
        if turn.status in {Status.QUEUED, Status.RUNNING}:
            dispatcher.wake(turn)
        else:
            dispatcher.remove(turn)
