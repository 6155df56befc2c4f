"""Removes the messages of an answer that has ended, as far as the platform lets it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from bot.core.model import Turn
from bot.core.pacing import Call
from bot.errors import Gone, PlatformError, Refused, StoreError, Unreachable
from bot.gate import Gate
from bot.notes import insist
from bot.ports import Platform, Store

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 15.0, 0.0)  # seconds after each try of removing a message


async def remove(turn: Turn, platform: Platform, gate: Gate, store: Store) -> None:
    """Its files first, then the last page. Whatever goes wrong is logged, and hurts nothing else."""
    for message in reversed((*turn.messages, *turn.files)):
        try:
            if not await _delete(turn, message, platform, gate):
                return
            await insist(partial(store.drop_message, turn, message), turn)
        except (PlatformError, StoreError) as error:
            log.warning("answer.not_removed", extra={"turn": turn.id, "detail": str(error)})
            return


async def _delete(turn: Turn, message: str, platform: Platform, gate: Gate) -> bool:
    """Returns whether the message is not there any more. Raises PlatformError."""
    place = turn.prompt.place
    for pause in _PAUSES:
        permit = await gate.side_call(Call.DELETE, place)
        try:
            await permit.spend(platform.delete(place, message))
            return True
        except Gone as error:
            if not error.message:
                raise
            return True  # somebody was faster
        except (Refused, Unreachable) as error:
            log.info("answer.removal_delayed", extra={"turn": turn.id, "detail": str(error)})
            await asyncio.sleep(pause)
    log.warning("answer.not_removed", extra={"turn": turn.id, "detail": f"tried {len(_PAUSES)} times"})
    return False
