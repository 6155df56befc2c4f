"""One world, with a bot, rooms, and what is on record about them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL

from tests.e2e.world import World, world
from tests.faults.clock import worn
from tests.faults.outcome import promised
from tests.faults.process import Process, heard
from tests.faults.room import Answers, Room, Works
from tests.faults.row import Row, Scene, Where
from tests.faults.wire import Wire

_REDELIVERED = (0.0, 6.0, 12.0)  # seconds; Slack waits for a minute, and for five, before it delivers again
_BOT: Mapping[Scene, dict[str, Any]] = {  # its settings
    Scene.FILE: {"max_pages": 1},
    Scene.RESUMED: {"shutdown_grace": 0.1, "catch_up_max_age": 0.0},
}
_CHANCE = {"turn.not_noted", "turn.not_stored"}  # of the log: whether the database was asked just then
_OLD = 0.1  # seconds that what was read in the database is good for

Look: TypeAlias = sqlite3.Connection | psycopg.Connection
T = TypeVar("T")


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
        if fresh or now > self._looked + _OLD:
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


@asynccontextmanager
async def open_stage(
    rows: Sequence[Row], database: Path, process: Process, *, patience: float
) -> AsyncGenerator[Stage]:
    """For rows that share a world; their bot is running. `database` is its file."""
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
        here.database, here.patience = database, patience
        here.platforms = frozenset({"discord" if row.where is Where.DISCORD else "slack"})
        playground.openai.answer = answers.answer
        # what nobody has heard is then found by reading alone
        playground.slack.limits.redeliver_after = () if row.scene is Scene.AWAY else _REDELIVERED
        look: Look | None = None
        if row.needs_postgres:
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
                with _known(heard, log), _known(worn, works.clock):  # by the bot's tasks alone
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


@contextmanager
def _known(variable: ContextVar[T | None], value: T) -> Generator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
