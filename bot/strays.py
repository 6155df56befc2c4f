"""Messages of an earlier attempt of which nobody has learnt: it ended between a call and its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.calls import nonces_of
from bot.core.model import Place, Turn
from bot.errors import PlatformError, Refused, Unreachable
from bot.ports import Platform, Strays

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 15.0)  # seconds after each try


async def find_strays(turn: Turn, platform: Platform, place: Place, known: Sequence[str]) -> Strays:
    """Where the platform does not tell them, none: then the page that one of them is, is posted with the same nonce."""
    for pause in _PAUSES:
        try:
            return await platform.strays(place, nonces_of(turn.prompt), known)
        except (Refused, Unreachable) as error:
            log.warning("messages.not_looked_for", extra={"turn": turn.id, "detail": str(error)})
            await asyncio.sleep(max(pause, error.retry_after) if isinstance(error, Refused) else pause)
        except PlatformError as error:
            log.warning("messages.not_looked_for", extra={"turn": turn.id, "detail": str(error)})
            break
    return Strays()
