"""A channel has one open conversation with a backend, and what was forgotten is deleted on the server once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.database.store import DatabaseStore
from bot.core.model import Channel, Conversation, End, Ending, Exchange, Person, Prompt, Turn
from bot.errors import Missing
from bot.ports import Running

CHANNEL = Channel("discord", "7")


async def begin(store: DatabaseStore, prompt: Prompt, backend: str = "responses") -> Running:
    """The question is asked, and its turn begins."""
    assert await store.accept(prompt) is not None
    running = await store.begin(prompt.channel, backend)
    assert running is not None
    assert running.turn.prompt == prompt
    return running


async def test_a_channel_keeps_its_conversation_with_each_backend(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    conversation = (await begin(store, ask("1", channel="discord:7"))).conversation
    assert conversation == Conversation(conversation.id, CHANNEL, "responses", "")
    named = await store.set_remote(conversation, "conv_1")
    assert named == replace(conversation, remote="conv_1")
    assert (await begin(store, ask("2", channel="discord:7"))).conversation == named
    others = [
        await begin(store, ask("3", channel="discord:7"), "chat"),
        await begin(store, ask("4", channel="slack:7")),
    ]
    assert len({conversation.id, *[other.conversation.id for other in others]}) == 3


async def test_a_closed_conversation_is_followed_by_a_new_one(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    old = (await begin(store, ask("1", channel="discord:7"))).conversation
    other = (await begin(store, ask("2", channel="discord:8"))).conversation
    await store.close_conversations(CHANNEL)
    new = (await begin(store, ask("3", channel="discord:7"))).conversation
    await store.close_conversations(CHANNEL)
    newest = (await begin(store, ask("4", channel="discord:7"))).conversation
    assert len({old.id, new.id, newest.id}) == 3
    assert (await begin(store, ask("5", channel="discord:8"))).conversation == other


async def test_a_turn_is_in_the_conversation_in_which_it_began(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    waiting = await store.accept(ask("0", channel="discord:8"))
    assert isinstance(waiting, Turn)
    assert await store.conversation_of(waiting) is None
    running = await begin(store, ask("1", channel="discord:7"))
    named = await store.set_remote(running.conversation, "conv_1")
    await store.close_conversations(CHANNEL)
    await begin(store, ask("2", channel="discord:7"))
    assert await store.conversation_of(running.turn) == named


async def test_history_is_what_was_answered_oldest_first(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    endings = [
        ("completed", End.COMPLETED, True),
        ("cut", End.LENGTH, True),
        ("stopped", End.STOPPED, False),
        ("lost", End.CONNECTION_LOST, False),
    ]
    turns = [(await begin(store, ask(name, text=f"{name}?"), "chat")).turn for name, _, _ in endings]
    for turn, (name, end, _) in reversed(list(zip(turns, endings, strict=True))):  # the order of asking counts
        await store.finish(turn, f"{name}!", Ending(end, "a detail"))
    assert list((await begin(store, ask("next"), "chat")).history) == [
        Exchange(f"{name}?", f"{name}!", settled) for name, _, settled in endings
    ]


async def test_history_leaves_out_what_has_no_answer_or_has_not_ended(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    await store.finish((await begin(store, ask("1"), "chat")).turn, "", Ending(End.WRONG_KEY))
    await store.finish((await begin(store, ask("2"), "responses")).turn, "elsewhere", Ending(End.COMPLETED))
    ended = (await begin(store, ask("3"), "chat")).turn
    await store.finish(ended, "half of it", Ending(End.SHUTDOWN))
    await begin(store, ask("4"), "chat")
    assert [exchange.answer for exchange in (await begin(store, ask("5"), "chat")).history] == ["half of it"]
    await store.requeue(ended)
    again = await store.begin(ended.prompt.channel, "chat")
    assert again is not None
    assert (again.turn.id, list(again.history)) == (ended.id, [])


async def test_history_tells_who_asked_where_several_people_write(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    running = await begin(store, ask("1", text="Why?", author=Person("U7", "Grace"), shared=True), "chat")
    await store.finish(running.turn, "Because.", Ending(End.COMPLETED))
    assert list((await begin(store, ask("2"), "chat")).history) == [Exchange("Grace: Why?", "Because.")]


async def test_forgotten_conversations_are_the_closed_ones_that_are_still_on_the_server(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    async def answered(key: str, remote: str, backend: str = "responses") -> Conversation:
        running = await begin(store, ask(key, channel="discord:7"), backend)
        await store.finish(running.turn, "text", Ending(End.COMPLETED))
        return await store.set_remote(running.conversation, remote)

    closed = await answered("1", "conv_1")
    await answered("2", "", "chat")  # nothing of it is on a server
    await store.close_conversations(CHANNEL)
    await answered("3", "conv_2")  # open
    assert await store.forgotten("responses") == [closed]
    assert await store.forgotten("chat") == []
    await store.set_remote(closed, "")  # the caller has deleted it
    assert await store.forgotten("responses") == []


async def test_a_conversation_in_which_a_turn_is_running_is_not_forgotten_yet(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    running = await begin(store, ask("1", channel="discord:7"))
    await store.close_conversations(CHANNEL)
    named = await store.set_remote(running.conversation, "conv_1")  # known only after it was closed
    assert await store.forgotten("responses") == []
    await store.finish(running.turn, "text", Ending(End.STOPPED))
    assert await store.forgotten("responses") == [named]


async def test_a_conversation_that_is_not_there_is_an_error(store: DatabaseStore) -> None:
    with pytest.raises(Missing, match="conversation 99 is not in the database"):
        await store.set_remote(Conversation(99, CHANNEL, "responses"), "conv_1")
