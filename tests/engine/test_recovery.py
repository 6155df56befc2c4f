"""What a process left open, the next one finishes: in order, in the old messages, and not for ever."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.endings import sentence
from bot.core.model import Channel, End, Ending, Prompt, Status
from bot.core.pacing import Call
from bot.errors import Gone, Unreachable
from bot.ports import Running
from bot.recovery import reopen, resume
from tests.cursor import MARK
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.memory_store import MemoryStore
from tests.engine.stage import Stage, prompt

R1 = Channel("discord", "r1")
LONG = " ".join(f"word{number}" for number in range(600))
GIVEN_UP = f"-# {sentence(Ending(End.INTERRUPTED))}"


async def killed(stage: Stage, *questions: str, after: float = 3.0) -> None:
    """A process that was asked these and then killed: its tasks end where they are, and nothing more is stored."""
    dispatcher = stage.dispatcher()
    for key in questions:
        await dispatcher.receive(prompt(key, f"{key}?"))
    await asyncio.sleep(after)
    database = stage.store
    stage.store = MemoryStore(rows=dict(database.rows), conversations=dict(database.conversations))
    database.rows = {}  # the dead process writes into the void
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def restarted(stage: Stage) -> None:
    """Another process on the same database, until all is done."""
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)


async def test_queued_questions_go_on_in_their_order():
    stage = Stage()
    for key in ("q1", "q2", "q3"):
        await stage.store.accept(prompt(key, f"{key}?"))
    await restarted(stage)
    assert [stream.request.text for stream in stage.backend.streams] == ["q1?", "q2?", "q3?"]
    assert stage.screen == ["Well."] * 3


async def test_an_interrupted_answer_is_given_again_in_its_old_messages_before_later_ones():
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1", "q2")
    assert len(stage.screen) >= 2
    first = stage.platform.messages[0]
    stage.backend.script(says("Short."), says("Second."))
    await restarted(stage)
    assert stage.screen == ["Short.", "Second."]
    assert first.text == "Short."
    assert [stage.store.row(key).turn.attempts for key in ("q1", "q2")] == [2, 1]


@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.45, 0.8, 2.0])
async def test_a_kill_at_any_moment_gives_one_answer(after: float):
    stage = Stage()
    stage.backend.script(says("The answer, as it was.", seconds=0.5, pieces=5, first=0.3))
    await killed(stage, "q1", after=after)
    stage.backend.script(says("The answer, as it is now."))
    await restarted(stage)
    assert len(stage.screen) == 1
    assert stage.screen[0] in {"The answer, as it was.", "The answer, as it is now."}
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_a_turn_that_was_tried_three_times_is_given_up_with_a_sentence():
    stage = Stage()
    stage.backend.script(*[[SILENCE]] * 3)
    await killed(stage, "q1")
    for _ in range(2):
        await resume(stage.dispatcher(), await reopen(stage.store))
        await killed(stage)
    await restarted(stage)
    assert len(stage.backend.streams) == 3
    assert stage.screen == [GIVEN_UP]
    assert stage.store.row("q1").turn.status is Status.FAILED
    await restarted(stage)
    assert stage.screen == [GIVEN_UP]


async def test_a_turn_that_is_given_up_keeps_what_was_shown_and_does_not_look_as_if_it_went_on():
    stage = Stage()
    for attempt in range(3):
        stage.backend.script(says(LONG, seconds=4, pieces=100))
        if attempt:
            await resume(stage.dispatcher(), await reopen(stage.store))
        await killed(stage, *["q1"][attempt:], after=3.0)
    assert MARK in stage.platform.messages[-1].text
    await restarted(stage)
    assert not any(MARK in text for text in stage.screen)
    *pages, last = stage.screen
    assert last.endswith(GIVEN_UP)
    shown = " ".join([*pages, last.removesuffix(GIVEN_UP).strip()])
    assert LONG.startswith(shown)
    assert len(shown) > 1000
    assert stage.store.row("q1").answer.strip() == shown
    assert len(stage.backend.streams) == 3


@pytest.mark.parametrize("error", [Unreachable("no answer"), Gone("no such channel"), KeyError("id")])
async def test_giving_up_survives_a_platform_that_fails(error: Exception):
    stage = Stage()
    await interrupted(stage, prompt("q1"), 3)
    stage.platform.fail(Call.POST, error)
    await stage.store.accept(prompt("q2"))
    await restarted(stage)
    assert stage.store.row("q1").turn.status is Status.FAILED
    told = [text.removeprefix("-# ") for text in stage.screen[:-1]]
    end = End.FAILED if isinstance(error, KeyError) else End.INTERRUPTED
    assert told == ([] if isinstance(error, Gone) else [sentence(Ending(end))])
    assert stage.screen[-1] == "Well."


@pytest.mark.parametrize("attempts", [1, 3])
async def test_turns_of_a_platform_that_is_off_now_do_not_stop_the_others(attempts: int):
    """Its tokens were taken out, or the turn is the terminal's."""
    stage = Stage()
    await interrupted(stage, prompt("t1", room="", platform="terminal"), attempts)
    await stage.store.accept(prompt("q1"))
    await restarted(stage)
    assert stage.screen == ["Well."]


async def test_a_question_that_comes_while_the_platforms_connect_waits_for_the_interrupted_one():
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1")
    stage.backend.script(says("First."), says("Second."))
    async with stage.open() as dispatcher:
        turns = await reopen(stage.store)
        await dispatcher.receive(prompt("q2"))
        await resume(dispatcher, turns)
        await dispatcher.quiet(R1)
    assert stage.screen == ["First.", "Second."]
    assert [stage.store.row(key).turn.attempts for key in ("q1", "q2")] == [2, 1]


async def test_a_turn_that_this_process_has_answered_meanwhile_is_not_answered_again():
    """Another platform took long to connect; the question was queued when the process began."""
    stage = Stage()
    await stage.store.accept(prompt("q1"))
    async with stage.open() as dispatcher:
        turns = await reopen(stage.store)
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
        await resume(dispatcher, turns)
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well.", "Well."]
    assert len(stage.backend.streams) == 2


async def test_conversations_that_were_to_be_forgotten_are_deleted_without_delaying_the_start():
    stage = Stage()
    running = await interrupted(stage, prompt("q1"), 1)
    conversation = await stage.store.set_remote(running.conversation, "conv_1")
    await stage.store.finish(running.turn, "Well.", Ending(End.COMPLETED))
    await stage.store.close_conversations(R1)
    stage.backend.forget_takes = 30.0
    async with stage.open() as dispatcher:
        dispatcher.forget()
        assert stage.now < 1
        await asyncio.sleep(31)
        assert stage.backend.forgotten == [conversation.remote]


async def interrupted(stage: Stage, question: Prompt, attempts: int) -> Running:
    """A turn that so many processes have begun and none has ended."""
    await stage.store.accept(question)
    running = await stage.store.begin(question.channel, "responses")
    for _ in range(attempts - 1):
        assert running is not None
        await stage.store.requeue(running.turn)
        running = await stage.store.begin(question.channel, "responses")
    assert running is not None
    return running


async def test_a_conversation_that_was_forgotten_before_a_crash_is_deleted_after_the_turn_that_goes_on_in_it():
    """Also where the database does not answer when the turn is to begin."""
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1")
    await stage.store.close_conversations(R1)
    stage.store.fail("begin")
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        dispatcher.forget()
        await asyncio.sleep(60)
    assert stage.store.row("q1").turn.status is Status.DONE
    assert stage.backend.forgotten == ["conv_1"]
