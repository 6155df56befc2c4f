"""What was asked while nobody listened is received once, by this process or, if it ends before, by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bot.core.line import Capacity
from bot.core.model import Place, Status
from bot.errors import Refused, Unreachable
from bot.recovery import reopen, resume
from tests.engine.fake_backend import says
from tests.engine.stage import EPOCH, Stage, prompt

HOUR = 3600.0
NOTE = "heard.discord"
MARGIN = 60.0


@pytest.fixture
async def stage() -> Stage:
    """The bot has run before; it heard the last message ten minutes ago."""
    stage = Stage(catch_up_max_age=HOUR)
    stage.store.notes[NOTE] = str(stage.clock() - 600)
    return stage


@pytest.fixture
async def new() -> Stage:
    """The bot has never run."""
    return Stage(catch_up_max_age=HOUR)


def noted(stage: Stage) -> float:
    """Seconds since the test began."""
    return stage.since_start(float(stage.store.notes[NOTE]) - EPOCH)


def looked(stage: Stage) -> Iterator[float]:
    """From which moments on the platform looked up what was missed: seconds since the test began."""
    return (stage.since_start(since - EPOCH) for since, _ in stage.platform.looked)


def asked(stage: Stage) -> list[str]:
    return [stream.request.text for stream in stage.backend.streams]


async def test_what_was_missed_is_answered_in_order_after_what_was_left_open(stage: Stage):
    await stage.store.accept(prompt("q0", "q0?"))
    stage.platform.asked_meanwhile = [prompt(key, f"{key}?") for key in ("q1", "q2")]
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        dispatcher.back("discord")
        await asyncio.sleep(5)
        await dispatcher.receive(prompt("q3", "q3?"))
        await asyncio.sleep(10)
    assert asked(stage) == ["q0?", "q1?", "q2?", "q3?"]
    assert stage.screen == ["Well."] * 4


async def test_it_is_looked_up_from_a_minute_before_the_last_that_was_heard(stage: Stage):
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(1)
    assert list(looked(stage)) == [-600 - MARGIN]


async def test_what_is_older_than_the_age_that_is_set_is_left_alone(stage: Stage):
    stage.store.notes[NOTE] = str(stage.clock() - 5 * HOUR)
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(1)
    assert list(looked(stage)) == [-HOUR]


async def test_with_an_age_of_nothing_nothing_is_looked_up(stage: Stage):
    stage.catch_up_max_age = 0.0
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(10)
    assert stage.platform.looked == []


async def test_who_asks_while_the_bot_starts_for_the_first_time_is_answered_also_by_the_second_start(new: Stage):
    dispatcher = new.dispatcher()
    await dispatcher.expect()
    assert noted(new) == 0, "also if it ends before it is connected"
    await asyncio.sleep(300)
    new.platform.asked_meanwhile = [prompt()]
    async with new.open() as dispatcher:
        await dispatcher.expect()
        dispatcher.back("discord")
        await asyncio.sleep(10)
    assert list(looked(new)) == [0 - MARGIN]
    assert new.screen == ["Well."]


async def test_what_was_asked_long_before_the_first_start_is_left_alone(new: Stage):
    async with new.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(10)
    assert list(looked(new)) == [0 - MARGIN]


async def test_what_was_heard_is_noted_every_few_seconds_and_at_the_end(stage: Stage):
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(1)
        stage.store.calls.clear()
        for second in range(20):
            dispatcher.heard("discord", stage.clock())
            await asyncio.sleep(1)
            assert stage.now - 6 <= noted(stage) or second < 5
        assert stage.store.calls["write"] == 4
        newest = stage.clock()
        dispatcher.heard("discord", newest)
        dispatcher.heard("discord", newest - 5)  # of another room
    assert noted(stage) == stage.since_start(newest - EPOCH)


async def test_what_is_heard_while_the_bot_ends_is_noted_at_the_end_and_leaves_no_work_behind(stage: Stage):
    dispatcher = stage.dispatcher()
    dispatcher.back("discord")
    stage.backend.script(says("Well.", seconds=2, pieces=5))
    await dispatcher.receive(prompt("q1"))
    await asyncio.sleep(1)
    draining = asyncio.create_task(dispatcher.drain(30))
    await asyncio.sleep(0.5)
    newest = stage.clock()
    dispatcher.heard("discord", newest)
    await draining
    assert noted(stage) == stage.since_start(newest - EPOCH)
    dispatcher.heard("discord", stage.clock())  # the platforms are closed last
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_platform_is_told_where_the_bot_was_asked(stage: Stage):
    for key, room in (("q1", "r1"), ("q2", "r2"), ("q3", "r1")):
        await stage.store.accept(prompt(key, room=room))
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(1)
    assert stage.platform.looked[0][1] == (Place("r1"), Place("r2"))


async def test_a_question_that_was_received_before_is_not_asked_again(stage: Stage):
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2")]
        dispatcher.back("discord")
        await dispatcher.receive(prompt("q2"))
        await asyncio.sleep(10)
    assert stage.screen == ["Well.", "Well."]
    assert len(stage.backend.streams) == 2


def statuses(stage: Stage) -> list[Status]:
    return [row.turn.status for row in stage.store.rows.values()]


async def test_of_what_was_missed_five_times_as_much_may_wait(stage: Stage):
    """Those who ask now are told to ask again, until no more wait than usual."""
    stage.capacity = Capacity(waiting=2)
    stage.platform.asked_meanwhile = [prompt(f"q{number}") for number in range(15)]
    stage.backend.script(*[says("Well.", first=4)] * 12)
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(5)
        await dispatcher.receive(prompt("now"))
        await asyncio.sleep(40)
        await dispatcher.receive(prompt("later"))
        await asyncio.sleep(20)
    assert statuses(stage) == [Status.DONE] * 11 + [Status.FAILED] * 4 + [Status.FAILED, Status.DONE]


async def test_of_what_was_missed_everywhere_no_more_may_wait_than_of_what_is_asked_now(stage: Stage):
    stage.capacity = Capacity(waiting_in_all=3)
    stage.platform.asked_meanwhile = [prompt(f"q{number}") for number in range(6)]
    stage.backend.script(*[says("Well.", first=4)] * 6)
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(60)
    assert statuses(stage) == [Status.DONE] * 4 + [Status.FAILED] * 2


# Gaps in the life of a process


async def test_a_gap_of_a_session_is_looked_up_from_where_it_began(stage: Stage):
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(100)
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(500)
        stage.platform.asked_meanwhile = [prompt("q1")]
        dispatcher.back("discord")
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(10)
    assert list(looked(stage))[1:] == [100 - MARGIN]
    assert stage.screen == ["Well."]


async def test_until_the_gap_was_looked_up_what_is_heard_behind_it_is_not_noted(stage: Stage):
    """So a process that ends meanwhile leaves the gap to the next one."""
    stage.platform.asked_meanwhile = [prompt(f"q{number}", room=f"r{number}") for number in range(20)]
    stage.platform.latency = 2.0
    async with stage.open() as dispatcher:
        dispatcher.heard("discord", stage.clock())
        dispatcher.back("discord")
        await asyncio.sleep(20)
        dispatcher.heard("discord", stage.clock())
    assert noted(stage) == -600
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(120)
        dispatcher.heard("discord", stage.clock())
    assert list(looked(stage)) == [-600 - MARGIN] * 2
    assert noted(stage) == pytest.approx(140, abs=1)
    assert [stage.platform.screen(f"r{number}") for number in range(20)] == [["Well."]] * 20


async def test_one_look_at_a_time_and_another_one_if_there_was_a_gap_meanwhile(stage: Stage):
    stage.platform.asked_meanwhile = [prompt("q1")]
    stage.platform.latency = 2.0
    async with stage.open() as dispatcher:
        for _ in range(3):
            dispatcher.back("discord")
            await asyncio.sleep(0.5)
        assert len(stage.platform.looked) == 1
        await asyncio.sleep(10)
    assert list(looked(stage)) == [-600 - MARGIN] * 2


@pytest.mark.parametrize("error", [Unreachable("no answer"), Refused(1.0)])
async def test_a_look_that_fails_is_tried_again_and_nothing_is_asked_twice(stage: Stage, error: Exception):
    stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2")]
    stage.platform.unreadable.extend([error, error])
    stage.store.fail("asked_lately")
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(120)
    assert len(stage.platform.looked) == 3
    assert stage.screen == ["Well.", "Well."]


async def test_a_refusal_is_waited_for(stage: Stage):
    stage.platform.asked_meanwhile = [prompt("q1")]
    stage.platform.unreadable.append(Refused(30.0))
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(29)
        assert len(stage.platform.looked) == 1
        await asyncio.sleep(5)
        assert len(stage.platform.looked) == 2


async def test_an_outage_of_the_histories_is_waited_out(stage: Stage, caplog: pytest.LogCaptureFixture):
    """Discord often delivers again long before it lets anything be read."""
    stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2")]
    stage.platform.unreadable.extend([Unreachable("no answer")] * 8)
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(30 * 60)
    assert stage.screen == ["Well.", "Well."]
    assert {record.message for record in caplog.records if record.levelname != "INFO"} == {"missed.delayed"}


async def test_what_is_too_old_by_now_is_not_looked_up_any_more(stage: Stage, caplog: pytest.LogCaptureFixture):
    stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2")]
    stage.platform.unreadable.extend([Unreachable("no answer")] * 100)
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(HOUR + 60)
        looks = len(stage.platform.looked)
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(600)
    assert len(stage.platform.looked) == looks
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["missed.not_looked_up"]
    assert noted(stage) == pytest.approx(HOUR + 60, abs=1)


async def test_a_gap_at_which_looking_breaks_is_left_to_the_next_start(stage: Stage, caplog: pytest.LogCaptureFixture):
    stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2")]
    stage.platform.unreadable.append(KeyError("id"))
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(300)
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(10)
        await dispatcher.receive(prompt("q3"))
        await asyncio.sleep(10)
    assert stage.screen == ["Well.", "Well."]  # q1 and q3
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["missed.broken"]
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(10)
    assert len(stage.screen) == 3


async def test_a_database_that_does_not_take_the_mark_loses_nothing(stage: Stage):
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(1)
        stage.store.fail("write")
        dispatcher.heard("discord", stage.clock())
        await asyncio.sleep(20)
        assert noted(stage) == -600
    assert noted(stage) == 1


async def test_the_log_says_how_many_questions_were_new(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    stage.platform.asked_meanwhile = [prompt("q1"), prompt("q2"), prompt("q1")]
    async with stage.open() as dispatcher:
        dispatcher.back("discord")
        await asyncio.sleep(10)
    [record] = [record for record in caplog.records if record.message == "missed.looked_up"]
    assert (vars(record)["platform"], vars(record)["questions"]) == ("discord", 2)
