"""Messages of an earlier attempt of which nobody has learnt: it ended between a call and its answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.calls import nonces_of
from bot.core.model import Place, Turn
from bot.errors import PlatformError
from bot.patience import patiently
from bot.ports import Platform, Strays

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 15.0)  # seconds between tries


async def find_strays(turn: Turn, platform: Platform, place: Place, known: Sequence[str]) -> Strays:
    """Where the platform does not tell them, none: then the page that one of them is, is posted with the same nonce."""

    def failed(error: PlatformError) -> None:
        log.warning("messages.not_looked_for", extra={"turn": turn.id, "detail": str(error)})

    try:
        return await patiently(lambda: platform.strays(place, nonces_of(turn.prompt), known), _PAUSES, failed)
    except PlatformError as error:
        failed(error)
        return Strays()
