"""One process answers what is in a database, and it is known which, whatever becomes of it."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from adapters.database.open import open_store
from bot.errors import StoreError

HOLDER = """
import asyncio, sys
from adapters.database.open import open_store

async def main():
    store = await open_store(sys.argv[1])
    print(await store.hold(), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_it_is_held_by_one_until_that_closes_it(url: str) -> None:
    first, second = await open_store(url), await open_store(url)
    assert await first.hold()
    assert await first.hold()
    assert not await second.hold()
    await first.close()
    assert await second.hold()
    assert await second.open_turns() == []
    await second.close()


async def test_who_is_cancelled_while_asking_for_it_lets_go_of_it_at_the_end(url: str) -> None:
    first, second = await open_store(url), await open_store(url)
    asking = asyncio.create_task(first.hold())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert not await second.hold()
    await first.close()
    assert await second.hold()
    await second.close()


@pytest.mark.parametrize("what", ["a directory", "no lock"])
async def test_a_lock_that_cannot_be_had_is_named(tmp_path: Path, what: str) -> None:
    lock = tmp_path / "rivulet.db-running"
    if what == "a directory":
        lock.mkdir()
    else:
        lock.write_text(what * 200, encoding="utf-8")
    store = await open_store(f"sqlite:///{tmp_path / 'rivulet.db'}")
    with pytest.raises(StoreError, match=re.escape(f"cannot lock {lock}: ")):
        await store.hold()
    await store.close()


async def test_others_that_do_not_ask_for_it_may_read_and_write(url: str) -> None:
    first, second = await open_store(url), await open_store(url)
    assert await first.hold()
    await second.write("note", "text")
    assert await first.read("note") == "text"
    await first.close()
    await second.close()


async def test_it_is_free_when_its_process_is_killed(url: str) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, url, stdout=PIPE)
    assert holder.stdout
    assert await holder.stdout.readline() == b"True\n"
    store = await open_store(url)
    assert not await store.hold()
    holder.kill()
    await holder.wait()
    async with asyncio.timeout(10):
        while not await store.hold():  # noqa: ASYNC110  (another process, which tells nobody)
            await asyncio.sleep(0.01)
    await store.close()


async def test_a_restart_of_postgresql_ends_it_and_nothing_else(postgres_url: str) -> None:
    first, second = await open_store(postgres_url), await open_store(postgres_url)
    assert await first.hold()
    with create_engine(postgres_url, poolclass=NullPool).connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        connection.execute(text(f"{others} pg_backend_pid()"))
    assert await first.open_turns() == []
    async with asyncio.timeout(10):
        while not await second.hold():  # noqa: ASYNC110  (the server's end of a connection, of which nobody is told)
            await asyncio.sleep(0.01)
    await first.close()
    await second.close()


async def test_each_database_in_memory_is_a_process_s_own() -> None:
    first, second = await open_store("sqlite://"), await open_store("sqlite://")
    assert await first.hold()
    assert await second.hold()
    await first.close()
    await second.close()


async def test_two_schemas_are_two_databases(postgres_url: str) -> None:
    with create_engine(postgres_url, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE SCHEMA other"))
    first = await open_store(postgres_url)
    second = await open_store(f"{postgres_url}?options=-csearch_path%3Dother")
    assert await first.hold()
    assert await second.hold()
    await first.close()
    await second.close()
