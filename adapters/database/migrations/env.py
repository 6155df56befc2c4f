"""Alembic's entry: runs revisions over the connection and inside the transaction that `schema.py` hands in.

It leaves logging alone, so that a migration does not change how the bot logs.
"""

from __future__ import annotations

from alembic import context

from adapters.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can change a column only by building the table anew
)
with context.begin_transaction():
    context.run_migrations()
