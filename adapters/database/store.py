"""The store: turns, conversations and notes, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.database.tables import ConversationRow, MessageRow, NoteRow, TurnRow
from adapters.database.transaction import transaction
from bot.core.model import (
    Channel,
    Conversation,
    End,
    Ending,
    Exchange,
    Person,
    Place,
    Prompt,
    Status,
    Turn,
)
from bot.errors import StoreError

_OPEN = (Status.QUEUED, Status.RUNNING)
_ENDED = (Status.DONE, Status.STOPPED, Status.FAILED)


class DatabaseStore:
    """`Store` and `Notebook` of `bot.ports`. Make it with `open_store`; `name` is its address without the password."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.name = name
        self.sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._engine = engine
        # the one thing that SQLAlchemy spells differently for the two
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    async def close(self) -> None:
        await self._engine.dispose()

    # Turns

    @transaction
    async def accept(self, session: AsyncSession, prompt: Prompt) -> Turn | None:
        statement = self._insert(TurnRow).values(
            key=prompt.key,
            channel=str(prompt.channel),
            room=prompt.place.room,
            message=prompt.place.message,
            thread=prompt.place.thread,
            author_id=prompt.author.id,
            author_name=prompt.author.name,
            question=prompt.text,
            shared=prompt.shared,
            status=Status.QUEUED,
            created_at=_now(),
        )
        id = await session.scalar(statement.on_conflict_do_nothing(index_elements=["key"]).returning(TurnRow.id))
        return None if id is None else Turn(id, prompt)

    @transaction
    async def start(self, session: AsyncSession, turn: Turn, conversation: Conversation) -> Turn:
        await _change(
            session,
            turn,
            status=Status.RUNNING,
            attempts=TurnRow.attempts + 1,
            conversation_id=conversation.id,
            started_at=_now(),
        )
        return _turn(await session.get_one(TurnRow, turn.id))

    @transaction
    async def next_queued(self, session: AsyncSession, channel: Channel) -> Turn | None:
        row = await session.scalar(
            select(TurnRow)
            .where(TurnRow.channel == str(channel), TurnRow.status == Status.QUEUED)
            .order_by(TurnRow.id)
            .limit(1)
        )
        return None if row is None else _turn(row)

    @transaction
    async def add_message(self, session: AsyncSession, turn: Turn, message: str) -> None:
        statement = self._insert(MessageRow).values(turn_id=turn.id, message=message)
        await session.execute(statement.on_conflict_do_nothing(index_elements=["turn_id", "message"]))

    @transaction
    async def drop_message(self, session: AsyncSession, turn: Turn, message: str) -> None:
        await session.execute(delete(MessageRow).where(MessageRow.turn_id == turn.id, MessageRow.message == message))

    @transaction
    async def set_response(self, session: AsyncSession, turn: Turn, response: str) -> None:
        await _change(session, turn, response=response)

    @transaction
    async def finish(self, session: AsyncSession, turn: Turn, answer: str, ending: Ending) -> None:
        await _change(
            session,
            turn,
            status=ending.status,
            answer=answer,
            end=ending.end,
            end_detail=ending.detail,
            finished_at=_now(),
        )

    @transaction
    async def requeue(self, session: AsyncSession, turn: Turn) -> None:
        await _change(session, turn, status=Status.QUEUED, answer="", end=None, end_detail="", finished_at=None)

    @transaction
    async def open_turns(self, session: AsyncSession) -> Sequence[Turn]:
        rows = await session.scalars(select(TurnRow).where(TurnRow.status.in_(_OPEN)).order_by(TurnRow.id))
        return [_turn(row) for row in rows]

    @transaction
    async def asked_in(self, session: AsyncSession, channel: Channel, place: Place) -> bool:
        found = await session.scalar(
            select(TurnRow.id)
            .where(
                TurnRow.room == place.room,
                TurnRow.thread == place.thread,
                TurnRow.channel.startswith(f"{channel.platform}:", autoescape=True),
            )
            .limit(1)
        )
        return found is not None

    # Conversations

    @transaction
    async def conversation(self, session: AsyncSession, channel: Channel, backend: str) -> Conversation:
        statement = self._insert(ConversationRow).values(channel=str(channel), backend=backend, created_at=_now())
        await session.execute(statement.on_conflict_do_nothing())
        rows = await session.scalars(
            select(ConversationRow).where(
                ConversationRow.channel == str(channel),
                ConversationRow.backend == backend,
                ConversationRow.closed_at.is_(None),
            )
        )
        return _conversation(rows.one())

    @transaction
    async def set_remote(self, session: AsyncSession, conversation: Conversation, remote: str) -> Conversation:
        statement = update(ConversationRow).where(ConversationRow.id == conversation.id).values(remote=remote)
        if await session.scalar(statement.returning(ConversationRow.id)) is None:
            raise StoreError(f"conversation {conversation.id} is not in the database")
        return replace(conversation, remote=remote)

    @transaction
    async def history(self, session: AsyncSession, conversation: Conversation) -> Sequence[Exchange]:
        rows = await session.scalars(
            select(TurnRow)
            .where(TurnRow.conversation_id == conversation.id, TurnRow.status.in_(_ENDED), TurnRow.answer != "")
            .order_by(TurnRow.id)
        )
        return [_exchange(row) for row in rows]

    @transaction
    async def close_conversations(self, session: AsyncSession, channel: Channel) -> None:
        await session.execute(
            update(ConversationRow)
            .where(ConversationRow.channel == str(channel), ConversationRow.closed_at.is_(None))
            .values(closed_at=_now())
        )

    @transaction
    async def forgotten(self, session: AsyncSession, backend: str) -> Sequence[Conversation]:
        running = select(TurnRow.id).where(
            TurnRow.conversation_id == ConversationRow.id, TurnRow.status == Status.RUNNING
        )
        rows = await session.scalars(
            select(ConversationRow)
            .where(
                ConversationRow.backend == backend,
                ConversationRow.closed_at.is_not(None),
                ConversationRow.remote != "",
                ~running.exists(),
            )
            .order_by(ConversationRow.id)
        )
        return [_conversation(row) for row in rows]

    # Notes

    @transaction
    async def read(self, session: AsyncSession, name: str) -> str | None:
        return await session.scalar(select(NoteRow.text).where(NoteRow.name == name))

    @transaction
    async def write(self, session: AsyncSession, name: str, text: str | None) -> None:
        if text is None:
            await session.execute(delete(NoteRow).where(NoteRow.name == name))
            return
        statement = self._insert(NoteRow).values(name=name, text=text)
        await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"text": text}))


def _now() -> datetime:
    return datetime.now(UTC)


async def _change(session: AsyncSession, turn: Turn, **values: object) -> None:
    statement = update(TurnRow).where(TurnRow.id == turn.id).values(**values)
    if await session.scalar(statement.returning(TurnRow.id)) is None:
        raise StoreError(f"turn {turn.id} is not in the database")


def _turn(row: TurnRow) -> Turn:
    return Turn(
        id=row.id,
        prompt=_prompt(row),
        status=Status(row.status),
        attempts=row.attempts,
        messages=tuple(message.message for message in row.messages),
    )


def _prompt(row: TurnRow) -> Prompt:
    return Prompt(
        key=row.key,
        channel=Channel.parse(row.channel),
        place=Place(row.room, row.message, row.thread),
        author=Person(row.author_id, row.author_name),
        text=row.question,
        shared=row.shared,
    )


def _exchange(row: TurnRow) -> Exchange:
    settled = row.end is not None and Ending(End(row.end)).settled
    return Exchange(_prompt(row).for_model(), row.answer, settled)


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(row.id, Channel.parse(row.channel), row.backend, row.remote)
