"""Every test of the contract runs on SQLite and on PostgreSQL, each time from nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.model import Channel, Person, Place, Prompt

POSTGRES = make_url(os.environ.get("RIVULET_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/test"))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'rivulet.db'}"


@pytest.fixture
async def postgres_url(postgres_database: URL) -> str:
    """An empty schema in this run's database; a schema is made anew in a tenth of the time that a database takes."""
    engine = create_async_engine(postgres_database, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
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
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """A way to the database beside the store, as it is before anything opened it."""
    engine = create_async_engine(url, poolclass=NullPool)
    yield engine
    await engine.dispose()


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_database() -> AsyncIterator[URL]:
    """A database for this run alone, dropped afterwards."""
    name = f"rivulet_test_{secrets.token_hex(8)}"
    server = create_async_engine(
        POSTGRES, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"timeout": 5}
    )
    try:
        async with server.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
            await connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))  # tests need no disk
    except (SQLAlchemyError, OSError) as error:
        reason = f"no PostgreSQL at {POSTGRES} (RIVULET_TEST_POSTGRES may name another): {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield POSTGRES.set(database=name)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
