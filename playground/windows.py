"""Fixed windows, counted as the chat services count them: the first call opens one, and it ends `seconds` later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Count:
    """The outcome of one call against one window."""

    allowed: bool
    calls: int
    left: int
    reset_after: float  # seconds


@dataclass
class Windows:
    """Counts calls by key."""

    now: Callable[[], float] = time.monotonic
    _open: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])

    def count(self, key: str, calls: int, seconds: float) -> Count:
        """Counts one call; a refused one does not use anything up."""
        now = self.now()
        end, used = self._open.get(key, (0.0, 0))
        if now >= end:
            end, used = now + seconds, 0
        if used >= calls:
            return Count(False, calls, 0, end - now)
        self._open[key] = (end, used + 1)
        return Count(True, calls, calls - used - 1, end - now)
