"""Opens the database at an address: SQLite's file is made where there is none, and the schema is brought up to date."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.database.schema import migrate
from adapters.database.store import DatabaseStore
from adapters.database.transaction import FAULTS, in_words
from bot.errors import StoreError

_EXAMPLES = "sqlite+aiosqlite:///rivulet.db or postgresql+asyncpg://user:password@host/name"

_PRAGMAS = (
    "foreign_keys = ON",
    "journal_mode = WAL",
    # FULL: an accepted question survives a power cut too, at one fsync a commit. NORMAL would do for kill -9, but a
    # turn has about six commits in many seconds, so the few milliseconds buy more than they cost.
    "synchronous = FULL",
)


async def open_store(url: str) -> DatabaseStore:
    """Opens it with the newest schema. Raises StoreError: the address without its password, the reason, the remedy.

    A process opens different databases one after the other: Alembic keeps one state for all.
    """
    address = _parse(url)
    # options stay out of the name too: asyncpg takes a password there as well
    name = address.set(query={}).render_as_string(hide_password=True)
    try:
        engine = _sqlite(address) if address.drivername == "sqlite+aiosqlite" else _postgresql(address)
        await _migrate(engine)
    except (StoreError, sqlite3.Error, *FAULTS, TypeError, ValueError) as error:  # the last two: options unknown
        raise StoreError(f"cannot open the database {name}: {_reason(error, address)}") from error
    return DatabaseStore(engine, name)


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r":.*@", ":***@", url)
        # without the cause, which quotes the address as it is
        raise StoreError(f"{shown!r} is not the address of a database; write {_EXAMPLES}") from None
    if address.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise StoreError(f"{address.drivername} is not a database that Rivulet works with; write {_EXAMPLES}")
    return address


def _sqlite(address: URL) -> AsyncEngine:
    # One connection: SQLite has one writer at a time anyway, so waiting for the connection replaces "database is
    # locked"; and a database in memory, which belongs to its connection, has whole transactions like any other.
    engine = create_async_engine(
        address,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"isolation_level": None},  # the driver begins nothing by itself; `begin` below does
    )
    # A thread that could not open the file may outlive the event loop and say so on stderr, hence this first try.
    arguments, options = engine.dialect.create_connect_args(address)
    sqlite3.connect(arguments[0], **options).close()

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: DBAPIConnection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy's
        for pragma in _PRAGMAS:
            connection.cursor().execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy's
        # IMMEDIATE: waits behind another program that writes (5 s, the driver's default; ?timeout= in the address),
        # where a transaction that began as a reader would be refused at its first write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(address: URL) -> AsyncEngine:
    return create_async_engine(
        address,
        pool_pre_ping=True,  # a restart of the server costs no turn
        hide_parameters=True,
        connect_args={"timeout": 10, "command_timeout": 30},  # seconds, far above any healthy answer
    )


async def _migrate(engine: AsyncEngine) -> None:
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    except BaseException:
        await engine.dispose()
        raise


def _reason(error: Exception, address: URL) -> str:
    words = in_words(error)
    if isinstance(error, StoreError):
        return words
    if address.drivername == "postgresql+asyncpg":
        if isinstance(error, OSError):
            where = f"{address.host or 'localhost'}:{address.port or 5432}"
            return f"PostgreSQL does not answer at {where} ({words}); start it, or correct host and port"
        if isinstance(error, TypeError | ValueError):
            return f"{words}; correct the options after the question mark (encryption is ?ssl=require)"
        return f"{words}; correct user, password or name in the address, or mend it on the server"
    if (address.database or "").startswith("file:"):
        return f"{words}; correct the address, or make sure that Rivulet may write there"
    file = Path(address.database or "")
    if not file.parent.is_dir():
        return f"the directory {file.parent.absolute()} does not exist; create it, or correct the address"
    if file.is_dir():
        return f"{file.absolute()} is a directory; name a file in it"
    if "not a database" in words:
        return f"{file.absolute()} is not a SQLite file; move it away, or correct the address"
    if "locked" in words:
        return f"{words}; stop the other program that is writing to it"
    if any(sign in words for sign in ("unable to open", "readonly", "disk")):
        return f"{words}; make sure that Rivulet may write to {file.absolute()} and its directory, and has space there"
    return f"{words}; name another file in the address, or mend {file.absolute()}"
