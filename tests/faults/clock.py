"""The wall clock of each bot in this process: `time.time`, as the code that runs in the bot's context reads it."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Clock:
    ahead: float = 0.0  # seconds


worn: ContextVar[Clock | None] = ContextVar("worn", default=None)


@contextmanager
def clocks() -> Generator[None]:
    """While it lasts, `time.time` asks whose clock it is. The event loop's clock is another, and does not jump."""
    real = time.time

    def now() -> float:
        clock = worn.get()
        return real() + (clock.ahead if clock else 0.0)

    time.time = now
    try:
        yield
    finally:
        time.time = real
