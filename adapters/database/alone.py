"""That only one process answers what is in a database: a second one would take up every answer that the first writes.

It is held for as long as the process lives, and over when that ends, however it ends: SQLite's lock on a file beside
the database, PostgreSQL's within a transaction that stays open. A restart of PostgreSQL ends it, too; who waits for it
then may get it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, text

from bot.errors import StoreError

_LOCK = 0x72697675  # "rivu": as in schema.py; beside it stands which schema, for each may hold a database of its own

_SETTINGS = (
    "idle_in_transaction_session_timeout = 0",
    # of a machine that has gone without a word, its successor waits half a minute, not the two hours that are usual
    "tcp_keepalives_idle = 15",
    "tcp_keepalives_interval = 5",
    "tcp_keepalives_count = 3",
)


def hold(engine: Engine) -> Callable[[], object] | None:
    """What lets go of it again; None if another process holds it. Raises what the driver or SQLAlchemy raises, and
    StoreError where the file cannot be locked at all.
    """
    return _on_file(engine) if engine.dialect.name == "sqlite" else _on_server(engine)


def _on_file(engine: Engine) -> Callable[[], object] | None:
    with engine.connect() as connection:
        file = connection.scalar(text("SELECT file FROM pragma_database_list WHERE name = 'main'"))
    if not file:  # in memory
        return lambda: None
    # not the database's own lock, which has to let `rivulet check` and `rivulet chat` in
    name = f"{file}-running"
    try:
        lock = sqlite3.connect(name, timeout=0.0, isolation_level=None, check_same_thread=False)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            lock.close()
            raise
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return None
        raise StoreError(
            f"cannot lock {name}: {error}; make sure that Rivulet may write to it, or remove it"
        ) from error
    return lock.close


def _on_server(engine: Engine) -> Callable[[], object] | None:
    pooled = engine.raw_connection()
    # closed by the driver alone: SQLAlchemy would end the transaction first, and the server may be gone by then
    connection: Any = pooled.driver_connection
    pooled.detach()
    held = False
    try:
        for setting in _SETTINGS:
            connection.execute(f"SET LOCAL {setting}")
        ask = "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))"
        (held,) = connection.execute(ask, [_LOCK]).fetchone()
    finally:
        if not held:
            connection.close()
    return connection.close if held else None
