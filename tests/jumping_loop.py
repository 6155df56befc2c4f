"""An event loop whose time jumps: when nothing is ready, the clock goes on to the next timer at once.

`loop.time()`, `asyncio.sleep`, `asyncio.timeout` and `call_later` all see that clock, so three minutes take no time,
and a run is the same each time. Sockets and threads have no place on it: nobody waits for them. When nothing is ready
and nothing is scheduled, or when hours have passed, what is waited for will never happen: an error instead of a test
that hangs.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds that a turn of the loop takes. If it took none, what looks again "when the time has come" and finds itself a
# rounding error too early (aiolimiter does) would look for ever.
_TURN = 1e-9

_BEGIN = 1000.0
_END = _BEGIN + 4 * 3600


class JumpingLoop(asyncio.SelectorEventLoop):
    """Time begins at 1,000 s, so that a moment that was never set (0) is seen to be one."""

    def __init__(self) -> None:
        self._selector_that_jumps = _Selector()
        super().__init__(self._selector_that_jumps)

    def time(self) -> float:
        return self._selector_that_jumps.now


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs an async function on a loop of its own; for property tests, where each example needs a fresh one."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main())


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = _BEGIN

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing is ready and nothing is scheduled: this would wait for ever")
        if self.now > _END:
            self.now = _BEGIN  # so that what is left can be cleaned up
            raise RuntimeError("hours have passed on the clock that jumps: this goes on for ever")
        self.now += max(_TURN, timeout or 0.0) if not ready else _TURN
        return ready
