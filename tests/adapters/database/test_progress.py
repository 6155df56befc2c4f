"""How far an answer has come: kept as long as it is open, and what it goes on in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adapters.database.store import DatabaseStore
from bot.core.model import Channel, End, Ending, Exchange, Progress, Prompt, Status
from bot.ports import Running

CHANNEL = Channel("slack", "T1:C1")
HALF = Progress("Half an", 1, "resp_1", "7:0.0:", asked=True)
DONE = Ending(End.COMPLETED)


async def begin(store: DatabaseStore, backend: str = "responses") -> Running:
    running = await store.begin(CHANNEL, backend)
    assert running is not None
    return running


async def interrupted(store: DatabaseStore, prompt: Prompt, progress: Progress = HALF) -> Running:
    """As a start finds it."""
    await store.accept(prompt)
    running = await begin(store)
    await store.set_progress(running.turn, progress)
    await store.requeue(running.turn)
    return running


async def test_the_next_attempt_knows_how_far_the_last_one_came(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    await interrupted(store, ask("1"))
    again = (await begin(store)).turn
    assert (again.progress, again.attempts, again.cut_short) == (HALF, 2, 1)
    further = replace(HALF, text="Half an answer", cursor="8")
    await store.requeue(again, further, counts=False)
    again = (await begin(store)).turn
    assert (again.progress, again.cut_short) == (further, 1)


async def test_it_is_forgotten_with_the_end_and_with_another_wording(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    await interrupted(store, ask("1"))
    running = await begin(store)
    await store.finish(running.turn, "Half an answer and the rest", DONE)
    ended = await store.find("1")
    assert ended is not None
    assert (ended.progress, ended.status) == (Progress(), Status.DONE)
    assert await store.reword(ended, "Why not?", Status.DONE)
    assert (await begin(store)).turn.progress == Progress()


async def test_half_an_answer_is_no_history(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    await store.accept(ask("1"))
    await store.finish((await begin(store)).turn, "Whole.", DONE)
    await interrupted(store, ask("2", text="Why?"))
    assert list((await begin(store)).history) == [Exchange(ask("1").for_model(), "Whole.")]


async def test_what_goes_on_at_the_server_goes_on_in_its_conversation(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """Also where the channel was told to forget meanwhile: then it is not deleted yet."""
    before = await interrupted(store, ask("1"))
    conversation = await store.set_remote(before.conversation, "conv_1")
    await store.close_conversations(CHANNEL)
    assert await store.forgotten("responses") == []
    running = await begin(store)
    assert running.conversation == conversation
    await store.finish(running.turn, "Whole.", DONE)
    assert await store.forgotten("responses") == [conversation]
    await store.accept(ask("2"))
    assert (await begin(store)).conversation.id != conversation.id


async def test_without_a_response_the_channels_open_conversation_counts(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    before = await interrupted(store, ask("1"), Progress("Half an", 1))
    await store.close_conversations(CHANNEL)
    running = await begin(store)
    assert running.conversation.id != before.conversation.id
    assert running.turn.progress == Progress("Half an", 1)


async def test_another_backend_cannot_take_it_up(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    await interrupted(store, ask("1"))
    running = await begin(store, "chat")
    assert running.conversation.backend == "chat"
    assert running.turn.progress == replace(HALF, response="", cursor="")
