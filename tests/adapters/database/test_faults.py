"""A database that cannot take it now says so in a sentence, takes nothing by halves, and works again afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, NullPool, create_engine, event, make_url, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from adapters.database import transaction
from adapters.database.open import PatientConnection, open_store
from adapters.database.store import DatabaseStore
from adapters.database.tables import TurnRow
from bot.core.model import Channel, End, Ending, Prompt, Turn
from bot.errors import StoreError

CHANNEL = Channel("slack", "T1:C1")


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[DatabaseStore]:
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def begin(store: DatabaseStore) -> Turn:
    running = await store.begin(CHANNEL, "responses")
    assert running is not None
    return running.turn


async def test_a_file_that_another_program_is_writing_to_is_waited_for_and_then_an_error(
    sqlite_url: str, ask: Callable[..., Prompt]
) -> None:
    async with opened(f"{sqlite_url}?timeout=0.05") as store:
        other = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"the database sqlite:.* could not do it: database is locked"):
            await store.accept(ask("1"))
        other.execute("ROLLBACK")
        other.close()
        assert await store.open_turns() == []
        assert await store.accept(ask("1")) is not None


async def test_a_full_disk_is_an_error_that_leaves_everything_as_it_was(
    sqlite_url: str, ask: Callable[..., Prompt]
) -> None:
    def small(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count = 50")  # 200 KiB
        cursor.close()

    event.listen(Engine, "connect", small)
    try:
        async with opened(sqlite_url) as store:
            await store.accept(ask("1"))
            turn = await begin(store)
            with pytest.raises(StoreError, match=r"database or disk is full$"):
                await store.accept(ask("2", text="x" * 1_000_000))
            with pytest.raises(StoreError, match=r"database or disk is full$"):
                await store.finish(turn, "x" * 1_000_000, Ending(End.COMPLETED))
            assert await store.open_turns() == [turn]
            await store.finish(turn, "shorter", Ending(End.COMPLETED))
            assert await store.open_turns() == []
    finally:
        event.remove(Engine, "connect", small)


async def test_a_restart_of_postgresql_costs_no_call(postgres_url: str, ask: Callable[..., Prompt]) -> None:
    """Every connection is lost; the next call makes another."""
    async with opened(postgres_url) as store:
        turn = await store.accept(ask("1"))
        with connections_ended(postgres_url):
            pass
        assert await store.open_turns() == [turn]


async def test_a_postgresql_that_is_gone_is_an_error(postgres_url: str, ask: Callable[..., Prompt]) -> None:
    async with opened(postgres_url) as store:
        with (
            connections_ended(postgres_url),
            pytest.raises(StoreError, match=r"could not do it: .*database .* is not currently accepting connections$"),
        ):
            await store.accept(ask("1"))
        assert await store.accept(ask("1")) is not None


async def test_a_postgresql_that_does_not_answer_in_time_is_an_error(
    postgres_url: str, ask: Callable[..., Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it waits for somebody's lock; a server that hangs is the same from the outside."""
    monkeypatch.setattr(PatientConnection, "patience", 0.1)
    async with opened(postgres_url) as store:
        with create_engine(postgres_url, poolclass=NullPool).begin() as somebody:
            somebody.execute(text("LOCK TABLE turns"))
            with pytest.raises(StoreError, match=r"could not do it: .*timeout expired$"):
                await store.accept(ask("1"))
        assert await store.accept(ask("1")) is not None


async def test_those_who_wait_while_the_database_hangs_are_told_so(
    sqlite_url: str, ask: Callable[..., Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LONGEST_QUEUE", 0.1)
    async with opened(f"{sqlite_url}?timeout=0.3") as store:
        other = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        calls = [store.accept(ask(str(n))) for n in range(3)]
        first, *rest = await asyncio.gather(*calls, return_exceptions=True)
        assert str(first).endswith("database is locked")
        assert [str(error).endswith("it is busy with what was asked before") for error in rest] == [True, True]
        other.execute("ROLLBACK")
        other.close()
        assert await store.open_turns() == []


@contextmanager
def connections_ended(url: str) -> Generator[None]:
    """The database takes no connections, and those that it had are lost."""
    address = make_url(url)
    server = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {address.database} ALLOW_CONNECTIONS false"))
        try:
            query = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            assert connection.execute(query, {"name": address.database}).all()
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {address.database} ALLOW_CONNECTIONS true"))


async def test_an_error_does_not_tell_what_people_wrote(
    store: DatabaseStore, engine: Engine, ask: Callable[..., Prompt]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE messages"))
        connection.execute(text("DROP TABLE turns"))
    with pytest.raises(StoreError, match="turns") as raised:
        await store.accept(ask("1", text="my secret"))
    assert "secret" not in str(raised.value)
    assert "secret" not in str(raised.value.__cause__)


async def test_an_accepted_question_survives_kill_9(url: str) -> None:
    script = f"""
import asyncio
from adapters.database import transaction
from adapters.database.open import PatientConnection, open_store
from bot.core.model import Channel, Person, Place, Prompt

async def main():
    store = await open_store({url!r})
    for n in range(3):
        prompt = Prompt(str(n), Channel("slack", "T1:C1"), Place("C1"), Person("U1", "Ada"), "?")
        await store.accept(prompt)
        running = await store.begin(prompt.channel, "chat")
        await store.add_message(running.turn, "m1")
    print("stored", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"stored\n"
    process.kill()
    await process.communicate()
    async with opened(url) as store:
        assert [(turn.prompt.key, turn.attempts, turn.messages) for turn in await store.open_turns()] == [
            (str(n), 1, ("m1",)) for n in range(3)
        ]


async def test_times_are_aware_and_in_utc(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    before = datetime.now(UTC)
    await store.accept(ask("1"))
    await store.finish(await begin(store), "", Ending(End.EMPTY))
    row = await store.database.run(lambda session: session.scalars(select(TurnRow)).one())
    times = [time for time in (row.created_at, row.started_at, row.finished_at) if time is not None]
    assert [time.tzinfo for time in times] == [UTC] * 3
    in_order = [before, *times, datetime.now(UTC)]
    assert in_order == sorted(in_order)


async def test_sqlite_keeps_a_log_and_waits_for_the_disk(sqlite_url: str) -> None:
    def pragmas(session: Session) -> list[object]:
        return [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]

    async with opened(sqlite_url) as store:
        assert await store.database.run(pragmas) == ["wal", 2, 1]
