"""How long to wait before trying again what keeps ending."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Backoff:
    """Waits of 1, 2, 4 ... `most` seconds between attempts that follow close on each other, after `free` without any.

    An attempt that comes later than twice `most` after the one before it starts anew: what was begun then, held.
    """

    free: int
    most: float  # seconds
    _close: int = 0
    _last: float = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds to wait before the attempt that is due at `now`."""
        self._close = self._close + 1 if now - self._last <= 2 * self.most else 0
        late = self._close - self.free
        pause = min(self.most, 2.0 ** min(late, 30)) if late >= 0 else 0.0
        self._last = now + pause
        return pause
