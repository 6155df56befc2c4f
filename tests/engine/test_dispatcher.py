"""One turn at a time in a channel, many channels at once; commands; draining."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import pytest

from bot.core.commands import HELP, Command
from bot.core.endings import sentence
from bot.core.model import Began, Channel, Delta, End, Ending, Place, Status, Turn
from bot.core.pacing import Call
from bot.errors import BackendError, Gone, Refused, StoreError, Unreachable
from tests.engine.fake_backend import SILENCE, Step, says
from tests.engine.stage import Stage, prompt

R1 = Channel("discord", "r1")
WORDS = " ".join(f"word{number}" for number in range(100))
SHUTDOWN = f"-# {sentence(Ending(End.SHUTDOWN))}"


def remote(name: str, *, text: str = "Well.", seconds: float = 0.0) -> list[Step]:
    """An answer in a conversation of this name on the server."""
    return [Began(name), *says(text, seconds=seconds, pieces=10)]


# Turns


async def test_questions_of_a_channel_are_answered_in_order_one_at_a_time():
    stage = Stage()
    async with stage.open() as dispatcher:
        stage.backend.script(*[says(f"Answer {number}.", seconds=2, pieces=5) for number in range(4)])
        for number in range(4):
            await dispatcher.receive(prompt(f"q{number}", f"Question {number}?"))
        await dispatcher.quiet(R1)
    assert stage.screen == [f"Answer {number}." for number in range(4)]
    assert [stream.request.text for stream in stage.backend.streams] == [f"Question {n}?" for n in range(4)]
    ends = [stream.closed_at for stream in stage.backend.streams]
    begins = [stream.opened_at for stream in stage.backend.streams]
    assert all(end is not None and end <= begin for end, begin in zip(ends, begins[1:], strict=False))


async def test_channels_are_answered_at_once():
    stage = Stage()
    stage.backend.script(*[says("Hello.", first=5.0) for _ in range(10)])
    async with stage.open() as dispatcher:
        for number in range(10):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number}"))
        for number in range(10):
            await dispatcher.quiet(Channel("discord", f"r{number}"))
    assert stage.now < 6
    assert all(stage.platform.screen(f"r{number}") == ["Hello."] for number in range(10))


async def test_a_question_delivered_again_is_answered_once():
    stage = Stage()
    async with stage.open() as dispatcher:
        await asyncio.gather(*[dispatcher.receive(prompt("q1")) for _ in range(3)])
        await dispatcher.quiet(R1)
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]
    assert len(stage.backend.streams) == 1


async def test_a_question_that_cannot_be_stored_is_not_taken():
    stage = Stage()
    stage.store.fail("accept")
    async with stage.open() as dispatcher:
        with pytest.raises(StoreError):
            await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q1"))  # the platform delivers it again
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]


async def test_a_broken_turn_says_so_and_does_not_stop_its_channel():
    stage = Stage()
    stage.platform.fail(Call.POST, KeyError("id"))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
    assert stage.screen == [sentence(Ending(End.FAILED)), "Well."]
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.FAILED, Status.DONE]


async def test_a_turn_that_is_broken_thoroughly_does_not_stop_its_channel_either():
    """Not even the sentence that says so can be posted."""
    stage = Stage()
    stage.platform.fail(Call.POST, KeyError("id"), KeyError("id"))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q2"))
        await stage.until(lambda: "Well." in stage.screen)
        await dispatcher.quiet(R1)
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.FAILED, Status.DONE]


async def test_a_turn_that_the_database_could_not_give_is_tried_again():
    stage = Stage()
    stage.store.fail("begin", 2)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await stage.until(lambda: stage.screen)
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]
    assert stage.store.row("q1").turn.attempts == 1


async def test_a_question_that_comes_while_the_worker_looks_for_the_last_time_is_not_forgotten():
    """The worker has seen an empty queue and does not know it yet, when the question is stored."""
    stage = Stage()
    turn = await stage.store.accept(prompt("q1"))
    assert isinstance(turn, Turn)
    await stage.store.finish(turn, "", Ending(End.STOPPED))
    async with stage.open() as dispatcher:
        stage.store.latency = 1.0
        dispatcher.wake(turn)
        await asyncio.sleep(0.6)
        assert stage.store.calls["begin"] == 1
        stage.store.latency = 0.0
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
    assert stage.store.row("q2").turn.status is Status.DONE


async def test_a_thread_is_known_once_something_was_asked_in_it():
    stage = Stage()
    async with stage.open() as dispatcher:
        assert not await dispatcher.knows(R1, Place("r1"))
        await dispatcher.receive(prompt("q1"))
        assert await dispatcher.knows(R1, Place("r1"))


async def test_the_model_remembers_what_was_said():
    stage = Stage()
    async with stage.open() as dispatcher:
        stage.backend.script(remote("conv_1"))
        for key in ("q1", "q2"):
            await dispatcher.receive(prompt(key))
            await dispatcher.quiet(R1)
    first, second = [stream.request for stream in stage.backend.streams]
    assert (first.remote, second.remote) == ("", "conv_1")
    assert [exchange.answer for exchange in second.history] == ["Well."]
    assert first.person == second.person != ""


# Commands


async def test_stop_as_text_marks_the_answer_and_says_nothing_else():
    stage = Stage()
    stage.backend.script([Delta("Half an answer"), SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(3)
        await dispatcher.receive(prompt("c1", "!stop"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(3)
    assert stage.screen == ["Half an answer\n\n-# Stopped."]
    assert "c1" not in [row.turn.prompt.key for row in stage.store.rows.values()]


@pytest.mark.parametrize("after", [0.05, 0.3])
async def test_stop_right_after_the_question_is_not_lost(after: float):
    """The turn is there, but the database is slow."""
    stage = Stage()
    stage.store.latency = 0.2
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(after)
        assert await dispatcher.obey(Command.STOP, R1) == "Stopped."
        async with asyncio.timeout(5):
            await dispatcher.quiet(R1)
    assert stage.screen == ["-# Stopped."]


async def test_stop_as_a_call_answers_and_stops():
    stage = Stage()
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        assert await dispatcher.obey(Command.STOP, R1) == "There is no answer running here."
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(1)
        assert await dispatcher.obey(Command.STOP, Channel("discord", "r2")) == "There is no answer running here."
        assert await dispatcher.obey(Command.STOP, R1) == "Stopped."
        await dispatcher.quiet(R1)
    assert stage.screen == ["-# Stopped."]


async def test_after_a_stop_the_next_question_is_answered():
    stage = Stage()
    stage.backend.script([SILENCE], says("Second."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q2"))
        await asyncio.sleep(1)
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(R1)
    assert stage.screen == ["-# Stopped.", "Second."]


async def test_a_redelivered_stop_does_not_stop_the_next_answer():
    stage = Stage()
    stage.backend.script([SILENCE], says(WORDS, seconds=3, pieces=30))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(1)
        await dispatcher.receive(prompt("c1", "!stop"))
        await dispatcher.quiet(R1)
        await dispatcher.receive(prompt("q2"))
        await asyncio.sleep(1)
        await dispatcher.receive(prompt("c1", "!stop"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["-# Stopped.", WORDS]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!help", HELP),
        ("!new", "Forgotten. The next question starts a new conversation."),
        ("!stop", "There is no answer running here."),
    ],
)
async def test_commands_as_text_are_answered(text: str, words: str):
    stage = Stage()
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("c1", text))
        await stage.until(lambda: stage.screen)
    assert stage.screen == [words]
    assert stage.backend.streams == []


@pytest.mark.parametrize("error", [Refused(2.0), Unreachable("no answer")])
async def test_an_answer_to_a_command_is_posted_again_after_a_refusal_or_silence(error: Exception):
    stage = Stage()
    stage.platform.fail(Call.POST, error)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("c1", "!help"))
        await stage.until(lambda: stage.screen)
    assert stage.screen == [HELP]
    first, second = stage.platform.when(Call.POST)
    assert second - first >= (2.0 if isinstance(error, Refused) else 0.1)


async def test_an_answer_to_a_command_that_nobody_can_see_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    stage.platform.fail(Call.POST, Gone("no such channel"))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("c1", "!help"))
        await stage.until(lambda: caplog.records)
    assert caplog.records[-1].getMessage() == "sentence.not_said"


async def test_a_command_that_the_database_cannot_carry_out_says_so():
    stage = Stage()
    stage.store.fail("close_conversations")
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("c1", "!new"))
        await stage.until(lambda: stage.screen)
    assert "database does not answer" in stage.screen[0]


# Forgetting


async def test_new_opens_another_conversation_and_deletes_the_old_one_once():
    stage = Stage()
    stage.backend.script(remote("conv_1"))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        await asyncio.gather(*[dispatcher.obey(Command.NEW, R1) for _ in range(3)])
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.backend.forgotten == ["conv_1"]
    request = stage.backend.streams[-1].request
    assert (request.remote, request.history) == ("", ())


async def test_new_while_an_answer_runs_lets_it_end_and_then_forgets():
    stage = Stage()
    stage.backend.script(remote("conv_1", text=WORDS, seconds=5))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        await dispatcher.obey(Command.NEW, R1)
        await asyncio.sleep(1)
        assert stage.backend.forgotten == []
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.screen == [WORDS, "Well."]
    assert stage.backend.forgotten == ["conv_1"]
    assert stage.backend.streams[-1].request.remote == ""


async def test_a_conversation_that_could_not_be_deleted_is_tried_again_and_keeps_no_other_waiting():
    stage = Stage()
    stage.backend.script(remote("conv_1"), remote("conv_2"))
    error = BackendError(Ending(End.UNREACHABLE, "Nothing answers."))
    stage.backend.forget_fails["conv_1"] = deque([error])
    async with stage.open() as dispatcher:
        for room in ("r1", "r2"):
            await dispatcher.receive(prompt(f"q{room}", room=room))
            await dispatcher.quiet(Channel("discord", room))
        await stage.store.close_conversations(R1)
        await dispatcher.obey(Command.NEW, Channel("discord", "r2"))
        await asyncio.sleep(1)
        assert stage.backend.forgotten == ["conv_2"]
        await dispatcher.receive(prompt("q3"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.backend.forgotten == ["conv_2", "conv_1"]


# Draining


async def test_draining_lets_running_answers_finish_within_the_grace():
    stage = Stage()
    stage.backend.script(says(WORDS, seconds=5, pieces=50))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(1)
    await dispatcher.drain(10)
    assert stage.screen == [WORDS]
    assert stage.now < 6


async def test_after_the_grace_answers_are_sealed_as_they_are_and_wait_like_the_queue():
    stage = Stage()
    stage.backend.script([Delta("Half an answer"), SILENCE])
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await dispatcher.receive(prompt("q2"))
    await asyncio.sleep(1)
    await dispatcher.drain(3)
    assert stage.now < 4.5
    assert stage.screen == [f"Half an answer\n\n{SHUTDOWN}"]
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.QUEUED, Status.QUEUED]
    assert stage.store.row("q1").turn.progress.text == "Half an answer"
    assert all(stream.closed_at for stream in stage.backend.streams)


@pytest.mark.parametrize("delay", range(10))
async def test_no_turn_begins_while_draining(delay: int):
    """Whatever the worker is doing when it begins."""
    stage = Stage()
    stage.store.latency = 0.1
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(delay * 0.025)
    begun = len(stage.backend.streams)
    await dispatcher.drain(3)
    assert len(stage.backend.streams) == begun
    assert stage.store.row("q1").turn.status is (Status.DONE if begun else Status.QUEUED)
    looked = stage.store.calls["begin"]
    await dispatcher.receive(prompt("q2"))
    await asyncio.sleep(5)
    assert stage.store.calls["begin"] == looked, "the database is about to be closed"
    assert stage.store.row("q2").turn.status is Status.QUEUED


async def test_draining_with_a_platform_that_is_down_ends_all_the_same_and_leaves_the_turn_to_the_next_start():
    stage = Stage()
    stage.backend.script([Delta("Half an answer"), SILENCE])
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(1)
    stage.platform.go_down(600)
    await dispatcher.drain(3)
    assert stage.now < 11
    assert stage.store.row("q1").turn.status is Status.QUEUED
    assert stage.platform.under_way == 0


async def test_a_second_drain_cuts_the_first_short():
    stage = Stage()
    stage.backend.script([Delta("Half an answer"), SILENCE])
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(1)
    patient = asyncio.create_task(dispatcher.drain(60))
    await asyncio.sleep(1)
    await dispatcher.drain(0)
    await patient
    assert stage.now < 3
    assert stage.screen == [f"Half an answer\n\n{SHUTDOWN}"]


async def test_an_errand_that_fails_in_an_unknown_way_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    stage.backend.script(remote("conv_1"))
    stage.backend.forget_fails["conv_1"] = deque([RuntimeError("a bug")])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        await dispatcher.obey(Command.NEW, R1)
        await asyncio.sleep(1)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == ["errand.broken"]
