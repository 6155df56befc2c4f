"""Whether there is room for one more question: what is queued is counted, and nobody else accepts one meanwhile."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Integer, ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from adapters.database.tables import TurnRow
from bot.core.line import Capacity
from bot.core.model import Channel, Ending, Status

_ACCEPTING = 0x616363657074  # "accept": the lock under which PostgreSQL counts questions and stores one


def refusal(session: Session, channel: Channel, capacity: Capacity) -> Ending | None:
    """What the capacity says to one more question of the channel. It stays true until the transaction ends."""
    if not capacity.waiting and not capacity.waiting_in_all:
        return None
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(select(func.pg_advisory_xact_lock(_ACCEPTING)))
    values = {
        "channel": str(channel),
        "platform": f"{channel.platform}:%",
        "most_here": capacity.waiting + 1,
        "most_in_all": capacity.waiting_in_all,
    }
    queued, queued_in_all, running = session.execute(_COUNTS, values).one()
    return capacity.refusal(queued, queued_in_all, running=running)


def _queued(where: ColumnElement[bool], most: BindParameter[int]) -> ScalarSelect[int]:
    """How many of these turns are queued, counted up to this number."""
    queued = select(TurnRow.id).where(where, TurnRow.status == Status.QUEUED).limit(most)
    return select(func.count()).select_from(queued.subquery()).scalar_subquery()


_HERE = TurnRow.channel == bindparam("channel")

# built once: building it takes longer than executing it
_COUNTS = select(
    _queued(_HERE, bindparam("most_here", type_=Integer)),
    _queued(TurnRow.channel.like(bindparam("platform")), bindparam("most_in_all", type_=Integer)),
    select(TurnRow.id).where(_HERE, TurnRow.status == Status.RUNNING).exists(),
)
