"""People edit and delete their questions: nobody gets an answer to what is not asked any more."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from bot.core.attaching import Attaching
from bot.core.changes import Changes
from bot.core.dialects import DISCORD, SLACK
from bot.core.model import Channel, Status
from bot.core.pacing import Call
from bot.dispatcher import Dispatcher
from bot.errors import Gone, Refused, Rejected, StoreError, Unreachable
from bot.recovery import reopen, resume
from tests.cursor import MARK
from tests.engine.fake_backend import SILENCE, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import killed
from tests.engine.test_relay_streaming import WINDOWS as STREAMING

R1 = Channel("discord", "r1")
WORDS = " ".join(f"word{number}" for number in range(100))
LONG = " ".join(f"word{number}" for number in range(600))
KEEP = Changes(delete_answers=False)


def streaming() -> Stage:
    return Stage(FakePlatform(streams=True, windows=STREAMING, headers=False))


async def asked(stage: Stage, dispatcher: Dispatcher, *keys: str, after: float = 0.0) -> None:
    for key in keys:
        await dispatcher.receive(prompt(key, f"{key}?"))
    await asyncio.sleep(after)


def status(stage: Stage, key: str) -> Status:
    return stage.store.row(key).turn.status


# Deleting


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.3, 1.0, 3.0, 6.0])
@pytest.mark.parametrize("stream", [False, True])
async def test_deleting_a_question_ends_its_answer_and_removes_its_messages(stream: bool, after: float):
    stage = streaming() if stream else Stage()
    stage.backend.script(says(LONG, seconds=20, pieces=200))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=after)
        await dispatcher.deleted("q1")
        await asyncio.sleep(0.01)
        assert all(one.closed_at for one in stage.backend.streams), "the model is not asked for more"
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
        assert stage.screen == []
        assert not any(stage.platform.busy.values()) or not stream
        row = stage.store.row("q1")
        assert (row.turn.status, row.turn.messages, row.answer, row.turn.prompt.text) == (Status.STOPPED, (), "", "")
        stage.backend.scripts.clear()
        await asked(stage, dispatcher, "q2")
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]
    assert stage.platform.refused == []


async def test_a_question_that_waits_never_runs_when_it_is_deleted():
    stage = Stage()
    stage.backend.script(says("First.", seconds=2, pieces=5))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", "q3", after=1)
        await dispatcher.deleted("q2")
        await dispatcher.quiet(R1)
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "q3?"]
    assert stage.screen == ["First.", "Well."]


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.1, 0.15, 0.2, 0.3, 0.4])
async def test_a_question_that_is_deleted_while_it_begins_or_ends_leaves_nothing(latency: float, after: float):
    stage = Stage()
    stage.store.latency = latency
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=after)
        await dispatcher.deleted("q1")
        await dispatcher.quiet(R1)
        await asyncio.sleep(2)
    assert stage.screen == []
    row = stage.store.row("q1")
    assert (row.answer, row.turn.messages) == ("", ())
    assert row.turn.status in {Status.STOPPED, Status.DONE}


async def test_deleting_an_answered_question_removes_the_answer_of_an_earlier_process_too():
    stage = Stage()
    stage.backend.script(says(LONG))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2")
        await dispatcher.quiet(R1)
    async with stage.open() as dispatcher:
        await dispatcher.deleted("q1")
        await stage.until(lambda: stage.screen == ["Well."])
        await asyncio.sleep(1)
        assert stage.store.row("q1").turn.messages == ()
        await asked(stage, dispatcher, "q3")
        await dispatcher.quiet(R1)
    history = stage.backend.streams[-1].request.history
    assert [exchange.question for exchange in history] == ["q2?"], "the model is not told of it again"


@pytest.mark.parametrize(
    "error", [Gone("no such message", message=True), Refused(3.0), Unreachable("no answer")], ids=lambda e: str(e)
)
async def test_an_answer_is_removed_although_calls_fail(error: Exception):
    stage = Stage()
    stage.backend.script(says(LONG))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await dispatcher.quiet(R1)
        if isinstance(error, Gone):
            stage.platform.lose_message(stage.platform.messages[-1].id)
        stage.platform.fail(Call.DELETE, error)
        await dispatcher.deleted("q1")
        await stage.until(lambda: stage.screen == [])
        await asyncio.sleep(1)
    assert stage.store.row("q1").turn.messages == ()


async def test_an_answer_is_removed_although_the_platform_is_away_for_minutes():
    stage = Stage()
    stage.backend.script(says(LONG))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await dispatcher.quiet(R1)
        stage.platform.go_down(15 * 60)
        await dispatcher.deleted("q1")
        await asyncio.sleep(25 * 60)
    assert stage.screen == []


async def test_an_answer_whose_channel_is_gone_is_left_with_one_line(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    stage.backend.script(says(LONG))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await dispatcher.quiet(R1)
        stage.platform.lose_room("r1")
        await dispatcher.deleted("q1")
        await asyncio.sleep(5)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.getMessage(), record.exc_info) for record in warnings] == [("answer.not_removed", None)]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_post_that_nobody_heard_of_is_removed_as_well(stream: bool):
    """The platform has shown the page and its answer was lost, just when the question is deleted."""
    stage = streaming() if stream else Stage()
    stage.backend.script(says(WORDS, seconds=20, pieces=200))
    first = Call.START if stream else Call.POST
    stage.platform.fail(first, Unreachable("no answer"), effect=True)
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await stage.until(lambda: stage.screen)
        await asyncio.sleep(0.1)
        await dispatcher.deleted("q1")
        await dispatcher.quiet(R1)
    assert stage.screen == []
    assert len(stage.platform.messages) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", [None, Rejected("no files here")], ids=str)
async def test_a_file_that_nobody_heard_of_is_removed_as_well(stream: bool, error: Exception | None):
    """If the platform does not tell which it is, at least the pages go."""
    stage = streaming() if stream else Stage()
    stage.platform.dialect = SLACK if stream else DISCORD
    stage.attaching = Attaching(max_pages=1)
    stage.backend.script(says(LONG * 4))
    stage.platform.fail(Call.ATTACH, Unreachable("no answer"), effect=True)
    if error:
        stage.platform.fail(Call.ATTACH, error)
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await stage.until(lambda: any(message.files for message in stage.platform.messages))
        await asyncio.sleep(0.1)
        await dispatcher.deleted("q1")
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    files = [message.text for message in stage.platform.messages if message.files]
    assert stage.screen == (files if error else [])
    assert len(files) == 1


async def test_a_post_that_nobody_heard_of_is_removed_although_the_question_was_edited_before_it_was_deleted():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=20, pieces=200))
    stage.platform.fail(Call.POST, Unreachable("no answer"), effect=True)
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1")
        await stage.until(lambda: stage.screen)
        await asyncio.sleep(0.1)
        await dispatcher.edited(prompt("q1", "Why not?"))
        await dispatcher.deleted("q1")
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.screen == []


@pytest.mark.parametrize("changes", [Changes(), KEEP], ids=["removed", "kept"])
async def test_a_post_of_which_a_crash_kept_the_bot_from_hearing_is_removed_as_well(changes: Changes):
    """The question is deleted before its answer goes on."""
    stage = Stage(changes=changes)
    stage.backend.script(says(LONG, seconds=20, pieces=200))
    stage.platform.latency = 0.4
    dispatcher = stage.dispatcher()
    await asked(stage, dispatcher, "q1", "q2")
    await stage.until(lambda: stage.screen)
    await killed(stage, after=0.0)
    async with stage.open() as dispatcher:
        turns = await reopen(stage.store)
        assert stage.store.row("q1").turn.messages == ()
        await dispatcher.deleted("q1")
        await resume(dispatcher, turns)
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    assert stage.screen == ["Well."]


async def test_where_answers_are_kept_a_deleted_question_only_stops_its_own():
    stage = Stage(changes=KEEP)
    stage.backend.script(says(WORDS, seconds=4, pieces=40))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", "q3", after=2)
        await dispatcher.deleted("q1")
        await dispatcher.deleted("q2")
        await dispatcher.quiet(R1)
        await dispatcher.deleted("q3")
        await asyncio.sleep(2)
    stopped, answered = stage.screen
    assert stopped.endswith("-# Stopped.")
    assert stopped.startswith("word0 word1")
    assert answered == "Well."
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "q3?"]
    assert stage.store.row("q1").answer


async def test_what_was_no_question_and_what_is_told_twice_changes_nothing():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=2, pieces=20), says("Second.", seconds=2, pieces=2))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", after=1)
        for key in ("q1", "q1", "chatter"):
            await dispatcher.deleted(key)
        await dispatcher.edited(prompt("chatter", "chatting on"))
        await asyncio.sleep(1)
        await dispatcher.deleted("q1")
        await dispatcher.edited(prompt("q1", "q1, again?"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["Second."]
    assert len(stage.backend.streams) == 2


async def test_a_deletion_that_could_not_be_stored_can_be_told_again():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=2, pieces=20))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", after=1)
        stage.store.fail("find")
        with pytest.raises(StoreError):
            await dispatcher.deleted("q2")
        await dispatcher.deleted("q2")
        await dispatcher.quiet(R1)
    assert stage.screen == [WORDS]


async def test_a_question_deleted_while_the_bot_was_down_is_known_by_its_key():
    """Its turn was interrupted, and waits again with its messages."""
    stage = Stage()
    await stage.store.accept(prompt("q1"))
    running = await stage.store.begin(R1, "responses")
    assert running is not None
    receipt = await stage.platform.post(running.turn.prompt.place, "Half an", nonce="x", first=True)
    await stage.store.add_message(running.turn, receipt.message)
    await stage.store.requeue(running.turn)
    async with stage.open() as dispatcher:
        await dispatcher.deleted("q1")
        dispatcher.wake(running.turn)
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.screen == []
    assert stage.backend.streams == []


# Editing


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.3, 1.0, 3.0, 6.0])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_edited_question_is_asked_anew_into_the_same_messages(stream: bool, after: float):
    stage = streaming() if stream else Stage()
    stage.backend.script(says(LONG, seconds=10, pieces=200))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=after)
        await asked(stage, dispatcher, "q2")
        if not stage.backend.streams:
            stage.backend.scripts.clear()
        stage.backend.script(says("Better.", first=1.0), says("Second."))
        await dispatcher.edited(prompt("q1", "Why not?"))
        await asyncio.sleep(0.01)
        assert all(one.closed_at for one in stage.backend.streams[:1]), "the first wording is answered no further"
        await dispatcher.quiet(R1)
    assert stage.screen == ["Better.", "Second."]
    assert [stream.request.text for stream in stage.backend.streams][-2:] == ["Why not?", "q2?"]
    assert stage.store.row("q1").turn.prompt.text == "Why not?"
    assert stage.store.row("q1").turn.messages == (stage.platform.messages[0].id,)
    assert MARK not in "".join(stage.screen)


async def test_a_question_that_waits_is_asked_as_it_reads_then():
    stage = Stage()
    stage.backend.script(says("First.", seconds=2, pieces=5))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", after=1)
        await dispatcher.edited(prompt("q2", "Why not?"))
        await dispatcher.quiet(R1)
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "Why not?"]


async def test_a_question_may_be_edited_more_often_than_a_turn_may_be_cut_short():
    stage = Stage()
    stage.backend.script(*[[SILENCE]] * 6)
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=1)
        for number in range(6):
            await dispatcher.edited(prompt("q1", f"And {number}?"))
            await asyncio.sleep(1)
        await dispatcher.quiet(R1)
    assert stage.backend.streams[-1].request.text == "And 5?"
    assert stage.screen == ["Well."]


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.2])
async def test_of_two_quick_edits_the_last_is_answered(latency: float):
    stage = Stage()
    stage.store.latency = latency
    stage.backend.script(says(WORDS, seconds=9, pieces=50))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=3)
        await dispatcher.edited(prompt("q1", "One?"))
        await dispatcher.edited(prompt("q1", "Two?"))
        await dispatcher.quiet(R1)
    assert stage.backend.streams[-1].request.text == "Two?"
    assert stage.screen == ["Well."]
    assert len(stage.platform.messages) == 1


async def test_an_edited_question_that_is_deleted_before_it_is_asked_anew_leaves_nothing():
    stage = Stage()
    stage.store.latency = 0.2
    stage.backend.script(says(WORDS, seconds=9, pieces=50))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=3)
        await asyncio.gather(dispatcher.edited(prompt("q1", "One?")), dispatcher.deleted("q1"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(2)
    assert stage.screen == []


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({}, ["One.", "Two."]),
        ({"rerun_edited": "last"}, ["One.", "Other."]),
        ({"rerun_edited": "never"}, ["One.", "Two."]),
    ],
)
async def test_an_answered_question_is_asked_anew_only_where_that_is_set_and_it_is_the_last(
    changes: dict[str, Any], answers: list[str]
):
    stage = Stage(changes=Changes(**changes))
    stage.backend.script(says("One."), says("Two."), says("Other."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2")
        await dispatcher.quiet(R1)
        await dispatcher.edited(prompt("q1", "Not the last?"))
        await dispatcher.edited(prompt("q2", "The last?"))
        await dispatcher.edited(prompt("q2", "The last?"))
        await dispatcher.quiet(R1)
    assert stage.screen == answers
    assert len(stage.platform.messages) == 2


async def test_where_edits_count_for_nothing_the_first_wording_is_answered():
    stage = Stage(changes=Changes(rerun_edited="never"))
    stage.backend.script(says("One.", seconds=2, pieces=4))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", "q2", after=1)
        for key in ("q1", "q2"):
            await dispatcher.edited(prompt(key, "Something else?"))
        await dispatcher.quiet(R1)
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "q2?"]


async def test_a_question_that_is_edited_into_a_command_stays_what_it_was():
    stage = Stage()
    stage.backend.script(says("One.", seconds=2, pieces=4))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=1)
        await dispatcher.edited(prompt("q1", "!stop"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["One."]


async def test_the_model_remembers_an_edited_question_as_it_reads_now():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=4, pieces=40), says("Better."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, "q1", after=2)
        await dispatcher.edited(prompt("q1", "Why not?"))
        await asked(stage, dispatcher, "q2")
        await dispatcher.quiet(R1)
    [exchange] = stage.backend.streams[-1].request.history
    assert (exchange.question, exchange.answer) == ("Why not?", "Better.")


# Somebody removes a message of the bot


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_goes_on_in_another_message_when_a_later_page_is_removed(
    stream: bool, caplog: pytest.LogCaptureFixture
):
    stage, text = (streaming(), LONG * 3) if stream else (Stage(), LONG)
    stage.backend.script(says(text, seconds=60, pieces=600))
    running = asyncio.create_task((await stage.relay()).run())
    await stage.until(lambda: len(stage.platform.messages) == 2)
    await asyncio.sleep(2)
    removed = stage.platform.messages[1].id
    stage.platform.lose_message(removed)
    await running
    assert " ".join(stage.screen).split() == text.split()
    assert removed not in stage.store.row("q1").turn.messages
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_ends_quietly_when_its_only_message_is_removed(stream: bool, caplog: pytest.LogCaptureFixture):
    stage = streaming() if stream else Stage()
    stage.backend.script(says(WORDS, seconds=20, pieces=200))
    running = asyncio.create_task((await stage.relay()).run())
    await asyncio.sleep(3)
    stage.platform.lose_message(stage.message.id)
    await running
    [model] = stage.backend.streams
    assert stage.since_start(model.closed_at) < 6
    assert stage.screen == []
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.getMessage(), record.exc_info) for record in warnings] == [("reply.abandoned", None)]
