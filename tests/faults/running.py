"""Runs rows: side by side in as few worlds as the faults and the platforms' limits let them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from adapters.slack.untaken import LATER
from playground.openai.script import Script
from tests.e2e.world import World, world
from tests.faults.clock import clocks, worn
from tests.faults.outcome import doubled, outcome
from tests.faults.room import Answers, Room, Works
from tests.faults.row import Mend, Row, Scene, Seen, Where
from tests.faults.wire import Wire

_PATIENCE = 60.0  # seconds for what must happen at all
_REDELIVERED = (0.0, 6.0, 12.0)  # seconds; Slack waits for a minute, and for five, before it delivers again
_SOON = 20.0  # seconds for what follows at the end of a turn
_LEAVING = 1.0  # seconds: the last calls of a turn come after its end is stored
_CHANCE = {"turn.not_noted", "turn.not_stored"}  # of the log: whether the database was asked just then
_LOOK = 0.1  # seconds between two looks
_WORLDS = 32  # at a time
_UNANSWERED = 20.0  # seconds: about as long as it takes until a call without an answer is made up for
_BETWEEN = 0.05  # seconds between the questions of a world, so that not all come in one turn of the loop
_TYPING = 0.3  # seconds between the questions of rows about that: the bot makes five such calls a second

_AGAIN = "and again"
_heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)


async def run(rows: Sequence[Row], folder: Path) -> dict[Row, Seen]:
    """What became of each row. `folder` is for the databases."""
    seen: dict[Row, Seen] = {}
    at_once = asyncio.Semaphore(_WORLDS)

    async def play(together: Sequence[Row], name: str) -> None:
        async with at_once:
            seen.update(await _run_together(together, folder / f"{name}.db", process))

    with _listening(), clocks(), _connections() as connections:
        process = _Process(connections)
        async with asyncio.TaskGroup() as group:
            for number, together in enumerate(_batches(rows)):
                group.create_task(play(together, str(number)))
    return seen


@dataclass
class _Process:
    """What all worlds share."""

    connections: Mapping[str, sqlite3.Connection]  # of the bots, by the files of their databases
    # for whoever sets the gateway's address, of which discord.py keeps one, until nobody needs it any more
    gateway: asyncio.Lock = field(default_factory=asyncio.Lock)


def _batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Those that may share a world, in the order in which they are to begin.

    What takes longest begins first, but Discord before Slack: behind the rows that go `apart` no world of Discord
    can begin until they have ended.
    """
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
    return sorted(batches, key=_turn)


def _turn(batch: Sequence[Row]) -> tuple[bool, bool, bool, float, int]:
    first = batch[0]
    uploads = first.where is not Where.DISCORD and first.scene is Scene.FILE  # looked for again and again
    longest = max(_UNANSWERED if "no answer" in row.fault else row.seconds for row in batch)
    return not uploads, first.where is not Where.DISCORD, first.apart, -longest, -len(batch)


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
    database: sqlite3.Connection  # the bot's is another
    _turns: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    _looked: float = float("-inf")

    def turns(self, *, fresh: bool = False) -> Mapping[int, tuple[str, str]]:
        """Room and status of every turn, as the database has it, or just had it."""
        now = asyncio.get_running_loop().time()
        if fresh or now > self._looked + _LOOK:
            self._looked = now
            rows = self.database.execute("SELECT id, room, status FROM turns").fetchall()
            self._turns = {id: (room, status) for id, room, status in rows}
        return self._turns

    def ended(self, room: Room, turns: int) -> bool:
        states = [status for at, status in self.turns().values() if at == room.id]
        return len(states) >= turns and not {"queued", "running"} & set(states)

    def untaken(self, room: Room) -> bool:
        """Its question was not taken, and the person was told so for good."""
        told = any(LATER not in moment.text for moment in room.messages())
        return told and not any(at == room.id for at, _ in self.turns(fresh=True).values())

    def logged(self, room: Room) -> tuple[str, ...]:
        """The warnings and errors about this room."""
        turns = {id for id, (at, _) in self.turns(fresh=True).items() if at == room.id}
        ours = {r.getMessage() for r in self.log if getattr(r, "turn", None) in turns and r.levelno >= logging.WARNING}
        return tuple(sorted(ours - _CHANCE))


async def _run_together(rows: Sequence[Row], database: Path, process: _Process) -> dict[Row, Seen]:
    async with _stage(rows[0], database, process) as stage:

        async def play(number: int, row: Row) -> Seen:
            await asyncio.sleep(number * (_TYPING if row.announces else _BETWEEN))
            return await _play(row, stage, f"room-{number}")

        seen = await asyncio.gather(*(play(number, row) for number, row in enumerate(rows)))
    return dict(zip(rows, seen, strict=True))


@asynccontextmanager
async def _stage(row: Row, database: Path, process: _Process) -> AsyncGenerator[Stage]:
    answers, log, works = Answers(), list[logging.LogRecord](), Works()
    openai = {
        "api": "responses" if row.api == "background" else row.api,
        "background": "on" if row.api == "background" else "off",
        "first_token_timeout": 6.0,
        "idle_timeout": 4.0,
        **row.settings,
    }
    bot = {"max_pages": 1} if row.scene is Scene.FILE else {}
    async with AsyncExitStack() as ending, AsyncExitStack() as starting:
        here = await ending.enter_async_context(world(database.parent, openai=openai, bot=bot))
        playground = here.playground
        here.database, here.patience = database, _PATIENCE
        here.platforms = frozenset({"discord" if row.where is Where.DISCORD else "slack"})
        playground.openai.answer = answers.answer
        playground.slack.limits.redeliver_after = _REDELIVERED
        direct = playground.url
        if row.wired:
            works.wire = await ending.enter_async_context(Wire(direct))
            if row.wired == "model":
                openai["base_url"] = f"{works.wire.url}/openai/v1"
            else:
                playground.discord.url, playground.slack.url = f"{works.wire.url}/discord", f"{works.wire.url}/slack"
            if row.wired == "all":
                playground.url = works.wire.url
                openai["base_url"] = f"{direct}/openai/v1"
        if row.where is Where.DISCORD:
            await (ending if row.apart else starting).enter_async_context(process.gateway)
        with _known(_heard, log), _known(worn, works.clock):  # by the bot's tasks alone
            await here.start()
        await starting.aclose()
        works.connection = process.connections.get(str(database))
        ending.push_async_callback(here.stop)  # before the wire goes
        yield Stage(here, answers, log, works, ending.enter_context(closing(sqlite3.connect(database))))


T = TypeVar("T")


@contextmanager
def _known(variable: ContextVar[T | None], value: T) -> Generator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def _connections() -> Generator[dict[str, sqlite3.Connection]]:
    """The newest that was made meanwhile to each SQLite file."""
    newest: dict[str, sqlite3.Connection] = {}

    def made(connection: DBAPIConnection, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            [(file,)] = connection.execute("SELECT file FROM pragma_database_list").fetchall()
            newest[file] = connection

    event.listen(Engine, "connect", made)
    try:
        yield newest
    finally:
        event.remove(Engine, "connect", made)


async def _play(row: Row, stage: Stage, name: str) -> Seen:
    """One row, from its question to the answer of the next one."""
    loop = asyncio.get_running_loop()
    room = row.where.open(stage.here, stage.answers, name)
    room.stage = stage.works
    room.model_says(row.script)
    problems: list[str] = []
    over = 0.0  # by the loop's clock: when the fault has ended by itself

    def strike() -> Mend:
        nonlocal over
        mend = row.breaks(room)
        over = loop.time() + row.seconds
        return mend

    async def must(what: str, condition: Callable[[], object], seconds: float = _PATIENCE) -> None:
        try:
            await _until(condition, seconds)
        except TimeoutError:
            problems.append(what)

    if row.scene is Scene.REMOVAL:
        question = room.ask("First?")
        await must("it was not answered before", lambda: stage.ended(room, 1))
        mend = strike()
        room.delete(question)
        await must("nothing came of the removal", lambda: not room.messages() or stage.logged(room))
    else:
        mend = None if row.late else strike()
        room.ask("First?")
        if mend is None:
            await must("nothing was shown", room.messages)
            mend = strike()
        await must("its turn has not ended", lambda: stage.ended(room, 1) or stage.untaken(room))
    if row.spoils:
        await must("the fault was not met", room.spoilt, _SOON)
        await asyncio.sleep(_LEAVING)
    mend()
    await asyncio.sleep(over - loop.time())
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
    turns = sum(at == room.id for at, _ in stage.turns(fresh=True).values())
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
