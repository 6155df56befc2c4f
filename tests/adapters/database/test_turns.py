"""The table of turns is the queue: every question is in it once, in order, until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from bot.core.line import Capacity
from bot.core.model import Channel, End, Ending, Person, Place, Progress, Prompt, Status, Turn
from bot.errors import Missing

CHANNEL = Channel("slack", "T1:C1")
DONE = Ending(End.COMPLETED)


async def accept(store: DatabaseStore, prompt: Prompt) -> Turn:
    turn = await store.accept(prompt)
    assert isinstance(turn, Turn)
    return turn


async def begin(store: DatabaseStore, channel: Channel = CHANNEL) -> Turn:
    """The channel's next turn."""
    running = await store.begin(channel, "responses")
    assert running is not None
    return running.turn


async def test_a_question_is_kept_as_it_was_asked(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    prompt = ask(
        "Ev1",
        text="Wie heißt 🦦?\n\n```\nx\n```",
        channel="slack:T1:C1:170.5",
        place=Place("C1", "171.5", "170.5"),
        author=Person("U7", "Zoë Ω"),
        shared=True,
    )
    turn = await accept(store, prompt)
    assert turn == Turn(turn.id, prompt)
    assert await begin(store, prompt.channel) == replace(turn, status=Status.RUNNING, attempts=1)


async def test_a_key_seen_before_is_not_stored_again(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    await accept(store, ask("Ev1"))
    assert await store.accept(ask("Ev1", text="delivered again", channel="discord:5")) is None
    await store.finish(await begin(store), "A small stream.", DONE)
    assert await store.accept(ask("Ev1")) is None
    assert await store.open_turns() == []


async def test_the_oldest_queued_turn_of_the_channel_is_next(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    elsewhere = await accept(store, ask("0", channel="slack:T1:C2"))
    first, second = [await accept(store, ask(key)) for key in ("1", "2")]
    assert elsewhere.id < first.id < second.id
    assert (await begin(store)).id == first.id
    assert (await begin(store)).id == second.id
    assert await store.begin(CHANNEL, "responses") is None
    assert await store.open_turns() == [
        elsewhere,
        *[replace(turn, status=Status.RUNNING, attempts=1) for turn in (first, second)],
    ]


async def test_a_turn_that_has_begun_is_running_and_counts_its_attempts(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    turn = await accept(store, ask("1"))
    begun = await begin(store)
    assert begun == replace(turn, status=Status.RUNNING, attempts=1)
    await store.requeue(begun)
    assert await begin(store) == replace(turn, status=Status.RUNNING, attempts=2, cut_short=1)
    await store.requeue(begun, counts=False)
    assert await begin(store) == replace(turn, status=Status.RUNNING, attempts=3, cut_short=1)


async def test_a_requeued_turn_goes_before_later_ones_and_keeps_its_messages(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for key in ("1", "2"):
        await accept(store, ask(key))
    first, second = await begin(store), await begin(store)
    await store.add_message(first, "m1")
    await store.requeue(second)
    await store.requeue(first)
    assert await begin(store) == replace(first, attempts=2, cut_short=1, messages=("m1",))


async def test_messages_stay_in_the_order_of_posting(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    turn, other = [await accept(store, ask(key)) for key in ("1", "2")]
    await store.add_message(turn, "f1", file=True)
    for message in ("m9", "m1", "m5", "m1", "m3"):
        await store.add_message(turn, message)
    await store.add_message(other, "m1")
    await store.drop_message(turn, "m5")
    await store.drop_message(turn, "m5")
    assert [open_turn.messages for open_turn in await store.open_turns()] == [("m9", "m1", "m3"), ("m1",)]
    await store.drop_message(turn, "m3")
    await store.add_message(turn, "m2")
    begun = await begin(store)
    assert (begun.messages, begun.files) == (("m9", "m1", "m2"), ("f1",))
    await store.drop_message(turn, "f1")
    await store.requeue(begun)
    assert (await begin(store)).files == ()


async def test_open_turns_are_the_queued_and_the_running_of_all_channels_oldest_first(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    queued, running, done, stopped, failed = [
        await accept(store, ask(str(number), channel=f"discord:{number}")) for number in range(5)
    ]
    running = await begin(store, running.prompt.channel)
    for turn, end in ((done, End.COMPLETED), (stopped, End.STOPPED), (failed, End.OVERLOADED)):
        await store.finish(await begin(store, turn.prompt.channel), "text", Ending(end))
    assert await store.open_turns() == [queued, running]


async def test_a_turn_may_end_before_it_has_begun(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    await store.finish(await accept(store, ask("1")), "", Ending(End.STOPPED))
    assert await store.open_turns() == []


async def test_a_thread_is_known_by_platform_room_and_thread(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    turn = await accept(store, ask("1", place=Place("C1", "171.5", "170.5")))
    await store.finish(turn, "", Ending(End.FAILED))
    assert await store.asked_in(CHANNEL, Place("C1", "171.5", "170.5"))
    assert await store.asked_in(Channel("slack", "T1:C1:170.5"), Place("C1", "", "170.5"))  # whatever the scope is
    assert not await store.asked_in(CHANNEL, Place("C1", "171.5", ""))
    assert not await store.asked_in(CHANNEL, Place("C1", "171.5", "999.9"))
    assert not await store.asked_in(CHANNEL, Place("C2", "171.5", "170.5"))
    assert not await store.asked_in(Channel("discord", "C1"), Place("C1", "171.5", "170.5"))
    assert not await store.asked_in(Channel("sla%", "C1"), Place("C1", "171.5", "170.5"))


async def test_a_thread_is_known_from_the_first_question_in_it_on(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for message in ("999", "1001"):
        await accept(store, ask(message, place=Place("C1", message, "t")))
    known = {m: await store.asked_in(CHANNEL, Place("C1", m, "t")) for m in ("98", "998", "999", "1000", "10000")}
    assert known == {"98": False, "998": False, "999": True, "1000": True, "10000": True}


async def test_places_where_the_bot_was_asked_lately_are_told_once_each_the_latest_first(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    asked = [("C1", ""), ("C2", "170.5"), ("C1", "171.5"), ("C2", "170.5"), ("C1", "")]
    for number, (room, thread) in enumerate(asked):
        await accept(store, ask(str(number), place=Place(room, f"{number}", thread)))
    await accept(store, ask("d", channel="discord:5", place=Place("5", "6")))
    await store.finish(await begin(store, Channel("discord", "5")), "", Ending(End.FAILED))
    places = [Place("C1"), Place("C2", thread="170.5"), Place("C1", thread="171.5")]
    assert await store.asked_lately("slack", 3600, 200) == places
    assert await store.asked_lately("slack", 3600, 2) == places[:2]
    assert await store.asked_lately("slack", 0, 200) == []
    assert await store.asked_lately("discord", 3600, 200) == [Place("5")]
    assert await store.asked_lately("disc", 3600, 200) == []


async def test_everything_is_there_after_a_restart(url: str, ask: Callable[..., Prompt]) -> None:
    before = await open_store(url)
    await accept(before, ask("1"))
    running = await begin(before)
    await before.add_message(running, "m1")
    progress = Progress("Half a", 1, "resp_1", "7")
    await before.set_progress(running, progress)
    queued = await accept(before, ask("2"))
    await before.close()

    after = await open_store(url)
    assert await after.open_turns() == [replace(running, messages=("m1",), progress=progress), queued]
    third = await accept(after, ask("3"))
    assert third.id > queued.id
    await after.close()


async def test_text_that_a_database_cannot_hold_does_not_lose_the_question(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """NUL and half a surrogate pair become U+FFFD."""
    await accept(store, ask("1", text="a\0b\ud83dc", author=Person("U1", "\ude00")))
    turn = await begin(store)
    assert (turn.prompt.text, turn.prompt.author.name) == ("a\ufffdb\ufffdc", "\ufffd")


async def test_a_turn_that_is_not_there_is_an_error(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    missing = Turn(77, ask("1"))
    for call in (
        store.set_progress(missing, Progress(response="resp_1")),
        store.finish(missing, "text", DONE),
        store.requeue(missing),
        store.add_message(missing, "m1"),
    ):
        with pytest.raises(Missing, match="turn 77 is not in the database"):
            await call
    assert await store.open_turns() == []


# Edits and deletions


async def test_a_turn_is_found_by_the_key_of_its_question(store: DatabaseStore, ask: Callable[..., Prompt]) -> None:
    turn = await accept(store, ask("1"))
    await accept(store, ask("2"))
    running = await begin(store)
    await store.add_message(running, "m1")
    assert await store.find("1") == replace(turn, status=Status.RUNNING, attempts=1, messages=("m1",))
    assert await store.find("3") is None


async def test_a_turn_is_the_last_while_nothing_was_asked_after_it_in_its_channel(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    first = await accept(store, ask("1"))
    await accept(store, ask("2", channel="slack:T1:C2"))
    assert await store.is_last(first)
    second = await accept(store, ask("3"))
    assert not await store.is_last(first)
    assert await store.is_last(second)


async def test_the_latest_turn_of_a_channel_is_the_newest_with_a_question(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    """What was refused has none, and what was erased has none any more; how far it has come does not matter."""
    assert await store.latest(CHANNEL) is None
    first = await accept(store, ask("1"))
    assert await store.latest(CHANNEL) == first
    await accept(store, ask("2", channel="slack:T1:C2"))
    running = await begin(store)
    await store.add_message(running, "m1")
    assert await store.latest(CHANNEL) == replace(running, messages=("m1",))
    await store.finish(running, "text", DONE)
    second = await accept(store, ask("3"))
    assert isinstance(await store.accept(ask("4"), Capacity(waiting_in_all=1)), Ending)
    assert await store.latest(CHANNEL) == second
    await store.erase(second)
    assert await store.latest(CHANNEL) == replace(running, messages=("m1",), status=Status.DONE)
    await store.erase(first)
    assert await store.latest(CHANNEL) is None


async def test_a_reworded_question_waits_in_its_old_place_with_its_messages(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for key in ("1", "2"):
        await accept(store, ask(key))
    for _ in range(3):
        running = await begin(store)
        await store.requeue(running)
    running = await begin(store)
    await store.add_message(running, "m1")
    assert await store.reword(running, "Why not?", Status.RUNNING)
    again = await begin(store)
    assert (again.id, again.prompt.text, again.messages) == (running.id, "Why not?", ("m1",))
    assert (again.attempts, again.cut_short) == (5, 0)


async def test_a_question_is_reworded_only_in_the_status_that_is_named(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    turn = await accept(store, ask("1"))
    assert await store.reword(turn, "Why not?", Status.QUEUED)
    turn = await begin(store)
    assert (turn.prompt.text, turn.attempts) == ("Why not?", 1)
    await store.finish(turn, "text", DONE)
    assert not await store.reword(turn, "Why?", Status.RUNNING)
    assert not await store.reword(Turn(77, ask("77")), "Why?", Status.QUEUED)
    found = await store.find("1")
    assert found is not None
    assert (found.prompt.text, found.status) == ("Why not?", Status.DONE)


async def test_an_erased_turn_is_over_and_nothing_of_it_is_told_to_the_model(
    store: DatabaseStore, ask: Callable[..., Prompt]
) -> None:
    for key in ("1", "2", "3"):
        await accept(store, ask(key))
    answered = await begin(store)
    await store.add_message(answered, "m1")
    await store.finish(answered, "text", DONE)
    running = await begin(store)
    waiting = await store.find("3")
    assert waiting is not None
    for turn in (answered, running, waiting):
        before = await store.find(turn.prompt.key)
        assert await store.erase(turn) == before
    [left] = await store.open_turns()
    assert (left.prompt.key, left.messages) == ("1", ("m1",)), "its answer has to be removed"
    statuses = [found.status for key in "123" if (found := await store.find(key))]
    assert statuses == [Status.DONE, Status.STOPPED, Status.STOPPED]
    found = await store.find("1")
    assert found is not None
    assert (found.prompt.text, found.messages) == ("", ("m1",))
    await store.drop_message(answered, "m1")
    assert await store.open_turns() == []
    await accept(store, ask("4"))
    last = await store.begin(CHANNEL, "responses")
    assert last is not None
    assert last.history == []
    with pytest.raises(Missing, match="turn 77 is not in the database"):
        await store.erase(Turn(77, ask("77")))
