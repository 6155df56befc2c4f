"""Answers in messages that grow by appending: what a reader sees, and what becomes of it when something goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from bot.core.model import Delta, End, Ending, Place
from bot.core.pacing import Call, Limit
from bot.errors import Gone, Refused, Rejected, StreamEnded, Unreachable
from tests.engine.fake_backend import COMPLETED, SILENCE, says
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage

# Slack's: nothing tells what is left, and all windows last a minute
WINDOWS = {
    Call.POST: (300, 60.0),
    Call.EDIT: (50, 60.0),
    Call.DELETE: (50, 60.0),
    Call.START: (20, 60.0),
    Call.STOP: (20, 60.0),
    Call.APPEND: (100, 60.0),
    Call.TYPING: (50, 60.0),
    Call.QUIET: (50, 60.0),
}
TEXT = " ".join(f"word{number}" for number in range(150))
LONG = "\n\n".join(f"Paragraph {number}. " + "It goes on for a while. " * 20 for number in range(70)).strip()


class Workspace(FakePlatform):
    """Its limits are for all rooms together, and there is none for all calls."""

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        return super().limits(call, Place("all"))[:1]


def stage() -> Stage:
    return Stage(FakePlatform(streams=True, windows=WINDOWS, headers=False))


def count(here: Stage, call: Call) -> int:
    return len(here.platform.when(call))


async def test_an_answer_is_started_appended_to_and_stopped():
    here = stage()
    await here.answer(says(TEXT, seconds=10, pieces=150))
    assert here.screen == [TEXT]
    assert not here.message.live
    assert (count(here, Call.START), count(here, Call.STOP)) == (1, 1)
    assert count(here, Call.APPEND) >= 5
    assert count(here, Call.EDIT) == count(here, Call.POST) == 0
    states = [state.text for state in here.message.states]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(states))
    assert here.since_start(here.message.states[-1].at) <= 10.1, "the rest comes with the stop"
    assert here.platform.refused == []


async def test_a_long_answer_goes_on_in_further_streams():
    here = stage()
    await here.answer(says(LONG, seconds=60, pieces=600))
    assert len(here.screen) >= 4
    assert "".join("".join(here.screen).split()) == "".join(LONG.split())
    assert not any(message.live for message in here.platform.messages)
    assert all(len(text.encode()) <= 9_000 for text in here.screen)
    assert count(here, Call.EDIT) == 0
    assert here.platform.refused == []


async def test_a_stream_is_followed_by_another_before_it_grows_too_old():
    here = stage()
    pieces = [step for number in range(60) for step in (Delta(f"Sentence {number} of it all. "), 10.0)]
    await here.answer([*pieces, COMPLETED])
    ages = [message.states[-1].at - message.states[0].at for message in here.platform.messages]
    assert len(ages) >= 2
    assert all(age <= 260 for age in ages)
    assert "Sentence 59" in here.screen[-1]


@pytest.mark.parametrize("effect", [False, True], ids=["vanished", "taken"])
@pytest.mark.parametrize("call", [Call.START, Call.APPEND, Call.STOP])
async def test_a_call_without_an_answer_doubles_nothing_and_loses_nothing(call: Call, effect: bool):
    here = stage()
    here.platform.fail(call, Unreachable("no answer"), effect=effect)
    await here.answer(says(TEXT, seconds=10, pieces=50))
    assert here.screen == [TEXT]
    assert not here.message.live


@pytest.mark.parametrize(
    ("call", "error"),
    [
        *itertools.product([Call.START, Call.APPEND, Call.STOP], [Rejected("msg_too_long"), Refused(2.0)]),
        *itertools.product([Call.APPEND, Call.STOP], [StreamEnded("of age")]),
    ],
)
async def test_whatever_a_stream_refuses_is_shown_in_another_way(call: Call, error: Exception):
    here = stage()
    here.platform.fail(call, error)
    ending = await here.answer(says(TEXT, seconds=10, pieces=50))
    assert ending == Ending(End.COMPLETED)
    assert " ".join(here.screen) == TEXT
    assert not any(message.live for message in here.platform.messages)


async def test_a_workspace_that_refuses_streams_in_the_middle_of_an_answer_gets_it_as_a_message():
    here = stage()
    here.platform.fail(Call.APPEND, Rejected("unknown_method"))
    here.platform.fail(Call.STOP, *[Rejected("unknown_method")] * 3)
    here.platform.fail(Call.EDIT, Rejected("streaming_state_conflict"))
    await here.answer(says(TEXT, seconds=10, pieces=50))
    assert here.screen == [TEXT]


async def test_a_person_who_stops_the_stream_stops_the_answer():
    here = stage()
    here.backend.script([Delta(TEXT), SILENCE])
    relay = await here.relay()
    running = asyncio.create_task(relay.run())
    await here.until(lambda: here.platform.messages)
    here.message.live, here.message.stopped = False, True
    relay.stop(Ending(End.STOPPED))
    assert await running == Ending(End.STOPPED)
    assert here.screen == [f"{TEXT}\n\n_Stopped._"]


async def test_a_stop_seen_by_an_append_closes_the_models_stream():
    here = stage()
    here.platform.fail(Call.APPEND, StreamEnded("stopped_by_user", by_person=True))
    ending = await here.answer([*says(TEXT, seconds=10, pieces=50)[:-1], SILENCE])
    assert ending == Ending(End.STOPPED)
    assert here.screen[0].endswith("_Stopped._")
    assert here.backend.streams[0].closed_at is not None


@pytest.mark.parametrize("end", [End.STOPPED, End.SHUTDOWN, End.FAILED])
async def test_every_ending_stops_the_stream_and_says_so(end: End):
    here = stage()
    here.backend.script([Delta(TEXT), SILENCE])
    relay = await here.relay()
    running = asyncio.create_task(relay.run())
    await here.until(lambda: here.platform.messages)
    relay.stop(Ending(end))
    await running
    assert not here.message.live
    assert here.message.text.startswith(TEXT)
    assert here.message.text.endswith("_")
    assert count(here, Call.STOP) == 1


async def test_a_cancelled_answer_leaves_no_stream_open_and_no_sign_of_life():
    here = stage()
    here.backend.script([1.0, *says(TEXT, seconds=5, pieces=50)[:-1], SILENCE])
    running = asyncio.create_task((await here.relay()).run())
    await here.until(lambda: count(here, Call.APPEND) > 1)
    assert here.platform.busy == {"r1": True}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not here.message.live
    assert here.platform.busy == {"r1": False}


async def test_a_lost_channel_ends_the_answer_quietly():
    here = stage()
    here.platform.fail(Call.APPEND, Gone("not_in_channel"))
    assert (await here.answer(says(TEXT, seconds=10, pieces=50))).end is End.STOPPED


async def test_many_answers_at_once_are_never_refused_and_those_without_a_stream_are_edited():
    """More than twenty streams cannot be begun in a minute."""
    here = Stage(Workspace(streams=True, windows=WINDOWS, headers=False))
    here.backend.script(*[says(TEXT, seconds=8, pieces=50, first=1.0) for _ in range(30)])
    relays = [await here.relay(f"q{number}", room=f"r{number}") for number in range(30)]
    await asyncio.gather(*(relay.run() for relay in relays))
    assert [here.platform.screen(f"r{number}") for number in range(30)] == [[TEXT]] * 30
    assert here.platform.refused == []
    assert 10 <= count(here, Call.START) <= 20
    assert count(here, Call.START) + count(here, Call.POST) == 30
    assert not any(message.live for message in here.platform.messages)


async def test_a_resumed_answer_is_written_into_the_stream_that_was_left_open():
    here = stage()
    here.backend.script([*says(TEXT, seconds=5, pieces=50)[:-1], SILENCE])
    running = asyncio.create_task((await here.relay()).run())
    await here.until(lambda: count(here, Call.APPEND) > 1)
    here.platform.fail(Call.STOP, Unreachable("the process is gone"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert here.message.live
    [turn] = await here.store.open_turns()
    await here.store.requeue(turn)
    here.backend.script(says(TEXT, seconds=2, pieces=20))
    await (await here.relay()).run()
    assert here.screen == [TEXT]
    assert not here.message.live


async def test_a_sign_of_life_is_taken_back_at_the_end():
    here = stage()
    await here.answer(says(TEXT, seconds=2, pieces=10, first=2.0))
    assert here.platform.busy == {"r1": False}
    assert (count(here, Call.TYPING) >= 1, count(here, Call.QUIET)) == (True, 1)


async def test_where_a_sign_of_life_ends_by_itself_nothing_is_taken_back():
    here = Stage()
    await here.answer(says(TEXT, seconds=2, pieces=10, first=2.0))
    assert count(here, Call.TYPING) >= 1
    assert count(here, Call.QUIET) == 0


async def test_a_turn_that_is_given_up_takes_back_the_sign_of_life_of_the_process_before():
    here = stage()
    await here.relay()
    await here.store.requeue(here.store.row("q1").turn)
    relay = await here.relay()
    relay.stop(Ending(End.FAILED))
    await relay.run()
    assert here.platform.busy == {"r1": False}
