"""What a platform and a database do to an answer, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.core.model import Began, Channel, Delta, End, Ending, Status, Turn
from bot.core.pacing import Call
from bot.errors import Gone, Refused, Rejected, Unreachable
from tests.engine.fake_backend import COMPLETED, Step, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage, prompt

WORDS = " ".join(f"word{number}" for number in range(220))
SILENT_END: list[Step] = [0.2, COMPLETED]


async def test_a_refusal_is_waited_out_to_the_moment_and_nothing_is_lost():
    stage = Stage()
    stage.platform.fail(Call.POST, Refused(3.0))
    await stage.answer(says(WORDS, seconds=2, pieces=20))
    refused, taken = stage.platform.when(Call.POST)
    # told half a latency after it arrived; asked again at once when it is over
    assert taken - refused == pytest.approx(3.0 + stage.platform.latency, abs=0.01)
    assert stage.screen == [WORDS]


async def test_a_refusal_counts_for_every_reply_under_that_limit():
    stage = Stage()
    stage.platform.fail(Call.POST, Refused(5.0, limit="all"))
    await asyncio.gather((await stage.relay("q1")).run(), (await stage.relay("q2", room="r2")).run())
    first, *others = stage.platform.when(Call.POST)
    assert sorted(stage.platform.screen("r1") + stage.platform.screen("r2")) == ["Well.", "Well."]
    assert max(others) - first >= 5.0


async def test_after_a_refusal_the_budget_is_smaller_for_a_while():
    stage = Stage(FakePlatform(headers=False))
    stage.platform.fail(Call.EDIT, Refused(1.0, limit="edit:r1"))
    await stage.answer(says(WORDS, seconds=30, pieces=220))
    refused, *edits = stage.platform.when(Call.EDIT)
    soon = [at for at in edits if at < refused + 1 + 2 * 5]
    assert soon
    assert all(sum(at <= other < at + 5 for other in soon) <= 2 for at in soon)
    assert any(sum(at <= other < at + 5 for other in edits) == 5 for at in edits)
    assert stage.screen == [WORDS]


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_post_repeated_after_silence_gives_one_message_with_all_the_text(effect: bool, times: int):
    """Whether or not the silent one was shown; and when it was, its older text does not stay."""
    stage = Stage()
    stage.platform.fail(Call.POST, *[Unreachable("no answer")] * times, effect=effect)
    await stage.answer(says("Hello there, Ada: this grows.", seconds=0.4, pieces=8))
    assert stage.screen == ["Hello there, Ada: this grows."]
    assert len(stage.platform.messages) == 1
    assert stage.store.row("q1").turn.messages == (stage.message.id,)


@pytest.mark.parametrize("effect", [False, True])
async def test_an_edit_without_an_answer_is_made_again(effect: bool):
    stage = Stage()
    stage.platform.fail(Call.EDIT, *[Unreachable("no answer")] * 3, effect=effect)
    await stage.answer(says(WORDS, seconds=4, pieces=40))
    assert stage.screen == [WORDS]


async def test_a_platform_that_is_down_for_a_minute_loses_nothing():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=5, pieces=50))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(1)
    stage.platform.go_down(60)
    await running
    assert stage.screen == [WORDS]
    assert stage.backend.streams[0].said == WORDS
    assert stage.now < 80


async def test_a_channel_that_is_gone_ends_the_answer_quietly(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=20, pieces=200))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(3)
    stage.platform.lose_room("r1")
    ending = await running
    [stream] = stage.backend.streams
    assert ending.status is Status.STOPPED
    assert stage.since_start(stream.closed_at) < 5
    assert WORDS.startswith(stage.store.row("q1").answer)
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


async def test_an_answer_that_somebody_deletes_is_not_written_again():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=20, pieces=200))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(3)
    stage.platform.lose_message(stage.message.id)
    await running
    assert stage.screen == []
    assert stage.now < 5


@pytest.mark.parametrize("call", [Call.POST, Call.EDIT])
async def test_a_platform_that_does_not_take_the_text_is_told_of_in_its_place(
    call: Call, caplog: pytest.LogCaptureFixture
):
    """What is shown already stays."""
    stage = Stage()
    stage.platform.fail(call, Rejected("Blocked by moderation"))
    ending = await stage.answer(says(WORDS, seconds=20, pieces=200))
    assert ending.end is End.UNSHOWN
    [text] = stage.screen
    kept, _, note = text.rpartition("-# ")
    assert note == "The rest of the answer cannot be shown here. Blocked by moderation."
    assert WORDS.startswith(kept.strip())
    assert bool(kept) == (call is Call.EDIT)
    assert stage.now < 5
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == ["call.rejected"]
    assert "word1" not in caplog.text, "no message text in the log"
    assert stage.store.row("q1").turn.status is Status.FAILED


async def test_a_platform_that_does_not_take_that_either_ends_the_turn_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
):
    stage = Stage()
    stage.platform.fail(Call.POST, *[Rejected("Blocked by moderation")] * 2)
    await stage.answer(says(WORDS, seconds=20, pieces=200))
    assert stage.screen == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "call.rejected",
        "reply.abandoned",
    ]


@pytest.mark.parametrize("text", ["Some poison.", f"{WORDS} poison"])
async def test_a_text_that_the_platform_never_gets_over_does_not_stop_its_channel(text: str):
    """It answers everything else, so after a while this is taken for its last word."""
    stage = Stage()
    stage.platform.chokes_on = "poison"
    stage.backend.script(says(text, seconds=9, pieces=90))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(300)
        assert stage.store.row("q1").turn.status is Status.RUNNING, "it may only be in trouble"
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(Channel("discord", "r1"))
    first, second = stage.screen
    assert first.endswith("-# The rest of the answer cannot be shown here. no answer.")
    assert second == "Well."
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.FAILED, Status.DONE]


async def test_an_outage_of_the_platform_is_waited_out_however_long_it_takes():
    stage = Stage()
    running = asyncio.create_task((await stage.relay()).run())
    stage.backend.script(says(WORDS, seconds=9, pieces=90))
    await asyncio.sleep(3)
    stage.platform.go_down(2 * 3600)
    assert await running == Ending(End.COMPLETED)
    assert stage.screen == [WORDS]


@pytest.mark.parametrize("method", ["add_message", "set_remote", "set_progress"])
async def test_a_database_that_does_not_note_an_id_does_not_hurt_the_answer(method: str):
    stage = Stage()
    stage.store.fail(method)
    ending = await stage.answer([Began("conv_1", "resp_1"), *says("Hello.")])
    assert ending == Ending(End.COMPLETED)
    assert stage.screen == ["Hello."]
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_the_end_of_a_turn_is_stored_when_the_database_is_back():
    stage = Stage()
    stage.store.fail("finish", 3)
    await stage.answer(says("Hello."))
    assert stage.store.row("q1").turn.status is Status.DONE
    assert stage.now > 10, "it is given time"


async def test_a_finished_turn_is_stored_although_the_task_is_cancelled_meanwhile():
    stage = Stage()
    stage.store.latency = 0.5
    stage.backend.script(says("Hello."))
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await stage.until(lambda: stage.store.calls["finish"])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stage.store.row("q1").turn.status is Status.DONE


@pytest.mark.parametrize("call", [Call.POST, Call.EDIT, Call.TYPING])
async def test_a_call_that_fails_in_an_unknown_way_keeps_no_permit(call: Call):
    """An adapter's bug breaks its turn; a window that lost its permits would break the channel."""
    stage = Stage()
    for number in range(8):
        stage.platform.fail(call, KeyError("id"))
        relay = await stage.relay(f"q{number}")
        stage.backend.script(says(WORDS, seconds=3, pieces=30, first=0.5))
        with pytest.raises(ExceptionGroup):
            await relay.run()
        await asyncio.sleep(5)
    async with asyncio.timeout(10):
        await stage.answer(says("Hello."), key="last")
    assert stage.screen[-1] == "Hello."


async def test_a_call_that_is_cancelled_keeps_no_permit():
    stage = Stage()
    for number in range(8):
        running = asyncio.create_task((await stage.relay(f"q{number}")).run())
        await asyncio.sleep(0.05)  # the typing call and the post are under way
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.sleep(5)
    async with asyncio.timeout(10):
        await stage.answer(says("Hello."), key="last")
    assert stage.screen[-1] == "Hello."


# A second attempt


async def interrupted(stage: Stage, seconds: float, text: str, *, noted: bool = True) -> Turn:
    """A turn whose process was killed: nothing of it goes on, and nothing was sealed."""
    if not noted:
        stage.store.fail("add_message", 100)
    stage.backend.script(says(text, seconds=10, pieces=100))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    stage.store = type(stage.store)(0.0, stage.store.rows, stage.store.conversations)
    turn = stage.store.row("q1").turn
    await stage.store.requeue(turn)
    return (await stage.store.open_turns())[0]


async def test_a_second_attempt_writes_into_the_messages_of_the_first_and_removes_the_surplus():
    stage = Stage()
    turn = await interrupted(stage, 9.9, WORDS * 3)
    first, second, third = stage.platform.messages
    assert turn.messages == (first.id, second.id, third.id)
    stage.backend.script(says("Short.", first=1.0))
    await (await stage.relay()).run()
    assert stage.screen == ["Short."]
    assert first.text == "Short."
    row = stage.store.row("q1")
    assert (row.turn.messages, row.turn.attempts) == ((first.id,), 2)
    assert stage.platform.refused == []


async def test_a_page_that_was_posted_but_not_noted_is_found_again_and_filled():
    stage = Stage()
    turn = await interrupted(stage, 0.8, "Half an answer that was cut short by a crash.", noted=False)
    assert turn.messages == ()
    [lost] = stage.platform.messages
    stage.backend.script(says("Another answer."))
    await (await stage.relay()).run()
    assert stage.screen == ["Another answer."]
    assert stage.store.row("q1").turn.messages == (lost.id,)


@pytest.mark.parametrize("error", [Gone("no such message", message=True), Unreachable("no answer")])
async def test_surplus_messages_that_are_gone_already_are_no_reason_to_leave_the_others(error: Exception):
    """Somebody has deleted one, or a delete was carried out and its answer lost."""
    stage = Stage()
    await interrupted(stage, 9.9, WORDS * 3)
    stage.platform.fail(Call.DELETE, error, effect=isinstance(error, Unreachable))
    if isinstance(error, Gone):
        stage.platform.lose_message(stage.platform.messages[2].id)
    stage.backend.script(says("Short."))
    assert await (await stage.relay()).run() == Ending(End.COMPLETED)
    assert stage.screen == ["Short."]
    assert len(stage.store.row("q1").turn.messages) == 1


async def test_a_second_attempt_that_says_nothing_but_a_fault_shows_it_in_the_old_message():
    stage = Stage()
    await interrupted(stage, 5, WORDS)
    stage.backend.script([Delta(""), *SILENT_END])
    await (await stage.relay()).run()
    assert stage.screen == ["-# The model gave an empty answer. Ask again, perhaps in other words."]
