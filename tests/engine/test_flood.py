"""More questions than the bot can answer: some wait, the others are refused, and nothing grows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.commands import Command
from bot.core.endings import sentence
from bot.core.line import Capacity
from bot.core.model import Channel, Delta, End, Ending, Person, Status
from bot.core.pacing import Call
from bot.errors import Gone
from bot.recovery import reopen, resume
from tests.engine.fake_backend import SILENCE, says
from tests.engine.stage import Stage, prompt

R1 = Channel("discord", "r1")
FULL = "There are already 2 questions waiting here. Ask again after the next answer."
WORDS = " ".join(f"word{number}" for number in range(100))
BUSY = sentence(Ending(End.BUSY))


def room(number: int) -> Channel:
    return Channel("discord", f"r{number}")


def statuses(stage: Stage) -> list[Status]:
    return [row.turn.status for row in stage.store.rows.values()]


# Refusals


async def test_a_question_beyond_the_limit_is_told_so_and_those_that_wait_are_answered():
    stage = Stage(capacity=Capacity(waiting=2))
    stage.backend.script(says("First.", first=5.0))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2", "q3", "q4"):
            await dispatcher.receive(prompt(key))
        await asyncio.sleep(2)
        assert stage.screen == [FULL]
        assert stage.message.place.message == "q4", "as a reply to the question that was refused"
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    assert stage.screen == [FULL, "First.", "Well.", "Well."]
    row = stage.store.row("q4")
    assert (row.turn.status, row.ending and row.ending.end) == (Status.FAILED, End.QUEUE_FULL)


async def test_after_an_answer_there_is_room_again():
    stage = Stage(capacity=Capacity(waiting=1))
    stage.backend.script(says("First.", first=5.0), says("Second.", first=5.0))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2", "q3"):
            await dispatcher.receive(prompt(key))
        await stage.until(lambda: "First." in stage.screen)
        await asyncio.sleep(1)
        await dispatcher.receive(prompt("q4"))
        await dispatcher.quiet(R1)
    assert [stage.store.row(f"q{n}").turn.status for n in (1, 2, 3, 4)] == [
        *(Status.DONE, Status.DONE, Status.FAILED, Status.DONE)
    ]


async def test_a_refused_question_delivered_again_is_neither_refused_again_nor_answered():
    """Slack delivers a mention as two events, and again when it heard nothing; also much later."""
    stage = Stage(capacity=Capacity(waiting=2))
    stage.backend.script(says("First.", first=5.0))
    async with stage.open() as dispatcher:
        for key in ("q1", "q2", "q3"):
            await dispatcher.receive(prompt(key))
        await asyncio.gather(*[dispatcher.receive(prompt("q4")) for _ in range(3)])
        await dispatcher.quiet(R1)
        await asyncio.sleep(100)
        await dispatcher.receive(prompt("q4"))
        await asyncio.sleep(100)
    assert stage.screen.count(FULL) == 1
    assert len(stage.screen) == 4
    assert len(stage.backend.streams) == 3


async def test_in_a_flood_a_channel_is_told_twice_a_minute():
    stage = Stage(capacity=Capacity(waiting=2))
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        for number in range(590):
            await dispatcher.receive(prompt(f"q{number}"))
            await asyncio.sleep(0.1)
        assert stage.screen == [FULL] * 2
        assert len(stage.store.rows) == 590, "all are known when they are delivered again"
    assert stage.platform.refused == []


async def test_two_channels_are_told_each():
    stage = Stage(capacity=Capacity(waiting=1))
    stage.backend.script([SILENCE], [SILENCE])
    async with stage.open() as dispatcher:
        for number in range(6):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number % 2}"))
        await asyncio.sleep(2)
        assert len(stage.platform.screen("r0")) == len(stage.platform.screen("r1")) == 1


async def test_questions_beyond_the_limit_in_all_are_told_so():
    stage = Stage(capacity=Capacity(waiting_in_all=3, running=1))
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", room="r1"))
        await asyncio.sleep(1)
        for number in range(2, 7):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number}"))
        await asyncio.sleep(2)
        assert [stage.platform.screen(f"r{number}") for number in range(2, 7)] == [[], [], [], [BUSY], [BUSY]]


async def test_a_flood_in_many_channels_keeps_few_sentences_and_no_answer_waiting():
    """A live answer goes on as if there was no flood: the refusals take side calls alone, and few."""
    calm, flooded = await _live_while(0), await _live_while(1000)
    states = [[m.text for m in stage.platform.messages if m.place.room == "r0"] for stage in (calm, flooded)]
    counts = [[len(m.states) for m in stage.platform.messages if m.place.room == "r0"] for stage in (calm, flooded)]
    assert states[0] == states[1] == [WORDS]
    assert counts[0] == counts[1]
    told = [message for message in flooded.platform.messages if message.place.room != "r0"]
    assert 5 <= len(told) <= 20
    assert flooded.platform.refused == []


async def _live_while(questions: int) -> Stage:
    """An answer of 10 s and, meanwhile, so many questions in channels of their own for which there is no room."""
    stage = Stage(capacity=Capacity(waiting_in_all=1, running=1))
    stage.backend.script(says(WORDS, seconds=10, pieces=100))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q0", room="r0"))
        await asyncio.sleep(2)
        tasks = len(asyncio.all_tasks())
        for number in range(1, questions + 1):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number}"))
            assert len(asyncio.all_tasks()) <= tasks + 10
            await asyncio.sleep(0.001)
        await asyncio.sleep(12 - stage.now)
    return stage


async def test_refusals_that_nobody_can_see_do_not_end_refusing():
    stage = Stage(capacity=Capacity(waiting=1))
    stage.backend.script(*[[SILENCE]] * 12)
    stage.platform.fail(Call.POST, *[Gone("no such channel")] * 11)
    async with stage.open() as dispatcher:
        for number in range(12):
            for key in "abc":
                await dispatcher.receive(prompt(f"{key}{number}", room=f"r{number}"))
            await asyncio.sleep(3)
        assert [stage.platform.screen(f"r{number}") for number in (10, 11)] == [
            [],
            ["There is already a question waiting here. Ask again after the next answer."],
        ]


# A line of channels


async def test_so_many_answers_run_at_once_and_the_others_begin_in_the_order_of_their_questions():
    stage = Stage(capacity=Capacity(running=3))
    stage.backend.script(*[says("Hello.", first=4.0) for _ in range(9)])
    async with stage.open() as dispatcher:
        for number in range(9):
            await dispatcher.receive(prompt(f"q{number}", f"{number}?", room=f"r{number}"))
        for number in range(9):
            await dispatcher.quiet(room(number))
    streams = stage.backend.streams
    assert [stream.request.text for stream in streams] == [f"{number}?" for number in range(9)]
    most = max(
        sum(other.opened_at <= stream.opened_at < (other.closed_at or 0) for other in streams) for stream in streams
    )
    assert most == 3
    assert 12 < stage.now < 15, "three at a time all the while"


async def test_a_channel_with_many_questions_gives_its_place_to_older_ones_of_others():
    stage = Stage(capacity=Capacity(running=1))
    async with stage.open() as dispatcher:
        for number, name in enumerate(["r1", "r1", "r2", "r1", "r2"]):
            await dispatcher.receive(prompt(f"q{number}", f"{number}?", room=name))
        await dispatcher.quiet(R1)
        await dispatcher.quiet(room(2))
    assert [stream.request.text for stream in stage.backend.streams] == [f"{number}?" for number in range(5)]


async def test_a_place_is_free_again_when_the_database_fails_and_the_turn_is_tried_again():
    stage = Stage(capacity=Capacity(running=1))
    stage.store.fail("begin")
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", room="r1"))
        await dispatcher.receive(prompt("q2", room="r2"))
        await stage.until(lambda: stage.platform.screen("r2"))
        assert stage.now < 2
        assert stage.screen == []
        await stage.until(lambda: stage.screen)
    assert stage.store.row("q1").turn.attempts == 1


@pytest.mark.parametrize("in_text", [True, False])
async def test_stop_where_the_first_question_stands_in_line_stops_it_at_once(in_text: bool):
    stage = Stage(capacity=Capacity(running=1))
    stage.backend.script([SILENCE])
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", room="r1"))
        await dispatcher.receive(prompt("q2", room="r2"))
        await dispatcher.receive(prompt("q3", "Another?", room="r2"))
        await asyncio.sleep(3)
        assert stage.platform.screen("r2") == []
        if in_text:
            await dispatcher.receive(prompt("c1", "!stop", room="r2"))
        else:
            assert await dispatcher.obey(Command.STOP, room(2)) == "Stopped."
        await asyncio.sleep(3)
        assert stage.platform.screen("r2") == ["-# Stopped."]
        assert len(stage.backend.streams) == 1, "nothing was asked of the model"
        assert stage.store.row("q3").turn.status is Status.QUEUED
        assert await dispatcher.obey(Command.STOP, R1) == "Stopped."
        await dispatcher.quiet(room(2))
    assert stage.platform.screen("r2") == ["-# Stopped.", "Well."]
    assert stage.backend.streams[-1].request.text == "Another?"


async def test_quiet_waits_for_a_channel_that_stands_in_line():
    stage = Stage(capacity=Capacity(running=1))
    stage.backend.script(says("First.", first=5.0))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1", room="r1"))
        await dispatcher.receive(prompt("q2", room="r2"))
        await dispatcher.quiet(room(2))
        assert stage.platform.screen("r2") == ["Well."]


async def test_thousands_of_channels_in_line_are_no_tasks():
    stage = Stage(capacity=Capacity(running=5))
    stage.backend.script(*[[SILENCE]] * 5)
    async with stage.open() as dispatcher:
        for number in range(5):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number}"))
        await asyncio.sleep(3)
        tasks = len(asyncio.all_tasks())
        for number in range(5, 1500):
            await dispatcher.receive(prompt(f"q{number}", room=f"r{number}"))
        assert len(asyncio.all_tasks()) == tasks


# Draining


async def test_draining_leaves_channels_in_line_to_the_next_start_which_answers_them_in_order():
    stage = Stage(capacity=Capacity(running=1, waiting=1))
    stage.backend.script([Delta("Half an answer"), SILENCE])
    dispatcher = stage.dispatcher()
    for number in range(5):
        await dispatcher.receive(prompt(f"q{number}", f"{number}?", room=f"r{number}"))
    await asyncio.sleep(2)
    await dispatcher.drain(3)
    assert stage.now < 6
    assert statuses(stage) == [Status.QUEUED] * 5
    assert [stage.store.rows[number].turn.attempts for number in range(1, 6)] == [1, 0, 0, 0, 0]
    assert len(stage.backend.streams) == 1
    assert stage.platform.screen("r0") == [f"Half an answer\n\n-# {sentence(Ending(End.SHUTDOWN))}"]
    assert await dispatcher.obey(Command.STOP, room(3)) == "There is no answer running here."
    async with asyncio.timeout(1):
        await dispatcher.quiet(room(3))

    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        for number in range(5):
            await dispatcher.quiet(room(number))
    assert [stream.request.text for stream in stage.backend.streams[1:]] == [f"{number}?" for number in range(5)]
    assert [stage.platform.screen(f"r{number}") for number in range(5)] == [["Well."]] * 5


async def test_an_answer_that_ends_while_draining_lets_nobody_in():
    stage = Stage(capacity=Capacity(running=1))
    stage.backend.script(says("First.", first=3.0))
    dispatcher = stage.dispatcher()
    for key, name in (("q1", "r1"), ("q2", "r1"), ("q3", "r2")):
        await dispatcher.receive(prompt(key, room=name))
    await asyncio.sleep(1)
    await dispatcher.drain(10)
    assert stage.now < 5
    assert stage.screen == ["First."]
    assert statuses(stage) == [Status.DONE, Status.QUEUED, Status.QUEUED]


async def test_a_question_refused_while_draining_is_refused_without_a_word():
    stage = Stage(capacity=Capacity(waiting=1))
    stage.backend.script([SILENCE])
    dispatcher = stage.dispatcher()
    for key in ("q1", "q2"):
        await dispatcher.receive(prompt(key))
    await asyncio.sleep(1)
    await dispatcher.drain(1)
    posted = stage.platform.when(Call.POST)
    for key in ("q3", "q4"):
        await dispatcher.receive(replace(prompt(key), author=Person("u2", "Eve")))
    await asyncio.sleep(5)
    assert stage.platform.when(Call.POST) == posted
