"""`!retry` asks the last question of a channel again, and the new answer takes the place of the old one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.commands import Command
from bot.core.line import Capacity
from bot.core.model import Began, Channel, Delta, End, Ended, Ending, Place, Prompt, Status, Turn
from bot.core.pacing import Call
from bot.dispatcher import Dispatcher
from bot.errors import StoreError, Unreachable
from tests.cursor import without_cursor
from tests.engine.fake_backend import SILENCE, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage, prompt
from tests.engine.test_relay_streaming import WINDOWS as STREAMING

R1 = Channel("discord", "r1")
LONG = " ".join(f"word{number}" for number in range(600))
FAILED = [Delta("Half an"), Ended(Ending(End.FAILED))]
ASKING, RUNNING = "Asking again.", "An answer is still running here."
NOTHING, ELSEWHERE = "There is nothing to ask again here.", "The last question was asked in another thread."


async def asked(stage: Stage, dispatcher: Dispatcher, *prompts: Prompt) -> None:
    for one in prompts:
        await dispatcher.receive(one)
        await dispatcher.quiet(one.channel)


async def retried(dispatcher: Dispatcher, key: str = "c1") -> None:
    """As text; returns when it has been obeyed and answered."""
    await dispatcher.receive(prompt(key, "!retry"))
    await asyncio.sleep(1)
    await dispatcher.quiet(R1)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failed_answer_is_asked_for_again_and_written_into_the_same_message(stream: bool):
    stage = Stage(FakePlatform(streams=True, windows=STREAMING, headers=False)) if stream else Stage()
    stage.backend.script(FAILED, says("The whole answer."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt("q1", "Why?"))
        assert "`!retry`" in stage.message.text
        await retried(dispatcher)
    assert stage.screen == ["The whole answer."]
    assert len(stage.platform.messages) == 1, "nothing more is said: the answer changes"
    row = stage.store.row("q1")
    assert (row.turn.status, row.answer, row.turn.messages) == (Status.DONE, "The whole answer.", (stage.message.id,))
    assert "c1" not in [row.turn.prompt.key for row in stage.store.rows.values()]


async def test_a_shorter_answer_leaves_no_page_of_the_longer_one():
    stage = Stage()
    stage.backend.script(says(LONG), says("Short."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        assert len(stage.screen) > 1
        await retried(dispatcher)
    assert stage.screen == ["Short."]


async def test_the_model_is_not_told_the_answer_that_is_replaced():
    stage = Stage()
    stage.backend.script([Began("conv_1"), *says("One.")], says("Two."), says("Other."), says("Three."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt("q1", "First?"), prompt("q2", "Second?"))
        await retried(dispatcher)
        await asked(stage, dispatcher, prompt("q3", "Third?"))
    again, after = [stream.request for stream in stage.backend.streams[2:]]
    assert (again.text, again.remote) == ("Second?", "conv_1")
    assert [(said.question, said.answer) for said in again.history] == [("First?", "One.")]
    assert [(said.question, said.answer) for said in after.history] == [("First?", "One."), ("Second?", "Other.")]


async def test_after_new_the_last_question_is_asked_without_what_was_said_before_it():
    stage = Stage()
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt("q1"), prompt("q2"))
        await dispatcher.obey(Command.NEW, R1)
        await retried(dispatcher)
    assert stage.backend.streams[-1].request.history == ()
    assert stage.screen[:2] == ["Well.", "Well."]


async def test_as_a_call_it_answers_with_a_sentence():
    stage = Stage()
    async with stage.open() as dispatcher:
        assert await dispatcher.obey(Command.RETRY, R1) == NOTHING
        await asked(stage, dispatcher, prompt("q1"))
        assert await dispatcher.obey(Command.RETRY, Channel("discord", "r2")) == NOTHING
        assert await dispatcher.obey(Command.RETRY, R1) == ASKING
        assert await dispatcher.obey(Command.RETRY, R1) == RUNNING
        await dispatcher.quiet(R1)
    assert len(stage.backend.streams) == 2


async def test_an_answer_that_runs_or_waits_is_left_alone():
    stage = Stage(capacity=Capacity(running=1))
    stage.backend.script([Delta("Half an"), SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q2", room="r2"))
        await asyncio.sleep(2)
        for key, room in (("c1", "r1"), ("c2", "r2")):
            await dispatcher.receive(prompt(key, "!retry", room=room))
        await asyncio.sleep(2)
        assert [without_cursor(text) for text in stage.screen] == ["Half an", RUNNING]
        assert stage.platform.screen("r2") == [RUNNING]
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(Channel("discord", "r2"))
    assert len(stage.backend.streams) == 2


@pytest.mark.parametrize("latency", [0.0, 0.2])
async def test_of_two_at_once_one_is_obeyed(latency: float):
    stage = Stage()
    stage.store.latency = latency
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        said = await asyncio.gather(*[dispatcher.obey(Command.RETRY, R1) for _ in range(2)])
        await dispatcher.quiet(R1)
    assert sorted(said) == [RUNNING, ASKING]
    assert len(stage.backend.streams) == 2


async def test_a_redelivered_retry_does_not_ask_once_more():
    stage = Stage()
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        await retried(dispatcher)
        await retried(dispatcher)
    assert len(stage.backend.streams) == 2


async def test_a_question_may_be_asked_again_more_often_than_a_turn_may_be_cut_short():
    stage = Stage()
    stage.backend.script(*[FAILED] * 6)
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        for number in range(6):
            await retried(dispatcher, f"c{number}")
    assert stage.screen == ["Well."]


async def test_what_was_refused_or_deleted_is_not_asked_again():
    stage = Stage(capacity=Capacity(waiting=1))
    stage.backend.script(says("One.", seconds=3, pieces=10), says("Two."), says("One again."))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2", "q3"):
            await dispatcher.receive(prompt(key, f"{key}?"))
        await dispatcher.quiet(R1)
        assert stage.store.row("q3").ending is not None, "it was refused"
        await dispatcher.deleted("q2")
        await asyncio.sleep(2)
        await retried(dispatcher)
        await dispatcher.deleted("q1")
        await asyncio.sleep(2)
        assert await dispatcher.obey(Command.RETRY, R1) == NOTHING
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "q2?", "q1?"]


# Messages that are gone


@pytest.mark.parametrize("lost", ["all", "first"])
async def test_a_message_that_was_removed_is_posted_anew_and_nothing_appears_twice(lost: str):
    stage = Stage()
    other = LONG.replace("word", "term")
    stage.backend.script(says(LONG), says(other), says(LONG))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        for key, text in (("c1", other), ("c2", LONG)):
            shown = [message.id for message in stage.platform.messages if message.deleted_at is None]
            for message in shown if lost == "all" else shown[:1]:
                stage.platform.lose_message(message)
            await retried(dispatcher, key)
            assert sorted(" ".join(stage.screen).split()) == sorted(text.split())
            there = {message.id for message in stage.platform.messages if message.deleted_at is None}
            assert set(stage.store.row("q1").turn.messages) == there
    if lost == "all":
        assert " ".join(stage.screen).split() == LONG.split()


async def test_an_answer_that_is_removed_while_it_is_written_again_ends_quietly():
    stage = Stage()
    stage.backend.script(FAILED, says(LONG, seconds=60, pieces=600))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        await dispatcher.receive(prompt("c1", "!retry"))
        await asyncio.sleep(3)
        stage.platform.lose_message(stage.message.id)
        await dispatcher.quiet(R1)
    assert stage.screen == []
    assert len(stage.platform.messages) == 1


async def test_a_lost_call_does_not_make_a_removed_message_ours():
    """The first edit is not answered, and the message was removed before it."""
    stage = Stage()
    stage.backend.script(FAILED, says("The whole answer."))
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        stage.platform.lose_message(stage.message.id)
        stage.platform.fail(Call.EDIT, Unreachable("no answer"))
        await retried(dispatcher)
    assert stage.screen == ["The whole answer."]


# Threads that share a conversation, as on Slack


async def test_in_a_thread_of_its_own_questions_the_answer_in_another_is_left_alone():
    """Where people read what `!retry` would do is under an answer, and meanwhile somebody has asked elsewhere."""
    stage = Stage()
    stage.backend.script(FAILED, says("Two."), says("Two again."))
    one, two = [replace(prompt(key), place=Place("r1", key, key)) for key in ("q1", "q2")]
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, one, two)
        await dispatcher.receive(replace(one, key="c1", text="!retry"))
        await asyncio.sleep(1)
        assert stage.screen[1:] == ["Two.", ELSEWHERE]
        for key, thread in (("c2", "q2"), ("c3", "c3")):  # its own thread, and a post that begins another
            await dispatcher.receive(prompt_in(thread, key))
            await asyncio.sleep(1)
            await dispatcher.quiet(R1)
    assert stage.screen[1:] == ["Well.", ELSEWHERE]
    assert len(stage.backend.streams) == 4


def prompt_in(thread: str, key: str) -> Prompt:
    return replace(prompt(key, "!retry"), place=Place("r1", key, thread))


# A database that fails


@pytest.mark.parametrize("method", ["latest", "reword"])
async def test_where_the_database_does_not_answer_nothing_changes_and_it_is_said(method: str):
    stage = Stage()
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
        stage.store.fail(method, 2)
        with pytest.raises(StoreError):
            await dispatcher.obey(Command.RETRY, R1)
        await retried(dispatcher)
    assert stage.screen == ["Well.", "That did not work: the bot's database does not answer. Try again in a moment."]
    assert len(stage.backend.streams) == 1


async def test_while_the_bot_goes_down_it_waits_for_the_next_start():
    stage = Stage()
    async with stage.open() as dispatcher:
        await asked(stage, dispatcher, prompt())
    assert await dispatcher.obey(Command.RETRY, R1) == ASKING
    [turn] = await stage.store.open_turns()
    assert isinstance(turn, Turn)
    assert (turn.prompt.key, turn.status) == ("q1", Status.QUEUED)
