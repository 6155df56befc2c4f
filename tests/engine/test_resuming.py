"""An answer whose stream breaks, or whose process ends, goes on where it was: same messages, same text."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.asking import Timeouts
from bot.core.attaching import Attaching
from bot.core.commands import Command
from bot.core.endings import sentence
from bot.core.model import Delta, End, Ending, Progress, Status
from bot.errors import BackendError
from bot.recovery import reopen, resume
from tests.cursor import MARK
from tests.engine.fake_backend import SILENCE, Lasting, says
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, killed, restarted

TEXT = " ".join(f"word{number}" for number in range(300))  # a page and a bit
LONG = " ".join(f"word{number}" for number in range(900))  # four pages


def broken(end: End = End.CONNECTION_LOST, *, retry_after: float | None = None) -> BackendError:
    return BackendError(Ending(end, retry_after=retry_after), broken=True)


def lost(end: End = End.CONNECTION_LOST) -> BackendError:
    return BackendError(Ending(end))


def whole(stage: Stage) -> str:
    """The text of all pages, without what pages need of their own."""
    return " ".join(stage.screen)


@pytest.mark.parametrize("at", [0, 1, 30, 49, 50])
async def test_a_stream_that_breaks_is_taken_up_after_the_last_of_the_text(at: int):
    stage = Stage()
    answer = Lasting("resp_1", TEXT, every=0.1, pieces=50, breaks={at: broken()})
    assert len(answer.parts()) == 50
    assert await stage.answer(answer) == Ending(End.COMPLETED)
    assert whole(stage) == TEXT
    first, second = stage.backend.streams
    assert first.said + second.said == TEXT
    assert not any("lost" in state.text for message in stage.platform.messages for state in message.states)
    assert stage.backend.cancelled == []
    assert stage.now < 8


async def test_a_stream_may_break_as_often_as_it_brings_something():
    stage = Stage()
    answer = Lasting("resp_1", TEXT, every=0.1, pieces=50, breaks={at: broken() for at in range(51)})
    assert await stage.answer(answer) == Ending(End.COMPLETED)
    assert whole(stage) == TEXT
    assert len(stage.backend.streams) == 52


async def test_a_server_that_is_away_for_a_while_is_waited_for():
    stage = Stage()
    stage.backend.on_opening.extend([None, *[broken(End.UNREACHABLE)] * 5])
    ending = await stage.answer(Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={20: broken()}))
    assert ending == Ending(End.COMPLETED)
    assert whole(stage) == TEXT
    assert 15 < stage.now < 30


async def test_how_long_the_server_wants_to_be_left_alone_is_respected():
    stage = Stage()
    answer = Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={20: broken(End.RATE_LIMITED, retry_after=9.0)})
    await stage.answer(answer)
    first, second = stage.backend.streams
    assert stage.since_start(second.opened_at) == stage.since_start(first.closed_at) + 9.0
    assert whole(stage) == TEXT


async def test_a_server_that_stays_away_ends_the_answer_when_the_patience_does():
    stage = Stage(timeouts=Timeouts(first_token=20, idle=30, total=600))
    stage.backend.on_opening.extend([None, *[broken(End.UNREACHABLE)] * 50])
    ending = await stage.answer(Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={20: broken()}))
    assert ending.end is End.UNREACHABLE
    assert stage.screen[-1].endswith(sentence(ending))
    assert TEXT.startswith(stage.screen[0].partition("\n\n-# ")[0])
    assert stage.now < 35
    assert stage.backend.cancelled == [("conv_1", "resp_1")]
    assert stage.store.row("q1").turn.status is Status.FAILED


async def test_silence_may_be_the_connections_so_it_is_taken_up_once():
    stage = Stage(timeouts=Timeouts(first_token=20, idle=7, total=600))
    answer = Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={21: None})
    assert await stage.answer(answer) == Ending(End.COMPLETED)
    assert whole(stage) == TEXT
    assert stage.now < 10


async def test_silence_after_it_was_taken_up_is_the_models():
    stage = Stage(timeouts=Timeouts(first_token=20, idle=7, total=600))
    ending = await stage.answer(Lasting("resp_1", TEXT, every=100, pieces=60))
    assert ending.end is End.TIMED_OUT
    assert "silent for 7 seconds" in stage.screen[0]
    assert len(stage.backend.streams) == 2
    assert stage.now == pytest.approx(27.3, abs=0.3)
    assert stage.backend.cancelled == [("conv_1", "resp_1")]


async def test_an_answer_that_never_begins_is_not_waited_for_twice():
    stage = Stage(timeouts=Timeouts(first_token=20, idle=7, total=600))
    ending = await stage.answer(Lasting("resp_1", TEXT, breaks={0: None}))
    assert ending.end is End.TIMED_OUT
    assert len(stage.backend.streams) == 1
    assert stage.now < 21
    assert stage.backend.cancelled == [("conv_1", "resp_1")]


async def test_all_together_it_takes_no_longer_than_an_answer_may():
    stage = Stage(timeouts=Timeouts(first_token=20, idle=7, total=60))
    breaks: dict[int, BaseException | None] = {at: broken() for at in range(0, 200, 3)}
    ending = await stage.answer(Lasting("resp_1", LONG, every=2, pieces=200, breaks=breaks))
    assert ending.end is End.TIMED_OUT
    assert "may take 60 seconds" in stage.screen[-1]
    assert stage.now == pytest.approx(60, abs=1)
    assert stage.backend.cancelled == [("conv_1", "resp_1")]


async def test_the_servers_own_end_is_the_end():
    stage = Stage()
    answer = Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={20: broken(), 30: lost(End.FAILED)})
    ending = await stage.answer(answer)
    assert ending.end is End.FAILED
    assert len(stage.backend.streams) == 2
    assert stage.backend.cancelled == []


# Where the answer does not go on at the server


async def test_a_page_that_appeared_without_its_id_becoming_known_is_found_by_the_next_attempt():
    """Also where that attempt has nothing to show in it: it does not stay there with a cursor."""
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1", after=2.6)
    assert len(stage.screen) == 2
    row = stage.store.row("q1")
    row.turn = replace(row.turn, messages=row.turn.messages[:1])
    stage.backend.script(says("Short."))
    await restarted(stage)
    assert stage.screen == ["Short."]


@pytest.mark.parametrize("known", [0, 1])
@pytest.mark.parametrize("text", ["Short.", LONG])
async def test_of_any_number_of_such_pages_each_is_found_and_filled_in_its_place(text: str, known: int):
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1", after=3.9)
    before = [message.id for message in stage.platform.messages]
    assert len(before) >= 3
    row = stage.store.row("q1")
    row.turn = replace(row.turn, messages=row.turn.messages[:known])
    stage.backend.script(says(text))
    await restarted(stage)
    assert whole(stage) == text
    messages = [message.id for message in stage.platform.messages]
    assert messages[: len(before)] == before
    assert stage.store.row("q1").turn.messages == tuple(messages[: len(stage.screen)])


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_file_that_appeared_without_its_id_becoming_known_does_not_stay_beside_another(attempts: int):
    """Whether the next attempt gets another answer, or none any more."""
    stage = Stage(attaching=Attaching(max_pages=1))
    stage.store.latency = 1.0
    stage.backend.script(says(LONG))
    await killed(stage, "q1", after=7.5)
    row = stage.store.row("q1")
    [page, file] = stage.platform.messages
    assert (file.files, row.turn.files, row.turn.status) != ((), (), Status.DONE)
    row.turn = replace(row.turn, cut_short=attempts - 1, files=(), messages=(page.id,), status=Status.RUNNING)
    row.turn, row.ending = replace(row.turn, progress=Progress(LONG)), None
    stage.backend.script(says(f"{LONG} and more"))
    await restarted(stage)
    assert len([message for message in stage.platform.messages if message.files and message.deleted_at is None]) == 1
    assert len(stage.screen) == 2


async def test_a_platform_that_cannot_be_asked_for_such_a_page_is_asked_again():
    stage = Stage()
    stage.backend.script(says(LONG, seconds=4, pieces=100))
    await killed(stage, "q1", after=2.6)
    row = stage.store.row("q1")
    row.turn = replace(row.turn, messages=row.turn.messages[:1])
    stage.platform.go_down(3)
    stage.backend.script(says("Short."))
    await restarted(stage)
    assert stage.screen == ["Short."]


@pytest.mark.parametrize("end", [End.CONNECTION_LOST, End.UNFINISHED])
async def test_what_cannot_be_taken_up_is_asked_anew_in_the_same_messages(end: End):
    stage = Stage()
    stage.backend.script([Delta(TEXT), 3.0, lost(end)], says("Another answer."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.receive(prompt("q2"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["Another answer.", "Well."]
    assert stage.platform.messages[0].text == "Another answer."
    first, second, _ = stage.backend.streams
    assert (first.request.asked_before, second.request.asked_before) == (False, True)
    assert stage.store.row("q1").turn.status is Status.DONE


async def test_an_answer_that_is_not_at_the_server_any_more_is_asked_anew():
    stage = Stage()
    gone = Lasting("resp_1", TEXT, every=0.1, pieces=60, breaks={20: broken(), 21: lost(End.UNFINISHED)})
    stage.backend.script(gone, says("Another answer."))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
    assert stage.screen == ["Another answer."]
    assert [bool(stream.request.mark) for stream in stage.backend.streams] == [False, True, False]


async def test_a_server_that_breaks_every_answer_is_asked_three_times():
    stage = Stage()
    stage.backend.script(*[[Delta(TEXT), 3.0, lost()]] * 5)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
    assert len(stage.backend.streams) == 3
    assert " ".join(stage.screen).startswith(TEXT)
    assert stage.screen[-1].endswith(sentence(Ending(End.CONNECTION_LOST)))
    assert stage.store.row("q1").turn.status is Status.FAILED


async def test_if_the_second_attempt_gets_nothing_the_first_ones_text_stays():
    stage = Stage()
    stage.backend.script([Delta(TEXT), 3.0, lost()], *[[BackendError(Ending(End.UNREACHABLE), again=True)]] * 99)
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
    assert " ".join(stage.screen).startswith(TEXT)
    assert stage.screen[-1].endswith(sentence(Ending(End.UNREACHABLE)))
    assert 40 < stage.now < 90, "a server that comes back in time would have been asked"


async def test_or_it_ends_as_it_stands():
    stage = Stage(ask_again=False)
    ending = await stage.answer([Delta(TEXT), 3.0, lost()])
    assert " ".join(stage.screen) == f"{TEXT}\n\n-# {sentence(ending)}"
    assert ending.end is End.CONNECTION_LOST


# Restarts


@pytest.mark.parametrize("after", [0.0, 0.02, 0.3, 1.0, 2.5, 4.0, 6.1, 6.3])
async def test_a_kill_at_any_moment_is_not_seen_in_the_answer(after: float):
    """The answer went on meanwhile, and it is asked once, unless the process died before it had a name."""
    stage = Stage()
    answers = [Lasting(f"resp_{number}", LONG, every=0.1, pieces=60) for number in range(2)]
    stage.backend.script(*answers)
    await killed(stage, "q1", after=after)
    before = {message.id for message in stage.platform.messages}
    await restarted(stage)
    assert whole(stage) == LONG
    assert not any(MARK in text for text in stage.screen)
    assert before <= {message.id for message in stage.platform.messages if message.deleted_at is None}
    row = stage.store.row("q1")
    assert (row.turn.status, row.answer) == (Status.DONE, LONG)
    if after >= 0.02:
        assert len(stage.backend.lasting) == 1


async def test_pages_that_were_complete_are_not_written_again():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1", after=5.0)
    first = stage.platform.messages[0]
    states = len(first.states)
    assert stage.store.row("q1").turn.progress.settled >= 1
    await restarted(stage)
    assert len(first.states) == states
    assert whole(stage) == LONG


async def test_when_the_bot_goes_down_the_answer_waits_for_the_next_start():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(3)
    await dispatcher.drain(1)
    assert stage.screen[-1].endswith(sentence(Ending(End.SHUTDOWN)))
    assert not any(MARK in text for text in stage.screen)
    assert stage.backend.cancelled == []
    row = stage.store.row("q1")
    assert (row.turn.status, row.turn.cut_short) == (Status.QUEUED, 0)
    await restarted(stage)
    assert whole(stage) == LONG
    assert len(stage.backend.lasting) == 1


async def test_nobody_is_told_of_a_restart_before_there_is_an_answer():
    stage = Stage()
    stage.backend.script([SILENCE], says("Hello."))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(3)
    await dispatcher.drain(1)
    assert stage.platform.messages == []
    await restarted(stage)
    assert stage.screen == ["Hello."]


def asked_before(stage: Stage) -> list[bool]:
    return [stream.request.asked_before for stream in stage.backend.streams]


async def test_the_server_may_have_got_a_question_of_which_nothing_was_heard_before_the_bot_went_down():
    """However often, also by an attempt that ends before it asks."""
    stage = Stage()
    stage.backend.script([SILENCE], [SILENCE], says("Hello."))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    for pause in (3, 0.05, 3):
        await asyncio.sleep(pause)
        await dispatcher.drain(0)
        dispatcher = stage.dispatcher()
        await resume(dispatcher, await reopen(stage.store))
    await dispatcher.quiet(R1)
    assert asked_before(stage) == [False, True, True]
    assert stage.screen == ["Hello."]


async def test_it_has_not_got_one_whose_attempt_ended_before_it_asked():
    stage = Stage()
    stage.store.latency = 0.2
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(0.05)
    await dispatcher.drain(0)
    assert stage.store.row("q1").turn.attempts == 1
    await restarted(stage)
    assert asked_before(stage) == [False]


@pytest.mark.parametrize("again", ["edit", "retry"])
async def test_it_has_not_got_one_that_is_asked_anew(again: str):
    stage = Stage()
    stage.backend.script([SILENCE])
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(3)
    await dispatcher.drain(0)
    if again == "retry":
        await restarted(stage)
    async with stage.open() as dispatcher:
        if again == "edit":
            await dispatcher.edited(prompt("q1", "Why not?"))
            await resume(dispatcher, await reopen(stage.store))
        else:
            await dispatcher.obey(Command.RETRY, R1)
        await dispatcher.quiet(R1)
    assert asked_before(stage)[-1] is False
    assert stage.store.row("q1").turn.attempts > 1


async def test_as_often_as_the_bot_goes_down_in_good_order_the_turn_is_not_given_up():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=1, pieces=60))
    dispatcher = stage.dispatcher()
    await dispatcher.receive(prompt("q1"))
    for _ in range(6):
        await asyncio.sleep(3)
        await dispatcher.drain(0)
        dispatcher = stage.dispatcher()
        await resume(dispatcher, await reopen(stage.store))
    await dispatcher.quiet(R1)
    assert whole(stage) == LONG


async def test_after_a_crash_what_cannot_be_taken_up_ends_as_it_stands_if_it_is_wanted_so():
    stage = Stage(ask_again=False)
    stage.backend.script(says(LONG, seconds=6, pieces=60))
    await killed(stage, "q1", after=5.0)
    await restarted(stage)
    assert len(stage.backend.streams) == 1
    assert stage.screen[-1].endswith(sentence(Ending(End.INTERRUPTED)))
    shown = whole(stage).partition("\n\n-# ")[0]
    assert LONG.startswith(shown)
    assert len(shown) > 1000


async def test_what_is_stopped_is_stopped_at_the_server():
    stage = Stage()
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(3)
    relay.stop(Ending(End.STOPPED))
    await running
    assert stage.backend.cancelled == [("conv_1", "resp_1")]
    assert stage.store.row("q1").turn.status is Status.STOPPED


async def test_a_server_that_does_not_take_the_stop_does_not_hold_up_the_end():
    stage = Stage()
    stage.backend.forget_takes = 600
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    relay = await stage.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(3)
    relay.stop(Ending(End.STOPPED))
    await running
    assert stage.now < 10


async def test_a_message_whose_id_the_database_does_not_take_at_first_is_found_after_a_crash():
    stage = Stage()
    stage.store.fail("add_message", 2)
    stage.backend.script(Lasting("resp_1", LONG, every=0.5, pieces=60))
    await killed(stage, "q1", after=20)
    assert stage.store.row("q1").turn.messages == tuple(message.id for message in stage.platform.messages)
    await restarted(stage)
    assert whole(stage) == LONG


async def test_a_database_that_does_not_take_the_progress_costs_nothing():
    stage = Stage()
    stage.store.fail("set_progress", 99)
    assert await stage.answer(Lasting("resp_1", TEXT, every=0.1, pieces=60)) == Ending(End.COMPLETED)
    assert whole(stage) == TEXT


async def test_the_progress_is_not_written_for_each_word():
    stage = Stage()
    await stage.answer(Lasting("resp_1", LONG, every=0.02, pieces=900))
    assert stage.store.calls["set_progress"] < 15
