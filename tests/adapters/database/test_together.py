"""Many tasks at once, and tasks that are cancelled: each call happens once, as a whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.model import Channel, End, Ending, Progress, Prompt, Turn
from bot.ports import Running

T = TypeVar("T")
CHANNEL = Channel("slack", "T1:C1")


async def at_once(calls: list[Coroutine[Any, Any, T]]) -> list[T]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call) for call in calls]
    return [task.result() for task in tasks]


async def a_whole_turn(store: DatabaseStore, prompt: Prompt) -> Turn:
    await store.accept(prompt)
    turn = (await begin(store, prompt.channel)).turn
    key = turn.prompt.key
    await store.set_progress(turn, Progress(response=f"resp_{key}"))
    for page in range(2):
        await store.add_message(turn, f"{key}.{page}")
    await store.finish(turn, f"answer to {key}", Ending(End.COMPLETED))
    return turn


async def begin(store: DatabaseStore, channel: Channel = CHANNEL) -> Running:
    running = await store.begin(channel, "responses")
    assert running is not None
    return running


async def answers(store: DatabaseStore, question: Prompt) -> list[str]:
    """What the conversation holds, as a further question finds it."""
    await store.accept(question)
    running = await begin(store, question.channel)
    await store.finish(running.turn, "", Ending(End.STOPPED))
    return [exchange.answer for exchange in running.history]


async def test_fifty_turns_at_once_are_all_kept(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    """No "database is locked", whichever way they interleave."""
    turns = await at_once([a_whole_turn(store, ask(str(n), channel=f"discord:{n % 5}")) for n in range(50)])
    assert len({turn.id for turn in turns}) == 50
    assert await store.open_turns() == []
    found: list[str] = []
    for channel in range(5):
        found += await answers(store, ask(f"at last {channel}", channel=f"discord:{channel}"))
    assert sorted(found) == sorted(f"answer to {n}" for n in range(50))


async def test_one_key_delivered_many_times_at_once_is_one_turn(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    turns = await at_once([store.accept(ask("Ev1")) for _ in range(20)])
    assert len([turn for turn in turns if turn is not None]) == 1
    assert len(await store.open_turns()) == 1


async def test_turns_of_a_channel_that_begin_at_once_are_different_ones_of_one_conversation(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for n in range(20):
        await store.accept(ask(str(n)))
    begun = await at_once([begin(store) for _ in range(20)])
    assert {running.turn.prompt.key for running in begun} == {str(n) for n in range(20)}
    assert len({running.conversation.id for running in begun}) == 1


async def test_two_programs_on_one_database_wait_for_each_other(url: str, ask: Callable[..., Prompt]) -> None:
    one, other = await at_once([open_store(url), open_store(url)])
    turns = await at_once([store.accept(ask(str(n % 10))) for n in range(20) for store in (one, other)])
    assert len([turn for turn in turns if turn is not None]) == 10
    assert len(await one.open_turns()) == 10
    await one.close()
    await other.close()


async def test_a_cancelled_finish_is_finished_first(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    """At whatever instant it is cancelled, once or twice: all of it is stored, or nothing where it had not begun."""
    for instant in range(0, 40, 3):
        channel = f"discord:{instant}"
        await store.accept(ask(str(instant), channel=channel))
        turn = (await begin(store, Channel.parse(channel))).turn
        finishing = asyncio.create_task(store.finish(turn, f"{instant}", Ending(End.COMPLETED)))
        for _ in range(instant):
            await asyncio.sleep(0)
        for _ in range(1 + instant % 2):
            finishing.cancel()
            await asyncio.sleep(0)
        with contextlib.suppress(asyncio.CancelledError):
            await finishing
        stored = [str(instant)] if instant else []
        assert await answers(store, ask(f"after {instant}", channel=channel)) == stored
        assert await store.open_turns() == ([] if instant else [turn])
        if not instant:
            await store.finish(turn, "", Ending(End.STOPPED))


async def test_a_call_that_waits_for_its_turn_is_not_lost_when_it_is_cancelled(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """More calls than connections: most have not reached the database when their callers are cancelled."""
    accepting = [asyncio.create_task(store.accept(ask(str(n)))) for n in range(30)]
    await asyncio.sleep(0)
    for task in accepting:
        task.cancel()
    await asyncio.gather(*accepting, return_exceptions=True)
    assert all(task.cancelled() for task in accepting)
    assert len(await store.open_turns()) == 30


async def test_closing_finishes_what_was_asked(url: str, ask: Callable[..., Prompt]) -> None:
    before = await open_store(url)
    accepting = [asyncio.create_task(before.accept(ask(str(n)))) for n in range(30)]
    await asyncio.sleep(0)
    await before.close()
    await asyncio.gather(*accepting)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("database")]
    after = await open_store(url)
    assert len(await after.open_turns()) == 30
    await after.close()


async def test_a_database_in_memory_survives_cancelled_calls(ask: Callable[..., Prompt]) -> None:
    store = await open_store("sqlite://")
    first = await store.accept(ask("first"))
    assert isinstance(first, Turn)
    for instant in range(20):
        accepting = asyncio.create_task(store.accept(ask(str(instant))))
        for _ in range(instant):
            await asyncio.sleep(0)
        accepting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await accepting
    assert (await begin(store)).turn.prompt == first.prompt
    await at_once([a_whole_turn(store, ask(f"at once {n}", channel="terminal:")) for n in range(10)])
    assert len(await answers(store, ask("at last", channel="terminal:"))) == 10
    await store.close()
