"""An answer that was interrupted waits for its next attempt: who stops, edits or deletes it is obeyed as if it ran."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bot.core.commands import Command
from bot.core.line import Capacity
from bot.core.model import Channel, Status
from bot.dispatcher import Dispatcher
from bot.recovery import reopen, resume
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, killed
from tests.engine.test_resuming import LONG, whole

R2 = Channel("discord", "r2")
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
        resume(dispatcher, turns)
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
