"""SIGTERM and Ctrl-C, waited for like anything else."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable
from math import inf


class Signals:
    """Takes SIGTERM and SIGINT from now on, so that nothing is torn down in the middle."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._last = self._before = -inf
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.arrive)

    @property
    def twice(self) -> bool:
        """Whether the last two came within two seconds: somebody means it."""
        return self._last - self._before < 2.0

    async def before(self, work: Awaitable[None]) -> bool:
        """Waits for the work, or for a signal: then the work is cancelled, and the answer is False."""
        self._arrived.clear()
        working = asyncio.ensure_future(work)
        arriving = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait([working, arriving], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
                return True
            return False
        finally:
            for task in (working, arriving):
                task.cancel()
            await asyncio.wait([working, arriving])

    def arrive(self) -> None:
        """A signal came."""
        self._before, self._last = self._last, asyncio.get_running_loop().time()
        self._arrived.set()
