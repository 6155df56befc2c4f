"""Every test of the contract runs on SQLite and on PostgreSQL, each time in a database of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, make_url, text
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
async def postgres_url() -> AsyncIterator[str]:
    async with _postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield sqlite_url
        return
    async with _postgres_database() as url:
        yield url


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


@asynccontextmanager
async def _postgres_database() -> AsyncGenerator[str]:
    name = f"rivulet_test_{secrets.token_hex(8)}"
    server = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"timeout": 5})
    try:
        try:
            async with server.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE {name}"))
        except (SQLAlchemyError, OSError) as error:
            reason = f"no PostgreSQL at {POSTGRES.render_as_string()} (RIVULET_TEST_POSTGRES names another): {error}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        try:
            yield POSTGRES.set(database=name).render_as_string(hide_password=False)
        finally:
            async with server.connect() as connection:
                await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await server.dispose()
