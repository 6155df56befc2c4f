"""However the model's side ends an answer: words a person understands, the text so far kept, never a second answer."""

from __future__ import annotations

import asyncio

import pytest

from bot.asking import Timeouts
from bot.core.endings import sentence
from bot.core.model import Began, Delta, End, Ended, Ending, Status
from bot.errors import BackendError
from tests.engine.fake_backend import COMPLETED, SILENCE, Step, says
from tests.engine.stage import Stage

TEXT = "The text so far. "


def fails(end: End, *, again: bool = False, retry_after: float | None = None) -> BackendError:
    return BackendError(Ending(end, retry_after=retry_after), again=again)


@pytest.mark.parametrize("end", End)
async def test_each_end_is_told_under_the_text_so_far(end: End):
    stage = Stage()
    ending = await stage.answer([0.1, Delta(TEXT), 0.5, Ended(Ending(end, "A detail."))])
    words = sentence(Ending(end, "A detail."))
    assert ending.end is end
    assert stage.screen == [f"{TEXT.strip()}\n\n-# {words}" if words else TEXT.strip()]
    row = stage.store.row("q1")
    assert (row.answer, row.ending, row.turn.status) == (TEXT, ending, ending.status)


@pytest.mark.parametrize("end", End)
async def test_each_fault_before_a_word_is_told_in_a_message(end: End):
    stage = Stage(ask_again=False)
    await stage.answer([0.1, fails(end)])
    assert stage.screen == [f"-# {sentence(Ending(end)) or sentence(Ending(End.EMPTY))}"]


async def test_a_stream_that_just_ends_is_unfinished():
    stage = Stage(ask_again=False)
    ending = await stage.answer([Delta(TEXT), 0.5])
    assert ending.end is End.UNFINISHED
    assert stage.screen == [f"{TEXT.strip()}\n\n-# {sentence(ending)}"]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), TimeoutError(), KeyError("id")])
async def test_a_backend_that_raises_something_unexpected_ends_in_words(error: Exception):
    stage = Stage()
    ending = await stage.answer([Delta(TEXT), 0.5, error])
    assert ending == Ending(End.FAILED)
    assert stage.screen == [f"{TEXT.strip()}\n\n-# {sentence(ending)}"]
    assert stage.store.row("q1").turn.status is Status.FAILED


TIMEOUTS = Timeouts(first_token=20, idle=7, total=60)


@pytest.mark.parametrize(
    ("steps", "after", "words"),
    [
        ([Began("conv_1"), SILENCE], 20, "silent for 20 seconds"),
        ([10.0, Delta(TEXT), SILENCE], 17, "silent for 7 seconds"),
        ([5.0, *[step for _ in range(99) for step in (Delta("word "), 5.0)]], 60, "may take 60 seconds"),
    ],
)
async def test_three_timeouts_are_told_apart(steps: list[Step], after: float, words: str):
    stage = Stage(timeouts=TIMEOUTS)
    ending = await stage.answer(steps)
    [stream] = stage.backend.streams
    assert ending.end is End.TIMED_OUT
    assert words in stage.screen[0]
    assert stage.since_start(stream.closed_at) == pytest.approx(after, abs=0.01)
    assert stage.screen[0].startswith(stream.said.strip())


# Retries


async def test_a_refused_question_is_asked_again_where_that_is_safe():
    stage = Stage()
    ending = await stage.answer([fails(End.RATE_LIMITED, again=True, retry_after=4.0)], says("Hello."))
    assert ending == Ending(End.COMPLETED)
    assert stage.screen == ["Hello."]
    first, second = stage.backend.streams
    assert stage.since_start(first.closed_at) == 0
    assert stage.since_start(second.opened_at) == 4.0


async def test_a_conversation_that_the_first_try_made_is_used_by_the_second():
    stage = Stage()
    await stage.answer([Began("conv_1"), fails(End.OVERLOADED, again=True)], says("Hello."))
    assert [stream.request.remote for stream in stage.backend.streams] == ["", "conv_1"]


async def test_a_question_is_asked_three_times_at_most():
    stage = Stage()
    ending = await stage.answer(*[[fails(End.OVERLOADED, again=True)]] * 5)
    assert ending.end is End.OVERLOADED
    assert len(stage.backend.streams) == 3
    assert stage.now < 10


@pytest.mark.parametrize(
    "steps",
    [
        [fails(End.CONNECTION_LOST)],
        [Delta(TEXT), 0.2, fails(End.CONNECTION_LOST, again=True)],
        [Delta("x"), fails(End.OVERLOADED, again=True)],
        [fails(End.RATE_LIMITED, again=True, retry_after=30.0)],
        [0.2],
        [Ended(Ending(End.FAILED))],
    ],
    ids=["unsafe", "text is there", "a character is there", "a long wait", "unfinished", "ended by the server"],
)
async def test_it_is_not_asked_again_where_that_is_not_safe_or_takes_long(steps: list[Step]):
    stage = Stage(ask_again=False)
    ending = await stage.answer(steps, says("A second answer."))
    assert len(stage.backend.streams) == 1
    assert stage.screen[-1].endswith(sentence(ending))
    assert stage.now < 1


async def test_a_long_wait_is_told():
    stage = Stage()
    await stage.answer([fails(End.RATE_LIMITED, again=True, retry_after=30.0)])
    assert stage.screen == ["-# Too many questions for the model at the moment. Try again in 30 seconds."]


# Stopping


async def test_stop_requested_before_run_is_not_lost():
    stage = Stage()
    relay = await stage.relay()
    relay.stop(Ending(End.STOPPED))
    assert await relay.run() == Ending(End.STOPPED)
    assert stage.backend.streams == []
    assert stage.screen == ["-# Stopped."]
    assert stage.store.row("q1").turn.status is Status.STOPPED


@pytest.mark.parametrize("steps", range(12))
async def test_stop_in_the_first_steps_of_a_run_is_not_lost(steps: int):
    stage = Stage()
    stage.backend.script([SILENCE])
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    for _ in range(steps):
        await asyncio.sleep(0)
    relay.stop(Ending(End.STOPPED))
    async with asyncio.timeout(5):
        assert await running == Ending(End.STOPPED)
    assert all(stream.closed_at for stream in stage.backend.streams)


async def test_stop_closes_the_models_stream_at_once_and_keeps_the_text():
    stage = Stage()
    stage.backend.script([0.1, Delta(TEXT), 3.0, Delta("never"), COMPLETED])
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(2)
    relay.stop(Ending(End.STOPPED))
    await asyncio.sleep(0.001)
    [stream] = stage.backend.streams
    assert stage.since_start(stream.closed_at) == 2.0
    assert await running == Ending(End.STOPPED)
    assert stage.now < 2.2
    assert stage.screen == [f"{TEXT.strip()}\n\n-# Stopped."]
    row = stage.store.row("q1")
    assert (row.answer, row.turn.status) == (TEXT, Status.STOPPED)


async def test_stop_while_a_retry_waits_ends_the_answer_at_once():
    stage = Stage()
    stage.backend.script([fails(End.OVERLOADED, again=True, retry_after=9.0)])
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(1)
    relay.stop(Ending(End.STOPPED))
    await running
    assert stage.now < 1.2
    assert len(stage.backend.streams) == 1


async def test_stop_after_the_end_changes_nothing():
    stage = Stage()
    stage.backend.script(says("Hello."))
    relay = await stage.relay()
    await relay.run()
    relay.stop(Ending(End.STOPPED))
    await asyncio.sleep(10)
    assert stage.screen == ["Hello."]
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_stop_while_the_last_state_is_on_its_way_changes_nothing():
    stage = Stage()
    stage.backend.script(says("Hello."))
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.02)
    relay.stop(Ending(End.STOPPED))
    assert await running == Ending(End.COMPLETED)
    assert stage.screen == ["Hello."]
