"""An answer that was interrupted waits for its next attempt: who stops, edits or deletes it is obeyed as if it ran."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bot.core.changes import Changes
from bot.core.commands import Command
from bot.core.line import Capacity
from bot.core.model import Channel, Delta, Status
from bot.dispatcher import Dispatcher
from bot.recovery import reopen, resume
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, killed
from tests.engine.test_resuming import LONG, TEXT, lost, whole

R2 = Channel("discord", "r2")
KEEP = Changes(delete_answers=False)
AT_SERVER = ("conv_1", "resp_1")


@pytest.fixture
async def stage() -> Stage:
    """There is one place; a process was killed in the middle of an answer that goes on at the server."""
    stage = Stage(capacity=Capacity(running=1))
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1", after=3.0)
    stage.backend.cancelled.clear()
    return stage


@asynccontextmanager
async def waiting(stage: Stage) -> AsyncGenerator[Dispatcher]:
    """The next process: another channel has the place, so the interrupted answer waits."""
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        turns = await reopen(stage.store)
        await dispatcher.receive(prompt("other", room="r2"))
        await resume(dispatcher, turns)
        await asyncio.sleep(1)
        assert stage.store.row("q1").turn.status is Status.QUEUED
        yield dispatcher
        await dispatcher.obey(Command.STOP, R2)
        await dispatcher.quiet(R1)


async def test_deleting_the_question_ends_its_answer_at_the_server(stage: Stage):
    async with waiting(stage) as dispatcher:
        await dispatcher.deleted("q1")
        await asyncio.sleep(5)
        assert stage.screen == []
    assert stage.backend.cancelled == [AT_SERVER]
    assert len(stage.backend.lasting) == 1


async def test_editing_the_question_ends_its_answer_at_the_server_before_it_is_asked_anew(stage: Stage):
    stage.backend.forget_takes = 3.0
    async with waiting(stage) as dispatcher:
        stage.backend.script(says("Better."))
        editing = asyncio.create_task(dispatcher.edited(prompt("q1", "Why not?")))
        await asyncio.sleep(0.1)
        await dispatcher.obey(Command.STOP, R2)
        await stage.until(lambda: len(stage.backend.streams) == 3)
        assert stage.backend.cancelled == [AT_SERVER]
        await editing
    assert stage.backend.streams[-1].request.text == "Why not?"
    assert stage.screen == ["Better."]


async def test_stopping_it_ends_it_at_the_server_and_keeps_what_is_shown(stage: Stage):
    shown = whole(stage)[:500]
    async with waiting(stage) as dispatcher:
        assert await dispatcher.obey(Command.STOP, R1) == "Stopped."
        await asyncio.sleep(5)
        assert stage.store.row("q1").turn.status is Status.STOPPED
    assert stage.backend.cancelled == [AT_SERVER]
    assert whole(stage).startswith(shown)
    assert stage.screen[-1].endswith("-# Stopped.")


async def test_where_answers_are_kept_deleting_the_question_stops_it(stage: Stage):
    stage.changes = KEEP
    shown = whole(stage)[:500]
    async with waiting(stage) as dispatcher:
        await dispatcher.deleted("q1")
        await asyncio.sleep(5)
        assert stage.store.row("q1").turn.status is Status.STOPPED
    assert stage.backend.cancelled == [AT_SERVER]
    assert whole(stage).startswith(shown)
    assert stage.screen[-1].endswith("-# Stopped.")


async def test_a_server_that_does_not_take_it_holds_up_nothing(stage: Stage):
    stage.backend.forget_takes = 600
    async with waiting(stage) as dispatcher:
        began = stage.now
        await dispatcher.deleted("q1")
        assert stage.now < began + 10
        assert stage.store.row("q1").turn.status is Status.STOPPED


async def test_what_another_backend_began_is_not_ended_by_this_one(stage: Stage):
    stage.backend.name = "assistants"
    async with waiting(stage) as dispatcher:
        await dispatcher.deleted("q1")
    assert stage.backend.cancelled == []
    assert stage.screen == []


# Between two attempts, which takes no longer than the database does


@asynccontextmanager
async def cut_short(stage: Stage) -> AsyncGenerator[Dispatcher]:
    """An answer whose stream has just broken, and that is about to be asked for again."""
    stage.backend.script([Delta(TEXT), 3.0, lost()], says("Another answer."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        stage.store.latency = 0.2
        await stage.until(lambda: stage.backend.streams[0].closed_at)
        yield dispatcher
        await dispatcher.quiet(R1)


def is_stopped(stage: Stage) -> bool:
    """With what was shown, and nothing more was asked of the model."""
    row = stage.store.row("q1")
    assert whole(stage) == f"{TEXT}\n\n-# Stopped."
    assert (row.turn.status, row.answer) == (Status.STOPPED, TEXT)
    return len([stream for stream in stage.backend.streams if stream.request.text == "Why?"]) == 1


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4])
async def test_who_stops_an_answer_between_two_attempts_is_obeyed(after: float):
    stage = Stage()
    async with cut_short(stage) as dispatcher:
        await asyncio.sleep(after)
        assert await dispatcher.obey(Command.STOP, R1) == "Stopped."
    assert is_stopped(stage)


@pytest.mark.parametrize("after", [0.0, 0.1])
async def test_also_where_other_channels_wait_for_the_place(after: float):
    stage = Stage(capacity=Capacity(running=1))
    async with cut_short(stage) as dispatcher:
        await dispatcher.receive(prompt("other", "Other?", room="r2"))
        await asyncio.sleep(after)
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(R1)
        assert stage.platform.screen("r2") == []
        await dispatcher.quiet(R2)
    assert is_stopped(stage)
    assert stage.platform.screen("r2") == ["Another answer."]


async def test_also_while_the_next_turn_of_the_channel_cannot_be_read():
    stage = Stage()
    async with cut_short(stage) as dispatcher:
        stage.store.fail("begin", 2)
        await asyncio.sleep(2)
        await dispatcher.obey(Command.STOP, R1)
        await asyncio.sleep(20)
    assert is_stopped(stage)


async def test_also_while_the_bot_goes_down():
    stage = Stage()
    async with cut_short(stage) as dispatcher:
        draining = asyncio.create_task(dispatcher.drain(20))
        await asyncio.sleep(0.15)
        await dispatcher.obey(Command.STOP, R1)
        await draining
    assert is_stopped(stage)


async def test_also_while_the_question_as_it_was_edited_is_stored():
    stage = Stage()
    stage.backend.script([Delta(TEXT), SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(3)
        stage.store.latency = 0.2
        await dispatcher.edited(prompt("q1", "Why not?"))
        await asyncio.sleep(0.05)
        await dispatcher.obey(Command.STOP, R1)
        await dispatcher.quiet(R1)
    assert len(stage.backend.streams) == 1
    assert stage.store.row("q1").turn.status is Status.STOPPED
    assert stage.screen == ["-# Stopped."]


async def test_who_stops_what_does_not_come_stops_nothing_later():
    """The question that was about to begin is deleted at the same moment."""
    stage = Stage()
    stage.store.latency = 0.2
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        deleting = asyncio.create_task(dispatcher.deleted("q1"))
        await dispatcher.obey(Command.STOP, R1)
        await deleting
        await dispatcher.quiet(R1)
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]


async def test_where_answers_are_kept_deleting_the_question_stops_it_likewise():
    stage = Stage(changes=KEEP)
    async with cut_short(stage) as dispatcher:
        await asyncio.sleep(0.1)
        await dispatcher.deleted("q1")
    assert is_stopped(stage)


async def test_who_stops_an_answer_whose_question_has_just_been_deleted_stops_no_other():
    stage = Stage()
    stage.backend.script([Delta(TEXT), 3.0, lost()], says("Second."))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2"):
            await dispatcher.receive(prompt(key))
        await asyncio.sleep(2)
        stage.store.latency = 0.2
        await asyncio.sleep(0.9)
        deleting = asyncio.create_task(dispatcher.deleted("q1"))
        await asyncio.sleep(0.25)
        await dispatcher.obey(Command.STOP, R1)
        await deleting
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    assert stage.screen == ["Second."]
