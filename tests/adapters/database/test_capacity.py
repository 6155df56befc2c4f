"""Where enough questions wait, one more is stored as refused: counted exactly, and seen once like any other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import select

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from adapters.database.tables import TurnRow
from bot.core.line import Capacity
from bot.core.model import Channel, End, Ending, Prompt, Turn

CHANNEL = Channel("slack", "T1:C1")
TWO = Capacity(waiting=2)
THREE_IN_ALL = Capacity(waiting_in_all=3)


def ends(accepted: list[Turn | Ending | None]) -> list[End | None]:
    """None where it is queued."""
    assert None not in accepted
    return [one.end if isinstance(one, Ending) else None for one in accepted]


async def test_as_many_wait_in_a_channel_as_the_capacity_says_beside_the_one_that_runs(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """The first is about to run, so whether it has begun already makes no difference."""
    before = [await store.accept(ask(key), TWO) for key in ("1", "2", "3", "4")]
    assert ends(before) == [None, None, None, End.QUEUE_FULL]
    running = await store.begin(CHANNEL, "responses")
    assert ends([await store.accept(ask("5"), TWO)]) == [End.QUEUE_FULL]
    assert running is not None
    await store.finish(running.turn, "Well.", Ending(End.COMPLETED))
    assert ends([await store.accept(ask(key), TWO) for key in ("6", "7")]) == [None, End.QUEUE_FULL]
    assert ends([await store.accept(ask("elsewhere", channel="slack:T1:C2"), TWO)]) == [None]


async def test_a_refused_question_is_never_answered_and_not_refused_again_when_it_is_delivered_again(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for key in ("1", "2", "3", "refused"):
        await store.accept(ask(key), TWO)
    assert await store.accept(ask("refused"), TWO) is None
    for key in ("1", "2", "3"):
        running = await store.begin(CHANNEL, "responses")
        assert running is not None
        assert running.turn.prompt.key == key
        await store.finish(running.turn, "Well.", Ending(End.COMPLETED))
    assert await store.accept(ask("refused"), TWO) is None
    assert await store.begin(CHANNEL, "responses") is None
    assert await store.open_turns() == []


async def test_a_queued_question_that_is_delivered_again_is_not_refused(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for key in ("1", "2", "3"):
        await store.accept(ask(key), TWO)
    assert await store.accept(ask("3"), TWO) is None
    assert [turn.prompt.key for turn in await store.open_turns()] == ["1", "2", "3"]


async def test_as_many_wait_on_a_platform_as_the_capacity_says(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """Questions of another platform do not count: it may be off, and its questions wait for it."""
    for n in range(5):
        await store.accept(ask(f"d{n}", channel=f"discord:{n}"))
    accepted = [await store.accept(ask(f"s{n}", channel=f"slack:{n}"), THREE_IN_ALL) for n in range(4)]
    assert ends(accepted) == [None, None, None, End.BUSY]
    assert await store.begin(Channel("slack", "0"), "responses") is not None
    accepted = [await store.accept(ask(f"t{n}", channel=f"slack:{n}"), THREE_IN_ALL) for n in range(2)]
    assert ends(accepted) == [None, End.BUSY]


async def test_of_many_questions_at_once_to_two_programs_as_many_are_taken_as_there_is_room(
    url: str, ask: Callable[..., Prompt]
) -> None:
    one, other = await open_store(url), await open_store(url)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.accept(ask(str(n % 30)), TWO)) for n in range(60) for store in (one, other)]
    accepted = [task.result() for task in tasks]
    assert len([taken for taken in accepted if isinstance(taken, Turn)]) == 3
    assert len([refused for refused in accepted if isinstance(refused, Ending)]) == 27
    assert len(await one.open_turns()) == 3
    await one.close()
    await other.close()


async def test_the_text_of_a_refused_question_is_not_kept(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    one = Capacity(waiting=1)
    for key in ("1", "2", "3"):
        await store.accept(ask(key, text=f"question {key}"), one)
    in_order = select(TurnRow.question).order_by(TurnRow.id)
    texts = await store.database.run(lambda session: session.scalars(in_order).all())
    assert texts == ["question 1", "question 2", ""]
