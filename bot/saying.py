"""Sentences of the bot's own that are no answer."""

from __future__ import annotations

import logging

from bot.core.model import Prompt
from bot.core.pacing import Call
from bot.errors import PlatformError
from bot.gate import Gate
from bot.patience import patiently
from bot.ports import Platform

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0)  # seconds between tries


async def say(prompt: Prompt, words: str, platform: Platform, gate: Gate, *, message: str = "") -> None:
    """Shows a sentence where the answer to this prompt belongs, in a message that is there if one is named.

    Whatever goes wrong is logged, and hurts nothing else.
    """
    place, nonce = prompt.place, f"say-{prompt.key[-20:]}"

    async def once() -> None:
        permit = await gate.side_call(Call.EDIT if message else Call.POST, place)
        await permit.spend(
            platform.edit(place, message, words) if message else platform.post(place, words, nonce=nonce, first=True)
        )

    try:
        await patiently(once, _PAUSES, lambda error: log.warning("sentence.delayed", extra={"detail": str(error)}))
    except PlatformError as error:
        log.warning("sentence.not_said", extra={"detail": str(error)})
    except Exception:
        log.exception("sentence.not_said")
