"""Two things at once: what ends an attempt comes while another thing is ending it, or before it has begun."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.changes import Changes
from bot.core.commands import Command
from bot.core.model import Status
from bot.recovery import reopen, resume
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, killed, restarted
from tests.engine.test_relay_streaming import WINDOWS as STREAMING
from tests.engine.test_resuming import LONG, TEXT, whole


async def test_an_attempt_that_has_to_end_before_it_began_keeps_what_there_was():
    """The process goes down while it looks for a page of the one before."""
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1", after=4.0)
    noted = stage.store.row("q1").turn.progress
    assert noted.text
    stage.platform.go_down(2)
    dispatcher = stage.dispatcher()
    await resume(dispatcher, await reopen(stage.store))
    await asyncio.sleep(0.5)
    await dispatcher.drain(0)
    assert stage.store.row("q1").turn.progress == noted
    await restarted(stage)
    assert whole(stage) == LONG


async def test_an_answer_whose_question_is_deleted_while_the_bot_goes_down_is_ended_at_the_server():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(3)
    draining = asyncio.create_task(dispatcher.drain(0))
    await asyncio.sleep(0.01)
    await dispatcher.deleted("q1")
    await draining
    assert stage.backend.cancelled == [("conv_1", "resp_1")]
    assert stage.store.row("q1").turn.status is Status.STOPPED


@pytest.mark.parametrize("after", [0.0, 0.1, 2.0])
async def test_who_stops_an_answer_that_is_asked_anew_keeps_what_was_there(after: float):
    stage = Stage()
    stage.backend.script(says(TEXT, seconds=6, pieces=60))
    await killed(stage, "q1", after=5.0)
    noted = stage.store.row("q1").turn.progress.text
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        await asyncio.sleep(after)
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(R1)
    assert whole(stage) == f"{noted}\n\n-# Stopped."
    row = stage.store.row("q1")
    assert (row.turn.status, row.answer) == (Status.STOPPED, noted)


@pytest.mark.parametrize("after", [0.0, 0.1, 2.0])
async def test_who_stops_an_answer_that_is_taken_up_keeps_what_was_there(after: float):
    stage = Stage()
    stage.backend.script(Lasting("resp_1", TEXT, every=1, pieces=60))
    await killed(stage, "q1", after=30.0)
    stage.backend.cancelled.clear()
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        await asyncio.sleep(after)
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(R1)
    text, note = whole(stage).split("\n\n")
    assert TEXT.startswith(text)
    assert len(text) > 300
    assert note == "-# Stopped."
    assert stage.backend.cancelled == [("conv_1", "resp_1")]


@pytest.mark.parametrize("latency", [0.2, 0.6])
@pytest.mark.parametrize("after", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2])
async def test_an_edit_while_the_answer_ends_is_not_lost(latency: float, after: float):
    stage = Stage(changes=Changes(rerun_edited="last"))
    stage.store.latency = latency
    stage.backend.script(says("One."), says("Two."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(after)
        await dispatcher.edited(prompt("q1", "Why not?"))
        await dispatcher.quiet(R1)
    assert stage.backend.streams[-1].request.text == "Why not?"
    assert stage.store.row("q1").turn.status is Status.DONE


@pytest.mark.parametrize("meanwhile", [0.0, 20.0])
async def test_a_platform_that_takes_no_last_state_does_not_make_a_restart_a_crash(meanwhile: float):
    """Also while a page of the attempt before is looked for."""
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=3, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(2)
    for _ in range(4):
        stage.platform.go_down(20)
        await dispatcher.drain(0)
        turn = stage.store.row("q1").turn
        assert (turn.status, turn.cut_short) == (Status.QUEUED, 0)
        await asyncio.sleep(meanwhile)
        dispatcher = stage.dispatcher()
        await resume(dispatcher, await reopen(stage.store))
        await asyncio.sleep(0.2)
    await dispatcher.quiet(R1)
    assert whole(stage) == LONG


async def test_a_turn_that_breaks_at_once_leaves_nothing_running(caplog: pytest.LogCaptureFixture):
    stage = Stage(FakePlatform(windows=STREAMING))
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1", after=2.0)
    stage.backend.cancelled.clear()
    stage.platform.busy["r1"] = True
    stage.platform.breaks_looking = ValueError("not what was agreed")
    await restarted(stage)
    assert stage.backend.cancelled == [("conv_1", "resp_1")]
    assert stage.platform.busy == {"r1": False}
    assert stage.store.row("q1").turn.status is Status.FAILED


@pytest.mark.parametrize("what", ["reword", "erase"])
async def test_a_database_that_does_not_take_at_first_what_an_edit_or_a_deletion_asks_for(what: str):
    stage = Stage()
    stage.backend.script(says(TEXT, seconds=9, pieces=50), says("Two."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(3)
        if what == "reword":
            await dispatcher.edited(prompt("q1", "Why not?"))
        else:
            await dispatcher.deleted("q1")
        stage.store.fail(what, 2)
        await dispatcher.quiet(R1)
        await asyncio.sleep(1)
    assert stage.screen == (["Two."] if what == "reword" else [])
    row = stage.store.row("q1")
    assert (row.turn.status, row.turn.prompt.text) in {(Status.DONE, "Why not?"), (Status.STOPPED, "")}
    assert not row.answer or what == "reword"


@pytest.mark.parametrize("after", [2.0, 30.0])
async def test_an_answer_whose_question_is_deleted_just_before_a_crash_is_removed_by_the_next_process(after: float):
    """While it is written, and when it was complete."""
    stage = Stage()
    stage.backend.script(says(LONG, seconds=10, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(after)
    stage.platform.go_down(0.5)
    await dispatcher.deleted("q1")
    await killed(stage, after=0.1)
    assert stage.screen
    await restarted(stage)
    assert stage.screen == []
    row = stage.store.row("q1")
    assert (row.turn.messages, row.answer) == ((), "")


async def test_a_database_that_does_not_take_at_first_that_a_page_is_removed_leaves_none():
    stage = Stage()
    stage.backend.script(says(LONG))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        stage.store.fail("drop_message", 2)
        await dispatcher.deleted("q1")
        await asyncio.sleep(20)
    assert stage.screen == []
    assert stage.store.row("q1").turn.messages == ()


async def test_a_database_that_does_not_take_at_first_that_a_page_is_found_knows_it_in_the_end():
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1", after=2.6)
    row = stage.store.row("q1")
    row.turn = replace(row.turn, messages=row.turn.messages[:1])
    stage.store.fail("add_message", 2)
    stage.backend.script(says(LONG))
    await restarted(stage)
    assert whole(stage) == LONG
    assert stage.store.row("q1").turn.messages == tuple(message.id for message in stage.platform.messages)
