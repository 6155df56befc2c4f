"""Answers in the background: how much later they begin, what `auto` makes of it, and how soon one goes on after a cut.

Measured at the backend, against stand-ins that begin background responses later by a given time. No platform takes
part.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from aiohttp import web

from adapters.openai.background import WORTH, Setting
from adapters.openai.client import open_client
from adapters.openai.responses import ResponsesBackend
from bot.core.model import Began, Delta, Mark, Request
from bot.errors import BackendError
from playground.openai.faults import Cut
from playground.openai.script import Script
from playground.openai.server import OpenAIStandIn
from tests.bench.deltas import watching
from tests.bench.report import Report, Target, ratio, seconds

_LATER = [0.0, 0.25, WORTH - 0.1, WORTH + 0.1, 1.0]  # seconds by which a background response begins later
_FIRST_TOKEN = 0.4  # seconds
_SPEED = 60.0  # tokens a second
_TRIES, _CHOICES = 6, 16  # answers in which `auto` tries both ways, and those that it then decides about
_CUTS = 5
_LONG, _CUT_AFTER = "word " * 90, 60  # pieces: a second of text is there when it is cut


@dataclass
class _Row:
    """At one delay: seconds to the first text, how `auto` chose, and seconds lost by a cut in either way."""

    later: float
    begins: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    chosen: list[bool] = field(default_factory=list[bool])
    taken_up: list[float] = field(default_factory=list[float])
    asked_anew: list[float] = field(default_factory=list[float])

    @property
    def cut(self) -> float:
        return median(self.taken_up) / median(self.asked_anew)

    def cells(self) -> list[str]:
        there, here = median(self.begins[True]), median(self.begins[False])
        decision = f"{sum(self.chosen)} of {len(self.chosen)}"
        lost = (seconds(median(self.taken_up)), seconds(median(self.asked_anew)), f"{self.cut:.3f}")
        return [f"{self.later:g} s later", seconds(here), seconds(there), ratio(there / here), decision, *lost]


async def report() -> Report:
    async with watching() as lates:
        rows = await asyncio.gather(*map(_measure, _LATER))
    right = sum(sum(row.chosen) > _CHOICES / 2 for row in rows if row.later < WORTH)
    right += sum(sum(row.chosen) < _CHOICES / 2 for row in rows if row.later > WORTH)
    return Report(
        title="background: answers of the Responses API that outlive their stream",
        method=f"The model begins after {_FIRST_TOKEN} s, in the background later by what the first column says; "
        f"{_SPEED:g} tokens a second. Medians, in seconds.\n"
        f"First text: as the backend yields it. auto: how many of the {_CHOICES} answers after the first {_TRIES} are "
        f"asked for in the background, which\nis worth {WORTH} s to it. After a cut, {_CUT_AFTER} tokens into an "
        "answer: until the next text where it is taken up, and until all is there again\nwhere it is asked anew.",
        columns=("", "first text", "in the background", "ratio", "auto", "taken up", "anew", "ratio"),
        rows=[row.cells() for row in rows],
        late=max(lates),
        targets=[
            Target("delays at which auto decides wrongly", len(rows) - right, 0, ""),
            Target("taken up after a cut, of the time to ask anew", max(row.cut for row in rows), 0.1, ""),
        ],
    )


async def _measure(later: float) -> _Row:
    row = _Row(later)
    async with _serving(later) as (server, url):
        auto = _backend(server, url, "auto")
        for number in range(_TRIES + _CHOICES):
            server.script("A short answer.")
            background, first = await _first_text(auto)
            row.begins[background].append(first)
            if number >= _TRIES:
                row.chosen.append(background)
        on, off = _backend(server, url, "on"), _backend(server, url, "off")
        for _ in range(_CUTS):
            row.taken_up.append(await _taken_up(server, on))
            row.asked_anew.append(await _asked_anew(server, off))
        for backend in (auto, on, off):
            await backend.close()
    return row


@asynccontextmanager
async def _serving(later: float) -> AsyncGenerator[tuple[OpenAIStandIn, str]]:
    server = OpenAIStandIn(tokens_per_second=_SPEED, first_token=_FIRST_TOKEN, background_delay=later)
    app = web.Application()
    server.mount(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield server, f"http://127.0.0.1:{runner.addresses[0][1]}/openai/v1"
    finally:
        await server.close()
        await runner.cleanup()


def _backend(server: OpenAIStandIn, url: str, background: Setting) -> ResponsesBackend:
    client = open_client(api_key=server.api_key, base_url=url)
    return ResponsesBackend(client, model=server.models[0], instructions="", background=background)


async def _first_text(backend: ResponsesBackend) -> tuple[bool, float]:
    """Whether it was a background answer, and the seconds to its first text. A conversation is made before."""
    background, at, first = False, time.monotonic(), 0.0
    async with backend.stream(Request("Hello")) as events:
        async for event in events:
            match event:
                case Began(response=response):
                    background = bool(response)
                case Delta() if not first:
                    first = time.monotonic() - at
                case _:
                    pass
    return background, first


async def _taken_up(server: OpenAIStandIn, backend: ResponsesBackend) -> float:
    """Seconds from the cut to the next text."""
    server.script(Script(_LONG, fault=Cut(_CUT_AFTER)))
    mark = Mark("")
    try:
        async with backend.stream(Request("Hello")) as events:
            async for event in events:
                match event:
                    case Began(response=response):
                        mark = Mark(response)
                    case Delta(text, cursor):
                        mark = Mark(mark.response, cursor, mark.text + text)
                    case _:
                        pass
    except BackendError as error:
        if not error.broken:
            raise RuntimeError("the cut ended the answer") from error
    cut_at = server.streams[-1].finished_at or 0.0
    async with backend.stream(Request("Hello", mark=mark)) as events:
        async for event in events:
            if isinstance(event, Delta):
                return time.monotonic() - cut_at
    raise RuntimeError("nothing came after the cut")


async def _asked_anew(server: OpenAIStandIn, backend: ResponsesBackend) -> float:
    """Seconds from the question that is asked once more to the text that the first answer had when it was cut."""
    server.script(Script(_LONG))
    at, deltas = time.monotonic(), 0
    async with backend.stream(Request("Hello")) as events:
        async for event in events:
            deltas += isinstance(event, Delta)
            if deltas > _CUT_AFTER:
                return time.monotonic() - at
    raise RuntimeError("the answer was too short")
