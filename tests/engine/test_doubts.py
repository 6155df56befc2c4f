"""The database did what it was asked to do, but its answer was lost: nothing hangs, and nothing happens twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bot.core.changes import Changes
from bot.core.commands import Command
from bot.core.model import Began, Channel, Status
from bot.errors import StoreError
from tests.engine.fake_backend import says
from tests.engine.stage import Stage, prompt

R1 = Channel("discord", "r1")


def asked(stage: Stage) -> list[str]:
    return [stream.request.text for stream in stage.backend.streams]


@pytest.mark.parametrize("again", [False, True])
async def test_a_question_that_was_stored_after_all_is_answered_once(again: bool):
    """Also where the platform delivers it again."""
    stage = Stage()
    stage.store.fail("accept", effect=True)
    async with stage.open() as dispatcher:
        with pytest.raises(StoreError):
            await dispatcher.receive(prompt("q1"))
        if again:
            await dispatcher.receive(prompt("q1"))
        await stage.until(lambda: stage.screen == ["Well."])
        await asyncio.sleep(60)
    assert stage.screen == ["Well."]
    assert len(stage.backend.streams) == 1


async def test_a_turn_that_was_begun_after_all_is_answered_once_and_before_the_next():
    stage = Stage()
    stage.store.fail("begin", effect=True)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", "one"))
        await dispatcher.receive(prompt("q2", "two"))
        await stage.until(lambda: len(stage.screen) == 2)
        await asyncio.sleep(60)
    assert asked(stage) == ["one", "two"]
    assert stage.store.row("q1").turn.cut_short == 0
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.DONE, Status.DONE]


async def test_a_database_that_stays_away_is_asked_until_it_is_back():
    stage = Stage()
    stage.store.fail("begin", effect=True)
    stage.store.fail("open_turns", 5)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await stage.until(lambda: stage.screen == ["Well."])
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_an_answer_that_runs_meanwhile_is_left_alone():
    stage = Stage()
    stage.backend.script(says("Slowly.", seconds=20, pieces=7))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", "one"))
        await asyncio.sleep(2)
        stage.store.fail("accept", effect=True)
        with pytest.raises(StoreError):
            await dispatcher.receive(prompt("q2", "two"))
        await stage.until(lambda: stage.screen == ["Slowly.", "Well."])
    assert asked(stage) == ["one", "two"]
    assert stage.store.row("q1").turn.attempts == 1


async def test_a_question_asked_again_by_command_is_answered_although_the_command_seemed_to_fail():
    stage = Stage()
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        stage.backend.script(says("Better."))
        stage.store.fail("reword", effect=True)
        with pytest.raises(StoreError):
            await dispatcher.obey(Command.RETRY, R1)
        await stage.until(lambda: stage.screen == ["Better."])
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_an_edited_question_is_asked_anew_although_that_seemed_to_fail():
    stage = Stage(changes=Changes(rerun_edited="last"))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", "one"))
        await dispatcher.quiet(R1)
        stage.backend.script(says("Better."))
        stage.store.fail("reword", effect=True)
        for _ in range(2):  # the platform tells it again
            with suppress(StoreError):
                await dispatcher.edited(prompt("q1", "two"))
        await stage.until(lambda: stage.screen == ["Better."])
    assert asked(stage) == ["one", "two"]


async def test_a_deleted_question_takes_its_answer_with_it_although_that_seemed_to_fail():
    stage = Stage()
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        stage.store.fail("erase", effect=True)
        with pytest.raises(StoreError):
            await dispatcher.deleted("q1")
        await stage.until(lambda: stage.screen == [])


async def test_an_answer_that_ends_while_its_channel_is_looked_at_is_not_given_twice():
    """Another channel, which is looked at first, takes its time."""
    stage = Stage()
    stage.store.fail("begin", effect=True)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", "one", room="r2"))
        stage.backend.script(says("Slowly.", seconds=4.2, pieces=7))
        await dispatcher.receive(prompt("q2", "two"))
        stage.store.fail("accept", effect=True)
        with pytest.raises(StoreError):
            await dispatcher.receive(prompt("q3", "three"))
        await asyncio.sleep(3.5)
        stage.store.latency = 1.0
        await asyncio.sleep(60)
    assert sorted(asked(stage)) == ["one", "three", "two"]


@pytest.mark.parametrize("times", range(3, 9))
async def test_a_channel_that_is_in_doubt_again_while_it_is_looked_at_is_looked_at_again(times: int):
    """Its turn is begun again while the one of another channel is looked after."""
    stage = Stage()
    stage.store.latency = 1.0
    stage.store.fail("begin", times, effect=True)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", "one"))
        await dispatcher.receive(prompt("q2", "two", room="r2"))
        await asyncio.sleep(120)
    assert sorted(asked(stage)) == ["one", "two"]
    assert [stage.store.row(key).turn.status for key in ("q1", "q2")] == [Status.DONE, Status.DONE]


async def test_a_conversation_that_is_forgotten_while_a_turn_in_it_is_in_doubt_is_deleted_after_that_turn():
    stage = Stage()
    stage.backend.script([Began("conv_1"), *says("One.")], [Began("conv_2"), *says("Two.")])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        stage.store.fail("begin", effect=True)
        await dispatcher.receive(prompt("q2"))
        await asyncio.sleep(1)
        await dispatcher.obey(Command.NEW, R1)
        await stage.until(lambda: stage.screen == ["One.", "Two."])
        await asyncio.sleep(60)
    assert stage.backend.forgotten == ["conv_1"]
