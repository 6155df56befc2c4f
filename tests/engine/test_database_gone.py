"""A database that is gone, for however long: what it has to know is stored as soon as it is back, and not before."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.commands import Command
from bot.core.model import Delta, Status
from bot.core.pacing import Call
from bot.errors import StoreError
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, restarted
from tests.engine.test_resuming import LONG, TEXT, lost, whole

LONG_TIME = 1800.0
SOON = 60.0


def statuses(stage: Stage) -> list[Status]:
    return [row.turn.status for row in stage.store.rows.values()]


def asked(stage: Stage) -> list[str]:
    return [stream.request.text for stream in stage.backend.streams]


async def test_the_end_of_an_answer_is_stored_when_it_is_back_and_the_channel_goes_on():
    stage = Stage()
    stage.backend.script(says("First.", seconds=3, pieces=3))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2"):
            await dispatcher.receive(prompt(key, f"{key}?"))
        await asyncio.sleep(2)
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(LONG_TIME - 1)
        assert stage.screen == ["First."]
        await asyncio.sleep(SOON)
        assert stage.screen == ["First.", "Well."]
        assert statuses(stage) == [Status.DONE, Status.DONE]
    assert stage.store.row("q1").answer == "First."
    assert [exchange.answer for exchange in stage.backend.streams[1].request.history] == ["First."]


async def test_a_page_that_was_posted_meanwhile_is_known_afterwards():
    stage = Stage()
    stage.backend.script(says(LONG, seconds=300, pieces=600))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(LONG_TIME + SOON)
        row = stage.store.row("q1")
        assert len(stage.screen) > 1
        assert row.turn.messages == tuple(message.id for message in stage.platform.messages)
        await dispatcher.deleted("q1")
        await asyncio.sleep(10)
    assert stage.screen == []


async def test_an_answer_does_not_look_as_if_it_went_on_because_its_pages_cannot_be_noted():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", TEXT, every=0.5, pieces=10))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(0.05)
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(3)
        await dispatcher.obey(Command.STOP, R1)
        await asyncio.sleep(7)
        assert stage.backend.cancelled == [("conv_1", "resp_1")]


async def test_an_answer_that_was_cut_short_is_asked_for_again_when_it_is_back():
    stage = Stage()
    stage.backend.script([Delta(TEXT), 3.0, lost()], says("Another answer."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(LONG_TIME + SOON)
    assert stage.screen == ["Another answer."]
    assert statuses(stage) == [Status.DONE]


async def test_an_answer_that_broke_is_over_when_it_is_back():
    stage = Stage()
    stage.backend.script(says(TEXT, seconds=3, pieces=30))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(1)
        stage.store.go_down(LONG_TIME)
        stage.platform.fail(Call.EDIT, KeyError("id"))
        await asyncio.sleep(LONG_TIME + SOON)
    assert statuses(stage) == [Status.FAILED]
    assert stage.store.row("q1").turn.messages == (stage.message.id,)


async def test_a_question_that_was_edited_just_before_is_asked_anew_when_it_is_back():
    stage = Stage()
    stage.backend.script([Delta(TEXT), SILENCE], says("Better."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        await dispatcher.edited(prompt("q1", "Why not?"))
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(LONG_TIME + SOON)
    assert stage.screen == ["Better."]
    assert asked(stage) == ["Why?", "Why not?"]
    assert statuses(stage) == [Status.DONE]


async def test_an_answer_whose_question_was_deleted_meanwhile_is_removed():
    """The platform may tell it once only."""
    stage = Stage()
    stage.backend.script([Delta(TEXT), SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        stage.store.fail("erase", 20)
        with pytest.raises(StoreError):
            await dispatcher.deleted("q1")
        await asyncio.sleep(LONG_TIME)
        assert stage.screen == []
    assert stage.store.row("q1").turn.prompt.text == ""
    assert statuses(stage) == [Status.STOPPED]


async def test_who_wants_something_meanwhile_is_told_at_once_that_it_does_not_answer():
    """Also where the turn of the channel waits for it."""
    stage = Stage()
    stage.backend.script([Delta(TEXT), SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        await dispatcher.edited(prompt("q1", "Why not?"))
        stage.store.go_down(LONG_TIME)
        await asyncio.sleep(200)
        for asking in (
            dispatcher.obey(Command.RETRY, R1),
            dispatcher.deleted("q1"),
            dispatcher.edited(prompt("q1", "Why not?")),
        ):
            began = stage.now
            with pytest.raises(StoreError):
                await asking
            assert stage.now < began + 1


async def test_the_bot_can_be_ended_meanwhile_and_the_next_start_looks_after_the_turn():
    stage = Stage()
    stage.backend.script(says("First.", seconds=3, pieces=3))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(2)
    stage.store.go_down(LONG_TIME)
    await asyncio.sleep(100)
    began = stage.now
    await dispatcher.drain(10)
    assert stage.now < began + 30
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await asyncio.sleep(LONG_TIME)
    await restarted(stage)
    assert stage.screen == ["Well."]
    assert statuses(stage) == [Status.DONE]


async def test_the_bot_can_be_ended_where_the_platform_is_gone_as_well():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(2)
    stage.store.go_down(LONG_TIME)
    stage.platform.go_down(LONG_TIME)
    async with asyncio.timeout(30):
        await dispatcher.drain(0)
    await asyncio.sleep(LONG_TIME)
    assert statuses(stage) == [Status.RUNNING]
    await restarted(stage)
    assert whole(stage) == LONG


async def test_a_turn_that_is_not_in_it_any_more_holds_up_nothing():
    stage = Stage()
    stage.backend.script(says("First.", seconds=3, pieces=3))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(2)
        stage.store.rows.clear()
        await asyncio.sleep(10)
        await dispatcher.receive(prompt("q2"))
        await asyncio.sleep(10)
    assert stage.screen == ["First.", "Well."]
