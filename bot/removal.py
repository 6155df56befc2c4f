"""Removes the messages of an answer that has ended, as far as the platform lets it."""

from __future__ import annotations

import logging
from functools import partial

from bot.core.model import Turn
from bot.core.pacing import Call
from bot.errors import Gone, PlatformError, StoreError
from bot.gate import Gate
from bot.notes import insist
from bot.patience import patiently
from bot.ports import Platform, Store

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 15.0, 60.0, 300.0, 900.0)  # seconds between tries of a message; the next start tries again


async def remove(turn: Turn, platform: Platform, gate: Gate, store: Store) -> None:
    """Its files first, then the last page. Whatever goes wrong is logged, and hurts nothing else."""

    async def delete(message: str) -> None:
        permit = await gate.side_call(Call.DELETE, turn.prompt.place)
        try:
            await permit.spend(platform.delete(turn.prompt.place, message))
        except Gone as error:
            if not error.message:
                raise
            # else somebody was faster

    def delayed(error: PlatformError) -> None:
        log.info("answer.removal_delayed", extra={"turn": turn.id, "detail": str(error)})

    for message in reversed((*turn.messages, *turn.files)):
        try:
            await patiently(partial(delete, message), _PAUSES, delayed)
            await insist(partial(store.drop_message, turn, message), turn)
        except (PlatformError, StoreError) as error:
            log.warning("answer.not_removed", extra={"turn": turn.id, "detail": str(error)})
            return
