"""Whether the model's server may have got the question of an attempt of which nothing else is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the default is for the rows that are there; the program always gives a value
    op.add_column("turns", sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE turns SET asked = (answer != '')")


def downgrade() -> None:
    op.drop_column("turns", "asked")
