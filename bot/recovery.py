"""At start: goes on with what the last process left open.

A queued turn goes on in its order. A running one was interrupted by the end of the process: it waits again, before the
later ones of its channel, and its answer is written into the messages that are there already. A turn that took the
process down with it again and again is ended.
"""

from __future__ import annotations

import logging

from bot.core.model import Status
from bot.dispatcher import Dispatcher
from bot.ports import Store

log = logging.getLogger(__name__)

_ATTEMPTS = 3


async def recover(store: Store, dispatcher: Dispatcher) -> None:
    """Hands every open turn to the dispatcher. Raises StoreError."""
    for turn in await store.open_turns():
        if dispatcher.has_begun(turn):
            continue  # it came before we looked, and is in good hands
        if turn.status is Status.RUNNING and turn.attempts >= _ATTEMPTS:
            log.warning("turn.given_up", extra={"turn": turn.id, "attempts": turn.attempts})
            await dispatcher.give_up(turn)
            continue
        if turn.status is Status.RUNNING:
            log.info("turn.recovered", extra={"turn": turn.id})
            await store.requeue(turn)
        dispatcher.wake(turn.prompt.channel)
    dispatcher.forget()
