"""Runs rows: side by side in as few worlds as the faults and the platforms' limits let them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from playground.openai.script import Script
from tests.e2e.world import World, world
from tests.faults.clock import clocks, worn
from tests.faults.outcome import doubled, outcome, promised, reading
from tests.faults.room import Answers, Room, Works
from tests.faults.row import Mend, Row, Scene, Seen, Where
from tests.faults.wire import Wire
from tests.postgres import new_database

_PATIENCE = 60.0  # seconds for what must happen at all
_REDELIVERED = (0.0, 6.0, 12.0)  # seconds; Slack waits for a minute, and for five, before it delivers again
_SOON = 20.0  # seconds for what follows at the end of a turn
_LEAVING = 1.0  # seconds: the last calls of a turn come after its end is stored
_BOT: Mapping[Scene, dict[str, Any]] = {  # its settings
    Scene.FILE: {"max_pages": 1},
    Scene.RESUMED: {"shutdown_grace": 0.1, "catch_up_max_age": 0.0},
}
_CHANCE = {"turn.not_noted", "turn.not_stored"}  # of the log: whether the database was asked just then
_LOOK = 0.1  # seconds between two looks
_WORLDS = 40  # at a time
_PAUSE = 20.0  # seconds, about: until a call without an answer is made up for, or one that failed again
_BETWEEN = 0.05  # seconds between the questions of a world, so that not all come in one turn of the loop
_TYPING = 0.3  # seconds between the questions of rows about that: the bot makes five such calls a second

Look: TypeAlias = sqlite3.Connection | psycopg.Connection

_AGAIN = "and again"
_heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)


async def run(rows: Sequence[Row], folder: Path) -> dict[Row, Seen]:
    """What became of each row. `folder` is for the databases. Raises SQLAlchemyError for want of PostgreSQL."""
    seen: dict[Row, Seen] = {}
    at_once = asyncio.Semaphore(_WORLDS)

    async def play(together: Sequence[Row], name: str) -> None:
        async with at_once:
            seen.update(await _run_together(together, folder / f"{name}.db", process))

    with ExitStack() as dropping, _listening(), clocks(), _connections() as connections:
        database = dropping.enter_context(new_database()) if any(map(needs_postgres, rows)) else None
        process = _Process(connections, database)
        async with asyncio.TaskGroup() as group:
            for number, together in enumerate(_batches(rows)):
                group.create_task(play(together, str(number)))
    return seen


def needs_postgres(row: Row) -> bool:
    return row.wired == "database"


@dataclass
class _Process:
    """What all worlds share."""

    connections: Mapping[str, sqlite3.Connection]  # of the bots, by the files of their databases
    postgres: URL | None  # a database
    # for whoever sets the gateway's address, of which discord.py keeps one, until nobody needs it any more
    gateway: asyncio.Lock = field(default_factory=asyncio.Lock)


def _batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Those that may share a world, in the order in which they are to begin.

    What takes longest begins first, but Discord before Slack, and what starts its bot twice before the rest of Discord:
    behind the rows that go `apart` no world of Discord can start until they have ended.
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


def _turn(batch: Sequence[Row]) -> tuple[bool, bool, bool, bool, float, int]:
    first = batch[0]
    on_discord = first.where is Where.DISCORD
    uploads = first.scene is Scene.FILE and not on_discord  # looked for again and again
    twice = first.scene in {Scene.AWAY, Scene.RESUMED}
    again = ("no answer", "twice", "gone for 10")
    longest = max(_PAUSE if any(name in row.fault for name in again) else row.seconds for row in batch)
    return not uploads, not on_discord, first.apart, on_discord and not twice, -longest, -len(batch)


def _most(row: Row) -> int:
    """How many of these one world bears without being short of calls, which would change what is seen."""
    if row.where is Where.DISCORD:
        return 40  # at 50 calls a second
    if row.scene is Scene.AWAY:
        return 3  # after each that cannot be read the pause before the next doubles
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
    start: Callable[[], Awaitable[None]]  # the bot again, once it was stopped
    rows: asyncio.Barrier  # all of the world
    look: Look  # into the database
    _turns: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    _looked: float = float("-inf")

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None]:
        """The bot is away meanwhile, in all rooms."""
        if not await self.rows.wait():
            await self.here.stop()
        await self.rows.wait()
        yield
        if not await self.rows.wait():
            await self.start()
        await self.rows.wait()

    def turns(self, *, fresh: bool = False) -> Mapping[int, tuple[str, str]]:
        """Room and status of every turn, as the database has it, or just had it."""
        now = asyncio.get_running_loop().time()
        if fresh or now > self._looked + _LOOK:
            self._looked = now
            rows = self.look.execute("SELECT id, room, status FROM turns").fetchall()
            self._turns = {id: (room, status) for id, room, status in rows}
        return self._turns

    def ended(self, room: Room, turns: int) -> bool:
        states = [status for at, status in self.turns().values() if at == room.id]
        return len(states) >= turns and not {"queued", "running"} & set(states)

    def untaken(self, room: Room) -> bool:
        """Its question was not taken, and the person was told so for good."""
        told = bool(room.messages()) and not promised(room)
        return told and not any(at == room.id for at, _ in self.turns(fresh=True).values())

    def logged(self, room: Room, *, read: bool = False) -> tuple[str, ...]:
        """The warnings and errors about this room; with `read` those about reading what was missed too."""
        turns = {id for id, (at, _) in self.turns(fresh=True).items() if at == room.id}
        names = {
            r.getMessage()
            for r in self.log
            if r.levelno >= logging.WARNING
            and (
                getattr(r, "turn", None) in turns
                or (read and "missed" in r.getMessage() and getattr(r, "room", room.id) == room.id)
            )
        }
        return tuple(sorted(names - _CHANCE))


async def _run_together(rows: Sequence[Row], database: Path, process: _Process) -> dict[Row, Seen]:
    async with _stage(rows, database, process) as stage:

        async def play(number: int, row: Row) -> Seen:
            await asyncio.sleep(number * (_TYPING if row.announces else _BETWEEN))
            return await _play(row, stage, f"room-{number}")

        seen = await asyncio.gather(*(play(number, row) for number, row in enumerate(rows)))
    return dict(zip(rows, seen, strict=True))


@asynccontextmanager
async def _stage(rows: Sequence[Row], database: Path, process: _Process) -> AsyncGenerator[Stage]:
    row = rows[0]
    answers, log, works = Answers(), list[logging.LogRecord](), Works()
    openai = {
        "api": "responses" if row.api == "background" else row.api,
        "background": "on" if row.api == "background" else "off",
        "first_token_timeout": 10.0,
        "idle_timeout": 4.0,
        **row.settings,
    }
    async with AsyncExitStack() as ending:
        here = await ending.enter_async_context(world(database.parent, openai=openai, bot=_BOT.get(row.scene, {})))
        playground = here.playground
        here.database, here.patience = database, _PATIENCE
        here.platforms = frozenset({"discord" if row.where is Where.DISCORD else "slack"})
        playground.openai.answer = answers.answer
        # what nobody has heard is then found by reading alone
        playground.slack.limits.redeliver_after = () if row.scene is Scene.AWAY else _REDELIVERED
        look: Look | None = None
        if needs_postgres(row):
            assert process.postgres is not None
            works.wire, look = await _postgres(process.postgres, f"row_{database.stem}", here, ending)
        elif row.wired:
            direct = playground.url
            works.wire = await ending.enter_async_context(Wire(direct))
            if row.wired == "model":
                openai["base_url"] = f"{works.wire.url}/openai/v1"
            else:
                playground.discord.url, playground.slack.url = f"{works.wire.url}/discord", f"{works.wire.url}/slack"
            if row.wired == "all":
                playground.url = works.wire.url
                openai["base_url"] = f"{direct}/openai/v1"
        if row.apart:
            await ending.enter_async_context(process.gateway)

        async def start() -> None:
            async with AsyncExitStack() as starting:
                if row.where is Where.DISCORD and not row.apart:
                    await starting.enter_async_context(process.gateway)
                with _known(_heard, log), _known(worn, works.clock):  # by the bot's tasks alone
                    await here.start()

        await start()
        works.connection = process.connections.get(str(database))
        ending.push_async_callback(here.stop)  # before the wire goes
        look = look or ending.enter_context(closing(sqlite3.connect(database)))
        yield Stage(here, answers, log, works, start, asyncio.Barrier(len(rows)), look)


async def _postgres(database: URL, schema: str, here: World, ending: AsyncExitStack) -> tuple[Wire, psycopg.Connection]:
    """Gives the bot an empty schema, over a wire; returns that, and a way there beside it."""
    wire = await ending.enter_async_context(Wire(f"tcp://{database.host}:{database.port or 5432}"))
    ours = database.update_query_dict({"options": f"-csearch_path={schema}"})
    here.url = ours.set(host="127.0.0.1", port=urlsplit(wire.url).port).render_as_string(hide_password=False)
    look = ending.enter_context(closing(psycopg.connect(ours.render_as_string(hide_password=False), autocommit=True)))
    look.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    return wire, look


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

    async def shown(count: int) -> None:
        await must("nothing was shown", lambda: len(reading(room)[0]) >= count)

    async def answered() -> None:
        await must("its turn has not ended", lambda: stage.ended(room, 1) or stage.untaken(room))

    match row.scene:
        case Scene.REMOVAL:
            question = room.ask("First?")
            await must("it was not answered before", lambda: stage.ended(room, 1))
            mend = strike()
            room.delete(question)
            await must("nothing came of the removal", lambda: not room.messages() or stage.logged(room))
        case Scene.AWAY:
            async with stage.away():
                if row.threaded:
                    room.thread = room.say("By the way")
                room.ask("First?")
                mend = strike()
            if not row.silent:
                await answered()
        case Scene.RESUMED:
            room.ask("First?")
            await shown(1)
            async with stage.away():
                mend = strike()
            await answered()
        case _:
            mend = None if row.late else strike()
            room.ask("First?")
            if mend is None:
                await shown(row.late)
                mend = strike()
            await answered()
    if row.spoils:
        await must("the fault was not met", room.spoilt)
        await asyncio.sleep(_LEAVING)
    mend()
    await asyncio.sleep(over - loop.time())
    asked, spoilt = room.asked, room.spoilt()
    if not row.silent:
        await must("it looks as if the answer went on", lambda: not room.has_live(), _SOON)
        await must("it says that an answer is coming", lambda: not room.works(), _SOON)
        await must("it says that it will try again", lambda: not promised(room), _SOON)
    seen = outcome(row, room)
    log = stage.logged(room, read=row.scene is Scene.AWAY)
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
