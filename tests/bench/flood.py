"""A flood: far more questions than the bot takes on, while the model says nothing.

Dispatcher, gate, relay and the SQLite database are the real ones; platform and model are those of the engine's tests,
so that what is measured is the bot's.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from resource import getpagesize
from tempfile import TemporaryDirectory

from adapters.database.open import open_store
from bot.config import BotSettings
from bot.core.line import Capacity
from bot.core.model import Channel, Status
from bot.dispatcher import Dispatcher
from bot.rules import Rules
from tests.bench.report import Report, Target
from tests.engine.fake_backend import SILENCE, FakeBackend, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import prompt

_CHANNELS = 200
_EACH = 25  # questions of each channel in one part
_PARTS = 4
_LOOK = 0.01  # seconds between two looks at tasks and memory


@dataclass(slots=True)
class _Peak:
    """What was seen since the last part."""

    tasks: int = 0
    memory: int = 0  # bytes
    late: float = 0.0  # seconds, of all parts


async def report() -> Report:
    with TemporaryDirectory(prefix="rivulet-flood-") as directory:
        return await _report(f"sqlite:///{Path(directory) / 'flood.db'}")


async def _report(url: str) -> Report:
    settings = BotSettings()
    capacity = Capacity(settings.max_waiting, settings.max_waiting_in_all, settings.max_running)
    store = await open_store(url)
    platform, backend = FakePlatform(), FakeBackend()
    backend.script(says("Well."), *[[SILENCE]] * 2 * _CHANNELS)
    dispatcher = Dispatcher(store, backend, [platform], Rules(capacity=capacity))
    await dispatcher.receive(prompt("first", room="first"))  # loads what the first question loads
    await dispatcher.quiet(Channel("discord", "first"))
    peak = _Peak()
    looking = asyncio.create_task(_look(peak))
    before = _memory()
    rows: list[list[str]] = []
    costs: list[float] = []
    grown: list[float] = []
    most_tasks = said_before = 0
    for part in range(_PARTS):
        peak.tasks = peak.memory = 0
        began, processor, own = time.monotonic(), time.process_time(), time.thread_time()
        async with asyncio.TaskGroup() as group:
            for channel in range(_CHANNELS):
                group.create_task(_ask(dispatcher, f"c{channel}", part))
        questions = _CHANNELS * _EACH
        took, cost, loop = (
            time.monotonic() - began,
            (time.process_time() - processor) / questions,
            (time.thread_time() - own) / questions,
        )
        costs.append(cost)
        grown.append(peak.memory - before)
        most_tasks = max(most_tasks, peak.tasks - _CHANNELS)
        said = len(platform.messages)
        rows.append(
            [
                f"questions {part * questions + 1:,} to {(part + 1) * questions:,}",
                *(f"{questions / took:,.0f}", _microseconds(cost), _microseconds(loop), str(said - said_before)),
                *(str(peak.tasks - _CHANNELS), f"{grown[-1] / 2**20:.1f}"),
            ]
        )
        said_before = said
    looking.cancel()
    found = Counter(turn.status for turn in await store.open_turns())
    began = time.monotonic()
    await dispatcher.drain(0)
    drained = time.monotonic() - began
    left = Counter(turn.status for turn in await store.open_turns())
    await store.close()
    refused = _CHANNELS * _EACH * (_PARTS - 1)
    return Report(
        title=f"flood: {_CHANNELS * _EACH * _PARTS:,} questions in {_CHANNELS} channels, and a model that says nothing",
        method=f"Each channel asks its next question when the last one is stored. Limits: {capacity.running} running, "
        f"{capacity.waiting} waiting in a channel, {capacity.waiting_in_all} in all;\n"
        f"{found[Status.RUNNING]} ran and {found[Status.QUEUED]} waited at the end, the others were refused. Processor "
        "time in µs for a question: all threads, and the event loop's alone.\n"
        "Told: refusals that people saw. Tasks: the most at once, without the channels' own. MiB: the most that the "
        "process was larger than before\n"
        f"the flood. Draining took {drained:.1f} s and left {left[Status.QUEUED]} questions to the next start.",
        columns=("", "questions/s", "µs", "µs loop", "told", "tasks", "MiB"),
        rows=rows,
        late=peak.late,
        targets=[
            Target("processor time for a refused question", 1000 * max(costs[1:]), 2.0, " ms"),
            Target("tasks at once", most_tasks, 5 * capacity.running + 20, ""),
            Target("memory for a refused question, after the first part", (grown[-1] - grown[0]) / refused, 100, " B"),
            Target("questions lost by draining", found[Status.QUEUED] - left[Status.QUEUED], 0, ""),
        ],
    )


async def _ask(dispatcher: Dispatcher, room: str, part: int) -> None:
    for number in range(_EACH):
        await dispatcher.receive(prompt(f"{room}-{part}-{number}", "Why? " * 100, room=room))


async def _look(peak: _Peak) -> None:
    while True:
        due = time.monotonic() + _LOOK
        await asyncio.sleep(_LOOK)
        peak.late = max(peak.late, time.monotonic() - due)
        peak.tasks = max(peak.tasks, len(asyncio.all_tasks()) - 2)  # without this one and the one that measures
        peak.memory = max(peak.memory, _memory())


def _memory() -> int:
    """Bytes of this process that lie in memory. Raises RuntimeError where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * getpagesize()
    except OSError as error:
        raise RuntimeError(f"this needs Linux's /proc: {error}") from error


def _microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:,.0f}"
