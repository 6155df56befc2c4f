"""What a delta costs: from the socket through a backend into a `Reply`, beside the SDK's typed iteration.

The server is another process. Time is what this process spends on its processor, so that neither waiting for the
server nor other programs count; it has one thread that does anything.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from statistics import median

from openai import AsyncOpenAI

from adapters.openai import open_backend
from bot.core.dialects import DISCORD
from bot.core.model import Delta, Request
from bot.core.reply import Reply
from tests.bench.replay import A_SECOND, Pace, replay
from tests.bench.report import Report, Target, ratio

_DELTAS = 15_000  # of one measured stream: a tenth of a second to three seconds
_STREAMS = (20, 100, 300)
_SETTLE = 1.5  # seconds for all streams to begin
_TIMER = 0.01  # seconds
_WINDOW = 5.0  # seconds that are measured then
_MOST = {"responses": 1 / 4, "assistants": 1 / 3, "chat": 1 / 4}  # of the typed iteration's time
_PACES: dict[Pace, str] = {"each": "one by one", "batched": "by hundreds"}

Read = Callable[[Reply], Coroutine[None, None, None]]  # asks, and reads one stream into a reply
Open = Callable[[str], AbstractAsyncContextManager[Read]]  # a client of the API at an address


async def report() -> Report:
    """One stream that comes as fast as it is read."""
    rows: list[list[str]] = []
    targets: list[Target] = []
    async with replay() as server, watching() as lates:
        for api, most in _MOST.items():
            for pace, how in _PACES.items():
                ours = await _cost(_ours(api), server, pace)
                typed = await _cost(_typed(api), server, pace)
                rows.append(
                    [
                        f"{api}, written {how}",
                        *(f"{1 / ours:,.0f}", _microseconds(ours)),
                        *(f"{1 / typed:,.0f}", _microseconds(typed), ratio(typed / ours)),
                    ]
                )
                targets.append(Target(f"{api}, written {how}, of the typed iteration's time", ours / typed, most, ""))
    return Report(
        title="deltas: from the socket into the reply, one stream as fast as it can be read",
        method=f"Deltas for each second of processor time, {_DELTAS} in a stream; typed: the SDK's own iteration, with "
        "its own defaults.",
        columns=("", "deltas/s", "µs", "typed deltas/s", "µs", "ratio"),
        rows=rows,
        late=max(lates),
        targets=targets,
    )


async def paced() -> Report:
    """Many streams at a model's pace."""
    rows: list[list[str]] = []
    targets: list[Target] = []
    worst = 0.0
    async with replay() as server:
        for streams in _STREAMS:
            ours = await _share(_ours("responses"), server, streams)
            typed = await _share(_typed("responses"), server, streams)
            rows.append(
                [f"{streams} streams", *ours.cells(), *typed.cells(), ratio(typed.each / ours.each)],
            )
            worst = ours.late
            targets.append(Target(f"{streams} streams, deltas that were not read", ours.unread(streams), 0.01, ""))
    return Report(
        title=f"paced: streams of the Responses API, {A_SECOND} deltas a second each",
        method=f"Share of one core's time in {_WINDOW:g} s, after {_SETTLE:g} s in which all begin; typed as in "
        "`deltas`. Late: a timer of 10 ms in the same\nevent loop, its median and at worst.",
        columns=(
            *("", "core", "deltas/s", "µs", "late ms", "worst ms"),
            *("typed core", "deltas/s", "µs", "late ms", "worst ms", "ratio of µs"),
        ),
        rows=rows,
        late=worst,
        targets=targets,
    )


class _Shared:
    """What many streams took."""

    def __init__(self, deltas: int, processor: float, seconds: float, lates: list[float]) -> None:
        self.each = processor / deltas
        self.late = max(lates)
        self._rate = deltas / seconds
        self._core = processor / seconds
        self._lates = lates

    def unread(self, streams: int) -> float:
        """The share of what came that was left to be read later."""
        return max(0.0, 1 - self._rate / (streams * A_SECOND))

    def cells(self) -> list[str]:
        late, worst = 1000 * median(self._lates), 1000 * self.late
        return [
            *(f"{self._core:.0%}", f"{self._rate:,.0f}", _microseconds(self.each)),
            *(f"{late:.0f}", f"{worst:.0f}"),
        ]


async def _cost(source: Open, server: str, pace: Pace) -> float:
    """Seconds of processor time for one delta."""
    async with source(f"{server}/batched/100/v1") as read:
        await read(Reply(DISCORD))  # loads and builds whatever the first one does
    async with source(f"{server}/{pace}/{_DELTAS}/v1") as read:
        reply = _Counting(DISCORD)
        begin = time.process_time()
        await read(reply)
        spent = time.process_time() - begin
    if reply.deltas < _DELTAS:
        raise RuntimeError(f"of {_DELTAS} deltas {reply.deltas} arrived")
    return spent / _DELTAS


async def _share(source: Open, server: str, streams: int) -> _Shared:
    replies = [_Counting(DISCORD) for _ in range(streams)]
    async with source(f"{server}/paced/{60 * A_SECOND}/v1") as read:  # longer than anybody reads
        reading = [asyncio.ensure_future(read(reply)) for reply in replies]
        try:
            await asyncio.sleep(_SETTLE)
            before, began, processor = sum(reply.deltas for reply in replies), time.monotonic(), time.process_time()
            async with watching() as lates:
                await asyncio.sleep(_WINDOW)
            spent, seconds = time.process_time() - processor, time.monotonic() - began
        finally:
            for task in reading:
                task.cancel()
            ended = await asyncio.gather(*reading, return_exceptions=True)
    if early := [end for end in ended if not isinstance(end, asyncio.CancelledError)]:
        raise RuntimeError(f"{len(early)} streams ended early, the first with {early[0]!r}")
    return _Shared(sum(reply.deltas for reply in replies) - before, spent, seconds, lates)


@asynccontextmanager
async def watching() -> AsyncGenerator[list[float]]:
    """By how many seconds a timer of this event loop was late, each time."""
    lates: list[float] = []
    due = time.monotonic() + _TIMER

    async def watch() -> None:
        nonlocal due
        while True:
            await asyncio.sleep(_TIMER)
            lates.append(time.monotonic() - due)
            due = time.monotonic() + _TIMER

    task = asyncio.create_task(watch())
    try:
        yield lates
    finally:
        task.cancel()
        lates.append(max(0.0, time.monotonic() - due))  # one that is still waiting


class _Counting(Reply):
    deltas = 0

    def feed(self, text: str, now: float) -> None:
        self.deltas += 1
        super().feed(text, now)


def _ours(api: str) -> Open:
    """Through a backend, as the bot reads it."""

    @asynccontextmanager
    async def opened(address: str) -> AsyncGenerator[Read]:
        backend = open_backend(api, api_key="key", base_url=address, model="m", instructions="", notebook=_Notebook())
        now = asyncio.get_running_loop().time

        async def read(reply: Reply) -> None:
            async with backend.stream(Request("Hello")) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        reply.feed(event.text, now())

        yield read
        await backend.close()

    return opened


def _typed(api: str) -> Open:
    """Through the SDK's typed methods, with its own defaults."""

    @asynccontextmanager
    async def opened(address: str) -> AsyncGenerator[Read]:
        now = asyncio.get_running_loop().time
        async with AsyncOpenAI(api_key="key", base_url=address) as client:

            async def responses(reply: Reply) -> None:
                async with await client.responses.create(model="m", input="Hello", stream=True) as events:
                    async for event in events:
                        if event.type == "response.output_text.delta":
                            reply.feed(event.delta, now())

            async def assistants(reply: Reply) -> None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    run = client.beta.threads.runs.create("thread", assistant_id="assistant", stream=True)  # pyright: ignore[reportDeprecated] -- it is what is measured
                async with await run as events:
                    async for event in events:
                        if event.event == "thread.message.delta":
                            for part in event.data.delta.content or []:
                                if part.type == "text" and part.text and part.text.value:
                                    reply.feed(part.text.value, now())

            async def chat(reply: Reply) -> None:
                async with await client.chat.completions.create(model="m", messages=[], stream=True) as chunks:
                    async for chunk in chunks:
                        if chunk.choices and (text := chunk.choices[0].delta.content):
                            reply.feed(text, now())

            yield {"responses": responses, "assistants": assistants, "chat": chat}[api]

    return opened


class _Notebook:
    """Forgets at once."""

    async def read(self, name: str) -> str | None:
        return None

    async def write(self, name: str, text: str | None) -> None:
        pass


def _microseconds(value: float) -> str:
    return f"{1e6 * value:.1f}"
