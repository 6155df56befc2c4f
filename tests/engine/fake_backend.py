"""A model in memory: each question gets the next script, and every stream is remembered with the moment of its end.

A script is a list of what happens: a number is so many seconds of silence, an `asyncio.Event` is silence until it is
set, what the model says is yielded, an exception is raised.
A script that just ends is a stream that ends cleanly without its terminal event.

A `Lasting` answer goes on when nobody listens: it is taken up by its mark, and every stream of it breaks where it is
told to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from math import inf

from bot.core.model import Began, Delta, End, Ended, Ending, Event, Request
from bot.errors import BackendError

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


@dataclass
class Lasting:
    """An answer in pieces of which one is there every `every` seconds, whoever listens.

    `breaks`: after so many pieces, once each, the stream breaks with this error, or brings nothing more (None).
    """

    response: str
    text: str
    every: float = 0.0
    pieces: int = 1
    remote: str = "conv_1"
    breaks: dict[int, BaseException | None] = field(default_factory=dict[int, "BaseException | None"])
    began_at: float = 0.0

    def parts(self) -> list[str]:
        size = -(-len(self.text) // self.pieces)
        return [self.text[start : start + size] for start in range(0, len(self.text), size)]

    async def events(self, request: Request) -> AsyncIterator[Event]:
        loop = asyncio.get_running_loop()
        if request.mark is None:
            self.began_at = loop.time()
            yield Began(self.remote, self.response)
        start = int(request.mark.cursor or 0) if request.mark else 0
        parts = self.parts()
        assert request.mark is None or request.mark.text == "".join(parts[:start])
        for number in range(start, len(parts)):
            await self._meet_break(number)
            await asyncio.sleep(max(0.0, self.began_at + number * self.every - loop.time()))
            yield Delta(parts[number], str(number + 1))
        await self._meet_break(len(parts))
        yield COMPLETED

    async def _meet_break(self, number: int) -> None:
        if number in self.breaks:
            error = self.breaks.pop(number)
            if error is None:
                await asyncio.Event().wait()
            else:
                raise error


@dataclass(slots=True)
class Stream:
    """One request to the model."""

    request: Request
    opened_at: float
    closed_at: float | None = None
    said: str = ""


@dataclass
class FakeBackend:
    scripts: deque[Sequence[Step] | Lasting] = field(default_factory=deque["Sequence[Step] | Lasting"])
    lasting: dict[str, Lasting] = field(default_factory=dict[str, Lasting])  # begun, by response
    streams: list[Stream] = field(default_factory=list[Stream])
    on_opening: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    name: str = "responses"
    forgotten: list[str] = field(default_factory=list[str])
    cancelled: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    forget_fails: dict[str, deque[BaseException]] = field(default_factory=dict[str, deque[BaseException]])
    forget_takes: float = 0.05

    def script(self, *scripts: Sequence[Step] | Lasting) -> None:
        """What the next questions get, one after another; after that each gets `Well.`"""
        self.scripts.extend(scripts)

    def stream(self, request: Request) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._open(request)

    async def cancel(self, remote: str, response: str) -> None:
        await asyncio.sleep(self.forget_takes)
        self.cancelled.append((remote, response))

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
        steps = self._steps(request)
        try:
            if self.on_opening and (error := self.on_opening.popleft()):
                raise error
            yield self._events(stream, steps)
        finally:
            stream.closed_at = loop.time()

    def _steps(self, request: Request) -> Sequence[Step] | Lasting:
        if request.mark is None:
            steps = self.scripts.popleft() if self.scripts else says("Well.")
            if isinstance(steps, Lasting):
                self.lasting[steps.response] = steps
            return steps
        if going_on := self.lasting.get(request.mark.response):
            return going_on
        return [BackendError(Ending(End.UNFINISHED))]

    async def _events(self, stream: Stream, steps: Sequence[Step] | Lasting) -> AsyncIterator[Event]:
        if isinstance(steps, Lasting):
            async for event in steps.events(stream.request):
                stream.said += event.text if isinstance(event, Delta) else ""
                yield event
            return
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
