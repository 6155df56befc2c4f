"""Brings a database from whatever an earlier Rivulet left to the schema of this one, or leaves it as it was."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from bot.errors import StoreError

_LOCK = 0x726976756C6574  # "rivulet": any number that other programs on the same database are unlikely to lock

_one_at_a_time = threading.Lock()  # Alembic keeps one state for all of a process


def migrate(connection: Connection) -> None:
    """Upgrades to the newest revision, in one transaction. Raises StoreError if a newer program wrote the database."""
    config = alembic(connection)
    with _one_at_a_time, _references_unchecked(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            # of two programs that start at once, one waits here for the other; SQLite's have waited at BEGIN IMMEDIATE
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        _refuse_newer(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")


def alembic(connection: Connection) -> Config:
    """What Alembic's commands need: where the revisions lie (also in an installed wheel), and this connection."""
    config = Config()
    config.set_main_option("script_location", "adapters.database:migrations")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _references_unchecked(connection: Connection) -> Generator[None]:
    # SQLite changes a column by copying the table and dropping the old one, and dropping it would break every reference
    # to it (sqlite.org/lang_altertable.html §7). The pragma does nothing inside a transaction, so it stands around it.
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise StoreError(
                f"a newer Rivulet has written it (schema {revision}, this one knows up to"
                f" {scripts.get_current_head()}); run that version again, or go back to a copy of the database"
            )
