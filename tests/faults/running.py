"""Runs rows: side by side in as few worlds as the faults and the platforms' limits let them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from playground.openai.script import Script
from tests.e2e.world import World, world
from tests.faults.clock import clocks, worn
from tests.faults.outcome import doubled, outcome
from tests.faults.room import Answers, Room, Works
from tests.faults.row import Row, Scene, Seen, Where
from tests.faults.wire import Wire

_PATIENCE = 60.0  # seconds for what must happen at all
_REDELIVERED = (0.0, 6.0, 12.0)  # seconds; Slack waits for a minute, and for five, before it delivers again
_SOON = 20.0  # seconds for what follows at the end of a turn
_LEAVING = 1.0  # seconds: the last calls of a turn come after its end is stored
_CHANCE = {"turn.not_noted", "turn.not_stored"}  # of the log: whether the database was asked just then
_LOOK = 0.1  # seconds between two looks
_WORLDS = 24  # at a time
_TYPING = 0.3  # seconds between the questions of rows about that: the bot makes five such calls a second

_AGAIN = "and again"
_heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)


async def run(rows: Sequence[Row], folder: Path) -> dict[Row, Seen]:
    """What became of each row. `folder` is for the databases."""
    seen: dict[Row, Seen] = {}
    at_once = asyncio.Semaphore(_WORLDS)
    one_by_one = asyncio.Lock()

    async def play(together: Sequence[Row], name: str) -> None:
        async with at_once:
            seen.update(await _run_together(together, folder / f"{name}.db", one_by_one))

    with _listening(), clocks():
        async with asyncio.TaskGroup() as group:
            for number, together in enumerate(_batches([row for row in rows if not row.apart])):
                group.create_task(play(together, str(number)))
        for number, row in enumerate(row for row in rows if row.apart):
            await play([row], f"apart-{number}")
    return seen


def _batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Those that may share a world, in batches of which the first take longest."""
    batches: list[list[Row]] = []
    filling: dict[object, list[Row]] = {}
    for row in rows:
        key = (
            row.where,
            row.scene,
            row.api,
            row.announces,
            tuple(sorted(row.settings.items())),
            row if row.alone else None,
        )
        batch = filling.get(key)
        if batch is None or len(batch) == _most(row):
            batch = filling[key] = []
            batches.append(batch)
        batch.append(row)
    return sorted(batches, key=lambda batch: (max(row.seconds for row in batch), len(batch)), reverse=True)


def _most(row: Row) -> int:
    """How many of these one world bears without being short of calls, which would change what is seen."""
    if row.where is Where.DISCORD:
        return 40  # at 50 calls a second
    if row.scene is Scene.FILE:
        return 3  # each looks for its files several times, at 50 looks a minute in a workspace
    if row.where is Where.DIRECT or row.announces:
        return 4  # at 20 streams, and 50 statuses
    return 9  # at 50 edits


@dataclass
class Stage:
    """One world with what it has on record."""

    here: World
    answers: Answers
    log: list[logging.LogRecord]
    works: Works
    _turns: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    _looked: float = float("-inf")

    def turns(self) -> Mapping[int, tuple[str, str]]:
        """Room and status of every turn, as the database has it."""
        now = asyncio.get_running_loop().time()
        if now > self._looked + _LOOK:
            self._looked = now
            with sqlite3.connect(self.here.database) as database:
                rows = database.execute("SELECT id, room, status FROM turns").fetchall()
            database.close()
            self._turns = {id: (room, status) for id, room, status in rows}
        return self._turns

    def ended(self, room: Room, turns: int) -> bool:
        states = [status for at, status in self.turns().values() if at == room.id]
        return len(states) >= turns and not {"queued", "running"} & set(states)

    def untaken(self, room: Room) -> bool:
        """Its question was not taken, and the person was told so."""
        return not any(at == room.id for at, _ in self.turns().values()) and bool(room.messages())

    def logged(self, room: Room) -> tuple[str, ...]:
        """The warnings and errors about this room."""
        turns = {id for id, (at, _) in self.turns().items() if at == room.id}
        ours = {r.getMessage() for r in self.log if getattr(r, "turn", None) in turns and r.levelno >= logging.WARNING}
        return tuple(sorted(ours - _CHANCE))


async def _run_together(rows: Sequence[Row], database: Path, one_by_one: asyncio.Lock) -> dict[Row, Seen]:
    async with _stage(rows[0], database, one_by_one) as stage:

        async def play(number: int, row: Row) -> Seen:
            if row.announces:
                await asyncio.sleep(number * _TYPING)
            return await _play(row, stage, f"room-{number}")

        seen = await asyncio.gather(*(play(number, row) for number, row in enumerate(rows)))
    return dict(zip(rows, seen, strict=True))


@asynccontextmanager
async def _stage(row: Row, database: Path, one_by_one: asyncio.Lock) -> AsyncGenerator[Stage]:
    answers, log, works = Answers(), list[logging.LogRecord](), Works()
    openai = {
        "api": "responses" if row.api == "background" else row.api,
        "background": "on" if row.api == "background" else "off",
        "first_token_timeout": 3.0,
        "idle_timeout": 2.0,
        **row.settings,
    }
    bot = {"max_pages": 1} if row.scene is Scene.FILE else {}
    async with AsyncExitStack() as closing:
        here = await closing.enter_async_context(world(database.parent, openai=openai, bot=bot))
        playground = here.playground
        here.database, here.patience = database, _PATIENCE
        here.platforms = frozenset({"discord" if row.where is Where.DISCORD else "slack"})
        playground.openai.answer = answers.answer
        playground.slack.limits.redeliver_after = _REDELIVERED
        direct = playground.url
        if row.wired:
            works.wire = await closing.enter_async_context(Wire(direct))
            if row.wired == "model":
                openai["base_url"] = f"{works.wire.url}/openai/v1"
            else:
                playground.discord.url, playground.slack.url = f"{works.wire.url}/discord", f"{works.wire.url}/slack"
            if row.wired == "all":
                playground.url = works.wire.url
                openai["base_url"] = f"{direct}/openai/v1"
        async with one_by_one:  # Alembic and discord.py keep one state for all of a process while they start
            with _caught(works), _known(_heard, log), _known(worn, works.clock):  # by the bot's tasks alone
                await here.start()
        closing.push_async_callback(here.stop)  # before the wire goes
        yield Stage(here, answers, log, works)


T = TypeVar("T")


@contextmanager
def _known(variable: ContextVar[T | None], value: T) -> Generator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def _caught(works: Works) -> Generator[None]:
    """Keeps the connection that the bot makes to its database meanwhile."""

    def catch(connection: DBAPIConnection, _: object) -> None:
        works.connection = cast("sqlite3.Connection", connection)

    event.listen(Engine, "connect", catch)
    try:
        yield
    finally:
        event.remove(Engine, "connect", catch)


async def _play(row: Row, stage: Stage, name: str) -> Seen:
    """One row, from its question to the answer of the next one."""
    room = row.where.open(stage.here, stage.answers, name)
    room.stage = stage.works
    room.model_says(row.script)
    problems: list[str] = []

    async def must(what: str, condition: Callable[[], object], seconds: float = _PATIENCE) -> None:
        try:
            await _until(condition, seconds)
        except TimeoutError:
            problems.append(what)

    if row.scene is Scene.REMOVAL:
        question = room.ask("First?")
        await must("it was not answered before", lambda: stage.ended(room, 1))
        mend = row.breaks(room)
        room.delete(question)
        await must("nothing came of the removal", lambda: not room.messages() or stage.logged(room))
    else:
        mend = None if row.late else row.breaks(room)
        room.ask("First?")
        if mend is None:
            await must("nothing was shown", room.messages)
            mend = row.breaks(room)
        patience = _SOON if row.apart else _PATIENCE
        await must("its turn has not ended", lambda: stage.ended(room, 1) or stage.untaken(room), patience)
    if row.spoils:
        await must("the fault was not met", room.spoilt, _SOON)
        await asyncio.sleep(_LEAVING)
    mend()
    await asyncio.sleep(row.seconds)
    asked, spoilt = room.asked, room.spoilt()
    if not row.silent:
        await must("it looks as if the answer went on", lambda: not room.has_live(), _SOON)
        await must("it says that an answer is coming", lambda: not room.works(), _SOON)
    seen = outcome(row, room)
    log = stage.logged(room)
    problems += [f"doubled: {word}" for word in doubled(room)]
    if not (row.silent or seen.startswith("answered") or "“" in seen or row.scene is Scene.REMOVAL):
        problems.append("lost without a word")
    room.model_says(Script(_AGAIN))
    turns = sum(at == room.id for at, _ in stage.turns().values())
    room.ask("Second?")
    await must(
        "the next question was not answered", lambda: room.messages()[-1:] and room.messages()[-1].text == _AGAIN
    )
    await must("the next turn has not ended", lambda: stage.ended(room, turns + 1))
    return Seen(seen, asked, spoilt, log, tuple(problems))


async def _until(condition: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (any condition on the world's state, not one that could notify)
            await asyncio.sleep(_LOOK)


class _Hearing(logging.Handler):
    """Keeps what is logged in the world in whose context it is."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None and record.name.partition(".")[0] in {"bot", "adapters"}:
            heard.append(record)


class _listening:  # noqa: N801  (used as a function)
    def __enter__(self) -> None:
        self._handler = _Hearing()
        logging.getLogger().addHandler(self._handler)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
