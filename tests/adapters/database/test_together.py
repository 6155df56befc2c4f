"""Many tasks at once, and tasks that are cancelled: each call happens once, as a whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.model import Channel, End, Ending, Exchange, Prompt, Turn

T = TypeVar("T")
CHANNEL = Channel("slack", "T1:C1")


async def at_once(calls: list[Coroutine[Any, Any, T]]) -> list[T]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call) for call in calls]
    return [task.result() for task in tasks]


async def a_whole_turn(store: DatabaseStore, prompt: Prompt) -> Turn:
    turn = await store.accept(prompt)
    assert turn is not None
    turn = await store.start(turn, await store.conversation(prompt.channel, "responses"))
    await store.set_response(turn, f"resp_{prompt.key}")
    for page in range(2):
        await store.add_message(turn, f"{prompt.key}.{page}")
    await store.finish(turn, f"answer to {prompt.key}", Ending(End.COMPLETED))
    return turn


async def test_fifty_turns_at_once_are_all_kept(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    """No "database is locked", whichever way they interleave."""
    turns = await at_once([a_whole_turn(store, ask(str(n), channel=f"discord:{n % 5}")) for n in range(50)])
    assert len({turn.id for turn in turns}) == 50
    assert await store.open_turns() == []
    answers: set[str] = set()
    for channel in range(5):
        conversation = await store.conversation(Channel("discord", str(channel)), "responses")
        answers |= {exchange.answer for exchange in await store.history(conversation)}
    assert answers == {f"answer to {n}" for n in range(50)}


async def test_one_key_delivered_many_times_at_once_is_one_turn(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    turns = await at_once([store.accept(ask("Ev1")) for _ in range(20)])
    assert len([turn for turn in turns if turn is not None]) == 1
    assert len(await store.open_turns()) == 1


async def test_a_channel_asked_many_times_at_once_gets_one_conversation(store: DatabaseStore) -> None:
    conversations = await at_once([store.conversation(CHANNEL, "responses") for _ in range(20)])
    assert len({conversation.id for conversation in conversations}) == 1


async def test_two_programs_on_one_database_wait_for_each_other(url: str, ask: Callable[..., Prompt]) -> None:
    one, other = await at_once([open_store(url), open_store(url)])
    turns = await at_once([store.accept(ask(str(n % 10))) for n in range(20) for store in (one, other)])
    assert len([turn for turn in turns if turn is not None]) == 10
    assert len(await one.open_turns()) == 10
    await one.close()
    await other.close()


async def test_a_cancelled_finish_is_finished_first(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    """At whatever instant it is cancelled, once or twice: all of it is stored, or nothing where it had not begun."""
    conversation = await store.conversation(CHANNEL, "responses")
    stored = 0
    for instant in range(0, 40, 3):
        turn = await store.accept(ask(str(instant)))
        assert turn is not None
        turn = await store.start(turn, conversation)
        finishing = asyncio.create_task(store.finish(turn, f"{instant}", Ending(End.COMPLETED)))
        for _ in range(instant):
            await asyncio.sleep(0)
        for _ in range(1 + instant % 2):
            finishing.cancel()
            await asyncio.sleep(0)
        with contextlib.suppress(asyncio.CancelledError):
            await finishing
        begun = instant > 0
        assert len(await store.open_turns()) == (0 if begun else 1)
        assert (Exchange("What is a rivulet?", f"{instant}") in await store.history(conversation)) is begun
        stored += begun
        await store.finish(turn, "", Ending(End.STOPPED)) if not begun else None
    assert len(await store.history(conversation)) == stored


async def test_a_database_in_memory_survives_cancelled_calls(ask: Callable[..., Prompt]) -> None:
    store = await open_store("sqlite+aiosqlite://")
    first = await store.accept(ask("first"))
    for instant in range(20):
        accepting = asyncio.create_task(store.accept(ask(str(instant))))
        for _ in range(instant):
            await asyncio.sleep(0)
        accepting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await accepting
    assert await store.next_queued(CHANNEL) == first
    await at_once([a_whole_turn(store, ask(f"at once {n}", channel="terminal:")) for n in range(10)])
    assert len(await store.history(await store.conversation(Channel("terminal", ""), "responses"))) == 10
    await store.close()
