"""What a process has once, for all worlds in it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import URL, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)
"""The log of the world in whose context it is."""


@dataclass
class Process:
    """What all worlds share."""

    connections: Mapping[str, sqlite3.Connection]  # of the bots, by the files of their databases
    postgres: URL | None  # a database
    # for whoever sets the gateway's address, of which discord.py keeps one, until nobody needs it any more
    gateway: asyncio.Lock = field(default_factory=asyncio.Lock)


@contextmanager
def connections() -> Generator[dict[str, sqlite3.Connection]]:
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


@contextmanager
def listening() -> Generator[None]:
    """While it lasts, what the bots log is `heard`."""
    handler = _Hearing()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _Hearing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = heard.get()
        if log is not None and record.name.partition(".")[0] in {"bot", "adapters"}:
            log.append(record)
