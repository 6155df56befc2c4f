"""Leaves nothing behind that goes on although nobody wants it."""

from __future__ import annotations

import asyncio
import logging

from bot.core.model import Turn
from bot.errors import BackendError
from bot.ports import Backend

log = logging.getLogger(__name__)

LEAVING = 5.0  # seconds for each thing that would go on, or look as if it did


async def end_at_server(turn: Turn, response: str, backend: Backend, remote: str) -> None:
    """Ends an answer that nobody will take up, in its conversation. What the server does not do in time is logged."""
    try:
        async with asyncio.timeout(LEAVING):
            await backend.cancel(remote, response)
    except (BackendError, TimeoutError) as error:
        log.warning("model.left_running", extra={"turn": turn.id, "detail": str(error)})
