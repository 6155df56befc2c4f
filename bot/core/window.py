"""What one limit allows: `calls` calls in any `seconds` seconds, never exceeded in either of two ways of counting.

- Where answers carry headers, they say how many calls are left and when all come back. A call that is under way counts
  until its answer has been read.
- Elsewhere a call counts from the moment it is granted until `seconds` after its answer was read. Whenever in between
  the platform counted it, no window of the platform's can hold more than `calls`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf

from bot.core.pacing import Limit, Quota

_MOST_STRIKES = 4  # the longest that a refused window stays small is 128 times its length


@dataclass(slots=True)
class Window:
    """The calls of one limit."""

    limit: Limit
    _under_way: int = 0
    _finished: deque[float] = field(default_factory=deque[float])  # when answers without headers were read
    _left: int = 0
    _reset_at: float | None = None  # from headers; None where there are none
    _closed_until: float = -inf
    _most: int = 0  # calls that are risked until `_most_until`, since so many were refused
    _most_until: float = -inf
    _strikes: int = 0  # refusals that came too soon one after the other
    _forgiven_at: float = -inf

    def available(self, now: float) -> int:
        """How many calls may be made now."""
        if now < self._closed_until:
            return 0
        if self._reset_at is not None:
            left = self._left if now < self._reset_at else self.limit.calls
        else:
            self._forget(now)
            left = self.limit.calls - len(self._finished)
        return left - self._under_way - (self.limit.calls - self._allowed(now))

    def refill_at(self, now: float) -> float:
        """When permits come back; infinity where that depends on a call that is under way."""
        if now < self._closed_until:
            return self._closed_until
        if self._reset_at is not None:
            return self._reset_at if now < self._reset_at else inf
        return self.next_back(now)

    def next_back(self, now: float) -> float:
        """When the first of the calls that are counted here comes back; infinity where none is, or headers count."""
        self._forget(now)
        return self._finished[0] + self.limit.seconds if self._finished else inf

    def back_before(self, then: float) -> int:
        """How many of the calls that are counted here come back until then."""
        return sum(finished + self.limit.seconds < then for finished in self._finished)

    def spent(self, now: float) -> bool:
        """Whether it is as good as a new one, which headers tell again what they have told of this one."""
        self._forget(now)
        return not (self._under_way or self._finished) and now >= max(self._forgiven_at, self._reset_at or -inf)

    def take(self) -> None:
        self._under_way += 1

    def give_back(self) -> None:
        self._under_way -= 1

    def settle(self, now: float, quota: Quota | None) -> None:
        """A call was answered."""
        self._under_way -= 1
        if quota is None:
            if self._reset_at is None:
                self._finished.append(now)
            elif now < self._reset_at:
                self._left -= 1
            return
        self._finished.clear()
        self.limit = Limit(self.limit.key, max(1, quota.calls), self.limit.seconds)
        reset_at = now + quota.reset_after
        same_window = self._reset_at is not None and now < self._reset_at
        self._left = min(self._left, quota.left) if same_window else quota.left
        self._reset_at = max(self._reset_at or 0.0, reset_at) if same_window else reset_at

    def refuse(self, now: float, retry_after: float) -> None:
        """A call was refused: none for `retry_after` seconds, and for a while no more than were let through.

        The documents' figure is tried again after two windows, since others may have used up the last one (the process
        before this one, for instance); after eight if that was refused as well, and so on. Never less than half of what
        was risked before: not every refusal tells how many calls there are.
        """
        allowed = self._allowed(now)
        counted = allowed if self._reset_at is not None else self._under_way + len(self._finished)
        self._under_way -= 1
        self._closed_until = max(self._closed_until, now + retry_after)
        self._most = max(1, min(allowed, counted) - 1, allowed // 2)
        self._strikes = min(self._strikes + 1, _MOST_STRIKES) if now < self._forgiven_at else 1
        lasts = 2 * 4 ** (self._strikes - 1) * self.limit.seconds
        self._most_until = self._closed_until + lasts
        self._forgiven_at = self._most_until + lasts

    def _allowed(self, now: float) -> int:
        return min(self.limit.calls, self._most) if now < self._most_until else self.limit.calls

    def _forget(self, now: float) -> None:
        while self._finished and self._finished[0] + self.limit.seconds <= now:
            self._finished.popleft()
