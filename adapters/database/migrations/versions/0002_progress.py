"""How far an answer has come, so that another process takes it up; which messages hold files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the defaults are for the rows that are there; the program always gives values
    op.add_column("turns", sa.Column("cut_short", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("settled", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("cursor", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("messages", sa.Column("file", sa.Boolean(), nullable=False, server_default=sa.false()))
    # until now also answers that nothing goes on with had the server's id noted
    op.execute("UPDATE turns SET response = ''")


def downgrade() -> None:
    op.drop_column("messages", "file")
    op.drop_column("turns", "cursor")
    op.drop_column("turns", "settled")
    op.drop_column("turns", "cut_short")
