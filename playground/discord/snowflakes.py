"""Discord's ids: 64 bits, sortable by time, written as text in JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass

_EPOCH = 1_420_070_400_000  # ms: the first of January 2015, where Discord's time begins
_TIME_SHIFT = 22  # the lower bits are worker, process and a counter


def created(id: str) -> float:
    """When an id was made: seconds since 1970."""
    return ((int(id) >> _TIME_SHIFT) + _EPOCH) / 1000


@dataclass
class Snowflakes:
    """Makes ids, each greater than the one before it, except those of earlier moments."""

    _last: int = 0
    _earlier: int = 0

    def new(self) -> str:
        self._last = max(self._last + 1, _lowest(time.time()))
        return str(self._last)

    def earlier(self, ago: float) -> str:
        """One of so many seconds ago."""
        self._earlier += 1
        return str(_lowest(time.time() - ago) + self._earlier)


def _lowest(at: float) -> int:
    return (int(at * 1000) - _EPOCH) << _TIME_SHIFT
