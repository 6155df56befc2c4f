"""The PostgreSQL that tests may use, and databases in it that are gone after them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

SERVER = make_url(os.environ.get("RIVULET_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test"))
ABSENT = f"no PostgreSQL at {SERVER} (RIVULET_TEST_POSTGRES may name another)"


def is_there() -> bool:
    try:
        with _engine().connect():
            return True
    except SQLAlchemyError:
        return False


@contextmanager
def new_database() -> Generator[URL]:
    """An empty one. Raises SQLAlchemyError where there is no server."""
    name = f"rivulet_test_{secrets.token_hex(8)}"
    server = _engine()
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))  # tests need no disk
    try:
        yield SERVER.set(database=name)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _engine() -> Engine:
    return create_engine(SERVER, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"connect_timeout": 5})
