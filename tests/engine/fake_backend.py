"""A model in memory: each question gets the next script, and every stream is remembered with the moment of its end.

A script is a list of what happens: a number is so many seconds of silence, an `asyncio.Event` is silence until it is
set, what the model says is yielded, an exception is raised.
A script that just ends is a stream that ends cleanly without its terminal event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from math import inf

from bot.core.model import Delta, End, Ended, Ending, Event, Request

Step = float | asyncio.Event | Event | BaseException
COMPLETED = Ended(Ending(End.COMPLETED))
SILENCE = inf  # for ever


def says(text: str, *, seconds: float = 0.0, pieces: int = 1, first: float = 0.0) -> list[Step]:
    """An answer that begins after `first` seconds, takes `seconds`, and comes in so many pieces."""
    size = -(-len(text) // pieces)
    steps: list[Step] = [first]
    for start in range(0, len(text), size):
        if start:
            steps.append(seconds / max(1, pieces - 1))
        steps.append(Delta(text[start : start + size]))
    return [*steps, COMPLETED]


@dataclass(slots=True)
class Stream:
    """One request to the model."""

    request: Request
    opened_at: float
    closed_at: float | None = None
    said: str = ""


@dataclass
class FakeBackend:
    scripts: deque[Sequence[Step]] = field(default_factory=deque[Sequence[Step]])
    streams: list[Stream] = field(default_factory=list[Stream])
    on_opening: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    name: str = "responses"
    forgotten: list[str] = field(default_factory=list[str])
    forget_fails: dict[str, deque[BaseException]] = field(default_factory=dict[str, deque[BaseException]])
    forget_takes: float = 0.05

    def script(self, *scripts: Sequence[Step]) -> None:
        """What the next questions get, one after another; after that each gets `Well.`"""
        self.scripts.extend(scripts)

    def stream(self, request: Request) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._open(request)

    async def forget(self, remote: str) -> None:
        await asyncio.sleep(self.forget_takes)
        if faults := self.forget_fails.get(remote):
            raise faults.popleft()
        self.forgotten.append(remote)

    async def leave_nothing(self) -> None:
        """There is nothing."""

    async def probe(self) -> None:
        """It is always there."""

    async def close(self) -> None:
        """Nothing is kept open."""

    @asynccontextmanager
    async def _open(self, request: Request) -> AsyncGenerator[AsyncIterator[Event]]:
        loop = asyncio.get_running_loop()
        stream = Stream(request, loop.time())
        self.streams.append(stream)
        steps = self.scripts.popleft() if self.scripts else says("Well.")
        try:
            if self.on_opening and (error := self.on_opening.popleft()):
                raise error
            yield self._events(stream, steps)
        finally:
            stream.closed_at = loop.time()

    async def _events(self, stream: Stream, steps: Sequence[Step]) -> AsyncIterator[Event]:
        for step in steps:
            match step:
                case int() | float():
                    await (asyncio.sleep(step) if step < inf else asyncio.Event().wait())
                case asyncio.Event():
                    await step.wait()
                case BaseException():
                    raise step
                case Delta(text):
                    stream.said += text
                    yield step
                case _:
                    yield step
