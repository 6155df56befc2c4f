"""The store: turns, conversations and notes, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from adapters.database.room import refusal
from adapters.database.tables import ConversationRow, MessageRow, NoteRow, TurnRow
from adapters.database.transaction import Database, transaction
from bot.core.line import UNBOUNDED, Capacity
from bot.core.model import (
    Channel,
    Conversation,
    End,
    Ending,
    Exchange,
    Person,
    Place,
    Progress,
    Prompt,
    Status,
    Turn,
)
from bot.errors import Missing
from bot.ports import Running

_OPEN = (Status.QUEUED, Status.RUNNING)
_ENDED = (Status.DONE, Status.STOPPED, Status.FAILED)

_LATEST = 20_000  # turns that are looked at where none can be told beforehand: some 40 ms, however old the database is


class DatabaseStore:
    """`Store` of `bot.ports`. Make it with `open_store`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # the one thing that SQLAlchemy spells differently for the two
        self._insert = sqlite.insert if database.engine.dialect.name == "sqlite" else postgresql.insert

    async def hold(self) -> bool:
        """Whoever answers what is in it holds it first, for only one process may; False while another one does.

        It is held until `close`, or until the process ends. Raises StoreError.
        """
        return await self.database.hold()

    async def close(self) -> None:
        await self.database.close()

    # Turns

    @transaction
    def accept(self, session: Session, prompt: Prompt, capacity: Capacity = UNBOUNDED) -> Turn | Ending | None:
        refused = refusal(session, prompt.channel, capacity)
        statement = self._insert(TurnRow).values(
            key=prompt.key,
            channel=str(prompt.channel),
            room=prompt.place.room,
            message=prompt.place.message,
            thread=prompt.place.thread,
            author_id=prompt.author.id,
            author_name=prompt.author.name,
            question="" if refused else prompt.text,  # a flood of long questions is no reason to keep them
            shared=prompt.shared,
            status=refused.status if refused else Status.QUEUED,
            end=refused.end if refused else None,
            end_detail=refused.detail if refused else "",
            created_at=(now := _now()),
            finished_at=now if refused else None,
        )
        id = session.scalar(statement.on_conflict_do_nothing(index_elements=["key"]).returning(TurnRow.id))
        if id is None:
            return None
        return refused or Turn(id, prompt)

    @transaction
    def begin(self, session: Session, channel: Channel, backend: str) -> Running | None:
        row = session.scalar(
            select(TurnRow)
            .where(TurnRow.channel == str(channel), TurnRow.status == Status.QUEUED)
            .order_by(TurnRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        conversation = self._taken_up(session, row, backend) or self._conversation(session, channel, backend)
        row.status = Status.RUNNING
        row.attempts += 1
        row.conversation_id = conversation.id
        row.started_at = _now()
        return Running(_turn(row), _conversation(conversation), _history(session, conversation))

    @transaction
    def add_message(self, session: Session, turn: Turn, message: str, *, file: bool = False) -> None:
        statement = self._insert(MessageRow).values(turn_id=turn.id, message=message, file=file)
        try:
            session.execute(statement.on_conflict_do_nothing(index_elements=["turn_id", "message"]))
        except IntegrityError as error:
            raise _missing(turn) from error

    @transaction
    def drop_message(self, session: Session, turn: Turn, message: str) -> None:
        session.execute(delete(MessageRow).where(MessageRow.turn_id == turn.id, MessageRow.message == message))

    @transaction
    def set_progress(self, session: Session, turn: Turn, progress: Progress) -> None:
        _change(session, turn, **_columns(progress))

    @transaction
    def finish(self, session: Session, turn: Turn, answer: str, ending: Ending) -> None:
        _change(
            session,
            turn,
            **_columns(Progress(answer)),
            status=ending.status,
            end=ending.end,
            end_detail=ending.detail,
            finished_at=_now(),
        )

    @transaction
    def requeue(self, session: Session, turn: Turn, progress: Progress | None = None, *, counts: bool = True) -> None:
        values = _columns(progress) if progress else {}
        if counts:
            values["cut_short"] = TurnRow.cut_short + 1
        _change(session, turn, status=Status.QUEUED, end=None, end_detail="", finished_at=None, **values)

    @transaction
    def find(self, session: Session, key: str) -> Turn | None:
        row = session.scalar(select(TurnRow).where(TurnRow.key == key))
        return None if row is None else _turn(row)

    @transaction
    def is_last(self, session: Session, turn: Turn) -> bool:
        later = select(TurnRow.id).where(TurnRow.channel == str(turn.prompt.channel), TurnRow.id > turn.id)
        return session.scalar(later.limit(1)) is None

    @transaction
    def latest(self, session: Session, channel: Channel) -> Turn | None:
        asked = select(TurnRow).where(TurnRow.channel == str(channel), TurnRow.question != "")
        row = session.scalar(asked.order_by(TurnRow.id.desc()).limit(1))
        return None if row is None else _turn(row)

    @transaction
    def reword(self, session: Session, turn: Turn, text: str, status: Status) -> bool:
        row = session.get(TurnRow, turn.id, with_for_update=True)
        if row is None or row.status != status:
            return False
        row.question, row.cut_short = text, 0
        row.status, row.end, row.end_detail, row.finished_at = Status.QUEUED, None, "", None
        for name, value in _columns(Progress()).items():
            setattr(row, name, value)
        return True

    @transaction
    def erase(self, session: Session, turn: Turn) -> Turn:
        row = session.get(TurnRow, turn.id, with_for_update=True)
        if row is None:
            raise _missing(turn)
        before = _turn(row)
        row.question = row.answer = ""
        if before.status in _OPEN:
            row.status, row.end, row.finished_at = Status.STOPPED, End.STOPPED, _now()
        return before

    @transaction
    def open_turns(self, session: Session) -> Sequence[Turn]:
        newest = select(func.max(TurnRow.id)).scalar_subquery()
        erased = (TurnRow.id > newest - _LATEST) & (TurnRow.question == "") & TurnRow.messages.any()
        rows = session.scalars(
            select(TurnRow)
            .where(TurnRow.status.in_(_OPEN) | erased)
            .order_by(TurnRow.id)
            .options(selectinload(TurnRow.messages))
        )
        return [_turn(row) for row in rows]

    @transaction
    def asked_in(self, session: Session, channel: Channel, place: Place) -> bool:
        here = select(TurnRow.id).where(
            TurnRow.room == place.room,
            TurnRow.thread == place.thread,
            TurnRow.channel.startswith(f"{channel.platform}:", autoescape=True),
        )
        if place.message:  # both platforms' ids grow, so the shorter of two numbers is the smaller
            size, own_size = func.length(TurnRow.message), len(place.message)
            here = here.where((size < own_size) | ((size == own_size) & (TurnRow.message <= place.message)))
        return session.scalar(here.limit(1)) is not None

    @transaction
    def asked_lately(self, session: Session, platform: str, seconds: float, most: int) -> Sequence[Place]:
        columns = (TurnRow.id, TurnRow.channel, TurnRow.room, TurnRow.thread, TurnRow.created_at)
        latest = select(*columns).order_by(TurnRow.id.desc()).limit(_LATEST).subquery()
        places = session.execute(
            select(latest.c.room, latest.c.thread)
            .where(
                latest.c.channel.startswith(f"{platform}:", autoescape=True),
                latest.c.created_at > _now() - timedelta(seconds=seconds),
            )
            .group_by(latest.c.room, latest.c.thread)
            .order_by(func.max(latest.c.id).desc())
            .limit(most)
        )
        return [Place(room, thread=thread) for room, thread in places]

    # Conversations

    @transaction
    def conversation_of(self, session: Session, turn: Turn) -> Conversation | None:
        statement = select(ConversationRow).join(TurnRow, TurnRow.conversation_id == ConversationRow.id)
        row = session.scalar(statement.where(TurnRow.id == turn.id))
        return None if row is None else _conversation(row)

    @transaction
    def set_remote(self, session: Session, conversation: Conversation, remote: str) -> Conversation:
        statement = update(ConversationRow).where(ConversationRow.id == conversation.id).values(remote=remote)
        if session.scalar(statement.returning(ConversationRow.id)) is None:
            raise Missing(f"conversation {conversation.id} is not in the database")
        return replace(conversation, remote=remote)

    @transaction
    def close_conversations(self, session: Session, channel: Channel) -> None:
        session.execute(
            update(ConversationRow)
            .where(ConversationRow.channel == str(channel), ConversationRow.closed_at.is_(None))
            .values(closed_at=_now())
        )

    @transaction
    def forgotten(self, session: Session, backend: str) -> Sequence[Conversation]:
        running = select(TurnRow.id).where(
            TurnRow.conversation_id == ConversationRow.id,
            (TurnRow.status == Status.RUNNING) | ((TurnRow.status == Status.QUEUED) & (TurnRow.response != "")),
        )
        rows = session.scalars(
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

    def _taken_up(self, session: Session, row: TurnRow, backend: str) -> ConversationRow | None:
        """The conversation in which the turn's answer goes on at the server, if it does."""
        if not row.response:
            return None
        conversation = session.get(ConversationRow, row.conversation_id, with_for_update=True)
        if conversation is not None and conversation.backend == backend:
            return conversation
        row.response = row.cursor = ""
        return None

    def _conversation(self, session: Session, channel: Channel, backend: str) -> ConversationRow:
        """The channel's open conversation with this backend; a new one where there is none."""
        # locked: what closes conversations comes wholly before this transaction or sees its turn running
        find = (
            select(ConversationRow)
            .where(
                ConversationRow.channel == str(channel),
                ConversationRow.backend == backend,
                ConversationRow.closed_at.is_(None),
            )
            .with_for_update()
        )
        if row := session.scalar(find):
            return row
        statement = self._insert(ConversationRow).values(channel=str(channel), backend=backend, created_at=_now())
        session.execute(statement.on_conflict_do_nothing())
        return session.scalars(find).one()

    # Notes

    @transaction
    def read(self, session: Session, name: str) -> str | None:
        return session.scalar(select(NoteRow.text).where(NoteRow.name == name))

    @transaction
    def write(self, session: Session, name: str, text: str | None) -> None:
        if text is None:
            session.execute(delete(NoteRow).where(NoteRow.name == name))
            return
        statement = self._insert(NoteRow).values(name=name, text=text)
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"text": text}))


def _now() -> datetime:
    return datetime.now(UTC)


def _change(session: Session, turn: Turn, **values: object) -> None:
    statement = update(TurnRow).where(TurnRow.id == turn.id).values(**values)
    if session.scalar(statement.returning(TurnRow.id)) is None:
        raise _missing(turn)


def _missing(turn: Turn) -> Missing:
    return Missing(f"turn {turn.id} is not in the database")


def _columns(progress: Progress) -> dict[str, Any]:
    return {
        "answer": progress.text,
        "settled": progress.settled,
        "response": progress.response,
        "cursor": progress.cursor,
        "asked": progress.asked,
    }


def _history(session: Session, conversation: ConversationRow) -> Sequence[Exchange]:
    rows = session.scalars(
        select(TurnRow)
        .where(TurnRow.conversation_id == conversation.id, TurnRow.status.in_(_ENDED), TurnRow.answer != "")
        .order_by(TurnRow.id)
    )
    return [_exchange(row) for row in rows]


def _turn(row: TurnRow) -> Turn:
    return Turn(
        id=row.id,
        prompt=_prompt(row),
        status=Status(row.status),
        attempts=row.attempts,
        cut_short=row.cut_short,
        messages=tuple(message.message for message in row.messages if not message.file),
        files=tuple(message.message for message in row.messages if message.file),
        progress=_progress(row) if row.status in _OPEN else Progress(),
    )


def _progress(row: TurnRow) -> Progress:
    return Progress(row.answer, row.settled, row.response, row.cursor, row.asked)


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
