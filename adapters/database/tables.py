"""The tables, and the indexes that the store's questions need.

    conversations 1 ─── n turns 1 ─── n messages          notes

A change here needs a revision in `migrations/versions`: write it like the newest one there, with the next number; a
test says what still differs between the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Words(TypeDecorator[str]):
    """Any text. What PostgreSQL or UTF-8 cannot hold (NUL, half a surrogate pair) becomes U+FFFD, not an error."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Moment(TypeDecorator[datetime]):
    """An aware time, always in UTC; SQLite keeps no time zone, so it is given back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Words(), datetime: Moment()}
    # every constraint has a name, so that a later revision can drop it on either database
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class ConversationRow(Base):
    """The model's memory of a channel; open until `closed_at`, on the server until `remote` is empty again."""

    __tablename__ = "conversations"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]  # as text: slack:T1:C1
    backend: Mapped[str]
    remote: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        # two questions at once in a new channel find the same conversation
        Index(
            "uq_conversations_open",
            "channel",
            "backend",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )


class TurnRow(Base):
    """One question and its answer; this table is the queue, in the order of `id`."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]  # as text: slack:T1:C1
    room: Mapped[str]
    message: Mapped[str]  # the question's own
    thread: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str]
    question: Mapped[str]
    shared: Mapped[bool]

    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    cut_short: Mapped[int] = mapped_column(default=0, server_default="0")
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))  # since it was started
    # an answer that has not ended: how far it had come when that was last noted (see Progress)
    answer: Mapped[str] = mapped_column(default="")
    settled: Mapped[int] = mapped_column(default=0, server_default="0")
    response: Mapped[str] = mapped_column(default="")
    cursor: Mapped[str] = mapped_column(default="", server_default=text("''"))
    asked: Mapped[bool] = mapped_column(default=False, server_default=false())
    end: Mapped[str | None]
    end_detail: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    messages: Mapped[list[MessageRow]] = relationship(order_by="MessageRow.id")

    __table_args__ = (
        Index(None, "channel", "status", "id"),  # who is next in a channel
        Index(None, "status", "id"),  # what a start has to look after
        Index(None, "room", "thread"),  # was the bot asked here before
        Index(None, "conversation_id", "id"),  # the history of a conversation
        {"sqlite_autoincrement": True},
    )


class MessageRow(Base):
    """A page of an answer on the platform, or a message with files; they were posted in the order of `id`."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"))
    message: Mapped[str]
    file: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (UniqueConstraint("turn_id", "message"), {"sqlite_autoincrement": True})


class NoteRow(Base):
    """A small thing that a backend remembers."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
