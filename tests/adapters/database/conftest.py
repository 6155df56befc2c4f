"""Every test of the contract runs on SQLite and on PostgreSQL, each time from nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.model import Channel, Person, Place, Prompt
from tests.postgres import ABSENT, new_database


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
    with ExitStack() as dropping:
        try:
            database = dropping.enter_context(new_database())
        except SQLAlchemyError as error:
            if os.environ.get("CI"):
                pytest.fail(f"{ABSENT}: {error}")
            pytest.skip(f"{ABSENT}: {error}")
        yield database
