"""What the database failed to do it may have done all the same, if only its answer was lost.

A question of which the platform was told that it is not stored is queued then, and a turn that nobody has begun counts
as running: without a second look they would hang until the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager

from bot.core.model import Channel
from bot.errors import StoreError

log = logging.getLogger(__name__)

_PAUSE = 4.0  # seconds before each look: less than until the channel's next turn, which comes after those in doubt


class Doubts:
    """`look` looks at these channels in the database, and raises StoreError; `errand` does work in the background."""

    def __init__(
        self,
        look: Callable[[frozenset[Channel]], Awaitable[None]],
        errand: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        self._look = look
        self._errand = errand
        self._channels: set[Channel] = set()
        self._settling = False

    @contextmanager
    def about(self, channel: Channel) -> Generator[None]:
        """If the block raises StoreError, the channel is looked at soon."""
        try:
            yield
        except StoreError:
            self._channels.add(channel)
            if not self._settling:
                self._settling = True
                self._errand(self._settle())
            raise

    async def _settle(self) -> None:
        try:
            while self._channels:
                await asyncio.sleep(_PAUSE)
                channels, self._channels = frozenset(self._channels), set()
                try:
                    await self._look(channels)
                except StoreError as error:
                    log.warning("database.in_doubt", extra={"channels": len(channels), "detail": str(error)})
                    self._channels |= channels
        finally:
            self._settling = False
