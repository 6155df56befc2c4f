"""A channel has one open conversation with a backend, and what was forgotten is deleted on the server once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.database.store import DatabaseStore
from bot.core.model import Channel, Conversation, End, Ending, Exchange, Person, Prompt, Turn
from bot.errors import StoreError

CHANNEL = Channel("discord", "7")


async def run(store: DatabaseStore, prompt: Prompt, conversation: Conversation) -> Turn:
    turn = await store.accept(prompt)
    assert turn is not None
    return await store.start(turn, conversation)


async def test_a_channel_keeps_its_conversation_with_each_backend(store: DatabaseStore) -> None:
    conversation = await store.conversation(CHANNEL, "responses")
    assert conversation == Conversation(conversation.id, CHANNEL, "responses", "")
    named = await store.set_remote(conversation, "conv_1")
    assert named == replace(conversation, remote="conv_1")
    assert await store.conversation(CHANNEL, "responses") == named
    assert (await store.conversation(CHANNEL, "chat")).id != conversation.id
    assert (await store.conversation(Channel("slack", "7"), "responses")).id != conversation.id


async def test_a_closed_conversation_is_followed_by_a_new_one(store: DatabaseStore) -> None:
    old = await store.conversation(CHANNEL, "responses")
    other = await store.conversation(Channel("discord", "8"), "responses")
    await store.close_conversations(CHANNEL)
    new = await store.conversation(CHANNEL, "responses")
    assert new.id != old.id
    await store.close_conversations(CHANNEL)
    assert (await store.conversation(CHANNEL, "responses")).id not in {old.id, new.id}
    assert await store.conversation(Channel("discord", "8"), "responses") == other


async def test_history_is_what_was_answered_oldest_first(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    conversation = await store.conversation(CHANNEL, "chat")
    endings = [
        ("completed", End.COMPLETED, True),
        ("cut", End.LENGTH, True),
        ("stopped", End.STOPPED, False),
        ("lost", End.CONNECTION_LOST, False),
    ]
    turns = [await run(store, ask(name, text=f"{name}?"), conversation) for name, _, _ in endings]
    for turn, (name, end, _) in reversed(list(zip(turns, endings, strict=True))):  # the order of asking counts
        await store.finish(turn, f"{name}!", Ending(end, "a detail"))
    assert list(await store.history(conversation)) == [
        Exchange(f"{name}?", f"{name}!", settled) for name, _, settled in endings
    ]


async def test_history_leaves_out_what_has_no_answer_or_has_not_ended(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    conversation = await store.conversation(CHANNEL, "chat")
    elsewhere = await store.conversation(CHANNEL, "responses")
    await store.finish(await run(store, ask("1"), conversation), "", Ending(End.WRONG_KEY))
    await store.finish(await run(store, ask("2"), elsewhere), "elsewhere", Ending(End.COMPLETED))
    ended = await run(store, ask("3"), conversation)
    await store.finish(ended, "half of it", Ending(End.SHUTDOWN))
    await run(store, ask("4"), conversation)
    assert [exchange.answer for exchange in await store.history(conversation)] == ["half of it"]
    await store.requeue(ended)
    assert await store.history(conversation) == []


async def test_history_tells_who_asked_where_several_people_write(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    conversation = await store.conversation(CHANNEL, "chat")
    turn = await run(store, ask("1", text="Why?", author=Person("U7", "Grace"), shared=True), conversation)
    await store.finish(turn, "Because.", Ending(End.COMPLETED))
    assert await store.history(conversation) == [Exchange("Grace: Why?", "Because.")]


async def test_forgotten_conversations_are_the_closed_ones_that_are_still_on_the_server(store: DatabaseStore) -> None:
    closed = await store.set_remote(await store.conversation(CHANNEL, "responses"), "conv_1")
    await store.conversation(CHANNEL, "chat")  # nothing of it is on a server
    await store.close_conversations(CHANNEL)
    await store.set_remote(await store.conversation(CHANNEL, "responses"), "conv_2")  # open
    assert await store.forgotten("responses") == [closed]
    assert await store.forgotten("chat") == []
    await store.set_remote(closed, "")  # the caller has deleted it
    assert await store.forgotten("responses") == []


async def test_a_conversation_in_which_a_turn_is_running_is_not_forgotten_yet(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    conversation = await store.conversation(CHANNEL, "responses")
    turn = await run(store, ask("1"), conversation)
    await store.close_conversations(CHANNEL)
    named = await store.set_remote(conversation, "conv_1")  # known only after it was closed
    assert await store.forgotten("responses") == []
    await store.finish(turn, "text", Ending(End.STOPPED))
    assert await store.forgotten("responses") == [named]


async def test_a_conversation_that_is_not_there_is_an_error(store: DatabaseStore) -> None:
    with pytest.raises(StoreError, match="conversation 99 is not in the database"):
        await store.set_remote(Conversation(99, CHANNEL, "responses"), "conv_1")
