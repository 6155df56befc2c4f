"""Opens the database at an address: SQLite's file is made where there is none, and the schema is brought up to date."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Dialect, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from adapters.database.schema import migrate
from adapters.database.store import DatabaseStore
from adapters.database.transaction import Database, in_words
from bot.errors import StoreError

R = TypeVar("R")

_EXAMPLES = "sqlite:///rivulet.db or postgresql://user:password@host/name"

_PRAGMAS = (
    "foreign_keys = ON",
    "journal_mode = WAL",
    # FULL: an accepted question survives a power cut too, at one fsync a commit. NORMAL would do for kill -9, but a
    # turn has about six commits in many seconds, so the few milliseconds buy more than they cost.
    "synchronous = FULL",
)

_PATIENCE_WITH_PRAGMAS = 5.0  # seconds, as the driver has for statements

# SQLite has one writer at a time anyway, so waiting for the one connection replaces "database is locked"; and a
# database in memory, which belongs to its connection, has whole transactions like any other.
_SQLITE_CONNECTIONS = 1
_POSTGRESQL_CONNECTIONS = 5


async def open_store(url: str) -> DatabaseStore:
    """Opens it with the newest schema. Raises StoreError: the address without its password, the reason, the remedy."""
    address = _parse(url)
    # options stay out of the name too: PostgreSQL takes a password there as well
    name = address.set(query={}).render_as_string(hide_password=True)
    sqlite = address.drivername == "sqlite"
    connections = _SQLITE_CONNECTIONS if sqlite else _POSTGRESQL_CONNECTIONS
    try:
        engine = _sqlite(address) if sqlite else _postgresql(address)
        database = Database(engine, name, connections=connections)
        try:
            await database.on_thread(lambda: _migrate(engine))
        except BaseException:
            await database.close()
            raise
    except (StoreError, SQLAlchemyError, TypeError, ValueError) as error:  # the last two: options unknown
        raise StoreError(f"cannot open the database {name}: {_reason(error, address)}") from error
    return DatabaseStore(database)


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r":.*@", ":***@", url)
        # without the cause, which quotes the address as it is
        raise StoreError(f"{shown!r} is not the address of a database; write {_EXAMPLES}") from None
    # the drivers of earlier versions stand in many a config
    kind = address.drivername.removesuffix("+aiosqlite").removesuffix("+asyncpg")
    if kind not in {"sqlite", "postgresql"}:
        raise StoreError(f"{kind} is not a database that Rivulet works with; write {_EXAMPLES}")
    return address.set(drivername=kind)


def _sqlite(address: URL) -> Engine:
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=_SQLITE_CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
        connect_args={
            "isolation_level": None,  # the driver begins nothing by itself; `begin` below does
            "check_same_thread": False,  # used by one thread, but closed by another
        },
    )

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy's
        for pragma in _PRAGMAS:
            _set(connection, pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy's
        # IMMEDIATE: waits behind another program that writes (5 s, the driver's default; ?timeout= in the address),
        # where a transaction that began as a reader would be refused at its first write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _set(connection: DBAPIConnection, pragma: str) -> None:
    """SQLite itself does not wait where two programs change a new file's journal at once."""
    deadline = monotonic() + _PATIENCE_WITH_PRAGMAS
    while True:
        try:
            connection.cursor().execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > deadline:
                raise
            sleep(0.01)


def _postgresql(address: URL) -> Engine:
    engine = create_engine(
        address,
        pool_size=_POSTGRESQL_CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,  # a restart of the server costs no turn
        hide_parameters=True,
        connect_args={"connect_timeout": 10},  # seconds, far above any healthy answer
    )

    @event.listens_for(engine, "do_connect")
    def connect(_: Dialect, __: object, arguments: list[Any], options: dict[str, Any]) -> PatientConnection:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy's
        return PatientConnection.connect(*arguments, **options)

    return engine


class PatientConnection(psycopg.Connection[Any]):
    """A connection on which no statement waits for ever; the driver has no such limit of its own."""

    patience = 30.0  # seconds, far above any healthy answer

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.close()  # the statement is still at work, so nothing else can be asked here
            raise


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        migrate(connection)


def _reason(error: Exception, address: URL) -> str:
    words = in_words(error)
    if isinstance(error, StoreError):
        return words
    if address.drivername == "postgresql":
        if "FATAL" not in words:  # not the server's own words
            if re.search("refused|timeout|timed out|resolve|unreachable|reset|closed|No such file", words):
                where = f"{address.host or 'localhost'}:{address.port or 5432}"
                return f"PostgreSQL does not answer at {where} ({words}); start it, or correct host and port"
            if re.search("option|value|SSL", words):
                return f"{words}; correct the options after the question mark (encryption is ?sslmode=require)"
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
