"""SIGTERM, SIGHUP and Ctrl-C, waited for like anything else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable

_TOO_MANY = 5  # signals within two seconds: somebody hammers on the keys because something hangs


class Signals:
    """Takes the signals that end a program from now on, so that nothing is torn down in the middle.

    None is lost: one that comes while nobody waits ends the next `before` at once. Five within two seconds end the
    process on the spot, whatever it is waiting for.
    """

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._times: deque[float] = deque(maxlen=_TOO_MANY)
        self._last: int = signal.SIGTERM
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                loop.add_signal_handler(number, self.arrive, number)

    @property
    def ctrl_c(self) -> bool:
        """Whether the last one was Ctrl-C, which may be about what is going on, and not about the whole program."""
        return self._last == signal.SIGINT

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
        self._last = number
        self._times.append(asyncio.get_running_loop().time())
        if len(self._times) == _TOO_MANY and self._times[-1] - self._times[0] < 2.0:
            os._exit(128 + number)  # as a shell tells of a process that a signal has ended
        self._arrived.set()


# Windows has no SIGHUP; elsewhere it says that the terminal was closed.
_ENDING = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
