"""What is made on the server for a question that is taken back meanwhile is removed again: nobody would know of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from adapters.openai.errors import FAULTS
from bot.errors import BackendError

log = logging.getLogger(__name__)

_LEAVING = 5.0  # seconds for removals that are under way when the backend is closed


class Making:
    """For one backend; `close` it before its client."""

    def __init__(self) -> None:
        self._removing: set[asyncio.Task[None]] = set()

    async def make(self, making: Coroutine[Any, Any, str], remove: Callable[[str], Awaitable[None]]) -> str:
        """The id of what was made. Where this is cancelled, the making comes to its end behind, and then to nothing."""
        made = asyncio.create_task(making)
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            removing = asyncio.create_task(_remove(made, remove))
            self._removing.add(removing)
            removing.add_done_callback(self._removing.discard)
            raise

    async def close(self) -> None:
        if self._removing:
            _, late = await asyncio.wait(self._removing, timeout=_LEAVING)
            for removing in late:
                removing.cancel()


async def _remove(made: asyncio.Task[str], remove: Callable[[str], Awaitable[None]]) -> None:
    try:
        if identity := await made:
            await remove(identity)
    except (*FAULTS, BackendError) as error:
        log.info("openai.conversation.not_removed", extra={"error": type(error).__name__})
