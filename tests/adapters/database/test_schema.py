"""The revisions lead to the tables that the program has, forwards and back, and never leave one half changed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, inspect, text

from adapters.database import schema
from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from adapters.database.tables import Base
from bot.core.model import Prompt, Turn
from bot.errors import StoreError

ROOT = Path(__file__).parents[3]


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_newest_revision_is_what_the_tables_say(store: DatabaseStore, engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []
        connection.execute(text("DROP INDEX ix_turns_room_thread"))
        connection.execute(text("ALTER TABLE notes ADD COLUMN more INTEGER"))
        assert len(differences(connection)) == 2  # so the comparison does see what differs


async def test_indexes_and_constraints_have_the_names_that_the_tables_say(store: DatabaseStore, engine: Engine) -> None:
    """Alembic's comparison does not look at the names of keys, by which later revisions will find them."""

    def names(connection: Connection) -> set[str | None]:
        inspector = inspect(connection)
        found: set[str | None] = set()
        for table in Base.metadata.tables:
            found |= {key["name"] for key in inspector.get_foreign_keys(table)}
            found |= {key["name"] for key in inspector.get_unique_constraints(table)}
            found |= {index["name"] for index in inspector.get_indexes(table)}
        return found

    wanted: set[str | None] = set()
    for table in Base.metadata.tables.values():
        # SQLite keeps no name for a key that is also the row's number
        wanted |= {str(item.name) for item in (*table.constraints - {table.primary_key}, *table.indexes)}
    with engine.connect() as connection:
        assert names(connection) == wanted


async def test_all_revisions_can_be_undone_and_done_again(engine: Engine) -> None:
    with engine.connect() as connection:
        schema.migrate(connection)
        with connection.begin():
            command.downgrade(schema.alembic(connection), "base")
            assert tables(connection) == {"alembic_version"}
        schema.migrate(connection)
        assert tables(connection) == {*Base.metadata.tables, "alembic_version"}


async def test_a_database_at_the_newest_revision_is_left_as_it_is(url: str, ask: Callable[..., Prompt]) -> None:
    for key in ("1", "2"):
        store = await open_store(url)
        await store.accept(ask(key))
        await store.close()
    store = await open_store(url)
    assert len(await store.open_turns()) == 2
    await store.close()


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(url: str, engine: Engine) -> None:
    await (await open_store(url)).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"a newer Rivulet has written it \(schema 9999, .* up to \d{4}\); run that"):
        await open_store(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


async def test_a_migration_that_fails_leaves_nothing_behind(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (somebody TEXT)"))  # the last one that 0001 makes
    with pytest.raises(StoreError, match="notes"):
        await open_store(url)
    with engine.connect() as connection:
        assert tables(connection) == {"notes"}


async def test_a_revision_may_build_a_table_anew_without_losing_what_refers_to_it(
    url: str, ask: Callable[..., Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite can change a column only by copying the table and dropping the old one."""
    store = await open_store(url)
    turn = await store.accept(ask("1"))
    assert isinstance(turn, Turn)
    await store.add_message(turn, "m1")
    await store.close()

    def rebuild(config: schema.Config, revision: str) -> None:
        operations = Operations(MigrationContext.configure(config.attributes["connection"]))
        with operations.batch_alter_table("turns", recreate="auto") as batch:
            batch.alter_column("response", nullable=True)

    monkeypatch.setattr(command, "upgrade", rebuild)
    store = await open_store(url)
    assert [open_turn.messages for open_turn in await store.open_turns()] == [("m1",)]
    missing = Turn(99, turn.prompt)
    with pytest.raises(StoreError):  # references are checked again
        await store.add_message(missing, "m2")
    await store.close()


async def test_opening_leaves_logging_as_it_was(sqlite_url: str) -> None:
    log = logging.getLogger("bot.somewhere")
    before = (list(logging.root.handlers), logging.root.level, log.disabled)
    await (await open_store(sqlite_url)).close()
    assert (list(logging.root.handlers), logging.root.level, log.disabled) == before


def test_an_installed_wheel_brings_its_revisions(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    script = (
        "import asyncio, adapters.database.open as o\n"
        "async def main():\n"
        "    store = await o.open_store('sqlite://')\n"
        "    print(o.__file__, await store.open_turns())\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout.split() == [str(installed / "adapters" / "database" / "open.py"), "[]"]
