"""SIGTERM, SIGHUP and Ctrl-C, waited for like anything else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable

_SOON = 2.0  # seconds: signals that follow each other so fast are meant


class Signals:
    """Takes the signals that end a program from now on, so that nothing is torn down in the middle.

    None is lost: one that comes while nobody waits ends the next `before` at once. Three within two seconds end the
    process on the spot, whatever it is waiting for.
    """

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._last: deque[tuple[float, int]] = deque(maxlen=3)
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                loop.add_signal_handler(number, self.arrive, number)

    @property
    def final(self) -> bool:
        """Whether the last one asks for the program's end, and not only for that of what it is doing: any signal but
        Ctrl-C, and the second Ctrl-C within two seconds."""
        return self._last[-1][1] != signal.SIGINT or self._at_once(2)

    async def before(self, work: Awaitable[None]) -> bool:
        """Waits for the work, or for a signal: then the work is cancelled, and the answer is False."""
        working = asyncio.ensure_future(work)
        arriving = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait([working, arriving], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
                return True
            self._arrived.clear()
            return False
        finally:
            working.cancel()
            arriving.cancel()
            await asyncio.gather(working, arriving, return_exceptions=True)

    def arrive(self, number: int = signal.SIGTERM) -> None:
        """A signal came."""
        self._last.append((asyncio.get_running_loop().time(), number))
        if self._at_once(3):
            os._exit(128 + number)  # as a shell tells of a process that a signal has ended
        self._arrived.set()

    def _at_once(self, count: int) -> bool:
        times = [time for time, _ in self._last]
        return len(times) >= count and times[-1] - times[-count] < _SOON


# Windows has no SIGHUP; elsewhere it says that the terminal was closed.
_ENDING = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
