"""Sentences of the bot's own that are no answer."""

from __future__ import annotations

import asyncio
import logging

from bot.core.model import Prompt
from bot.core.pacing import Call
from bot.errors import PlatformError, Refused, Unreachable
from bot.gate import Gate
from bot.ports import Platform

log = logging.getLogger(__name__)

_PAUSES = (1.0, 4.0, 0.0)  # seconds after each try


async def say(prompt: Prompt, words: str, platform: Platform, gate: Gate, *, message: str = "") -> None:
    """Shows a sentence where the answer to this prompt belongs, in a message that is there if one is named.

    Whatever goes wrong is logged, and hurts nothing else.
    """
    place, nonce = prompt.place, f"say-{prompt.key[-20:]}"
    for pause in _PAUSES:
        permit = await gate.side_call(Call.EDIT if message else Call.POST, place)
        try:
            await permit.spend(
                platform.edit(place, message, words)
                if message
                else platform.post(place, words, nonce=nonce, first=True)
            )
            return
        except (Refused, Unreachable) as error:
            log.warning("sentence.delayed", extra={"detail": str(error)})
            await asyncio.sleep(pause)
        except PlatformError as error:
            log.warning("sentence.not_said", extra={"detail": str(error)})
            return
        except Exception:
            log.exception("sentence.not_said")
            return
    log.warning("sentence.not_said", extra={"detail": f"tried {len(_PAUSES)} times"})
