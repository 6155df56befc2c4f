"""Every test of the contract runs on SQLite and on PostgreSQL, each time from nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.model import Channel, Person, Place, Prompt

POSTGRES = make_url(os.environ.get("RIVULET_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test"))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rivulet.db'}"


@pytest.fixture
def postgres_url(postgres_database: URL) -> str:
    """An empty schema in this run's database; a schema is made anew in a tenth of the time that a database takes."""
    engine = create_engine(postgres_database, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return postgres_database.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
async def store(url: str) -> AsyncIterator[DatabaseStore]:
    store = await open_store(url)
    yield store
    await store.close()


@pytest.fixture
def engine(url: str) -> Engine:
    """A way to the database beside the store, as it is before anything opened it."""
    return create_engine(url, poolclass=NullPool)


@pytest.fixture
def ask() -> Callable[..., Prompt]:
    """Makes questions; what is not said is usual."""

    def prompt(
        key: str,
        *,
        text: str = "What is a rivulet?",
        channel: str = "slack:T1:C1",
        place: Place | None = None,
        author: Person | None = None,
        shared: bool = False,
    ) -> Prompt:
        place = place or Place("C1", "171.5", "170.5")
        return Prompt(key, Channel.parse(channel), place, author or Person("U1", "Ada"), text, shared)

    return prompt


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[URL]:
    """A database for this run alone, dropped afterwards."""
    name = f"rivulet_test_{secrets.token_hex(8)}"
    server = create_engine(
        POSTGRES, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"connect_timeout": 5}
    )
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
            connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))  # tests need no disk
    except SQLAlchemyError as error:
        reason = f"no PostgreSQL at {POSTGRES} (RIVULET_TEST_POSTGRES may name another): {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield POSTGRES.set(database=name)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
