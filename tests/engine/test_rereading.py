"""What people edit and delete while the bot is away counts when it is back, before anything is asked of the model."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.core.changes import Changes
from bot.core.model import Status
from bot.errors import Gone, Refused, StoreError, Unreachable
from bot.recovery import reopen, resume
from tests.cursor import MARK
from tests.engine.fake_backend import Lasting, says
from tests.engine.stage import Stage, prompt
from tests.engine.test_recovery import R1, killed, restarted
from tests.engine.test_resuming import LONG, whole


async def queued(*keys: str) -> Stage:
    """A process ended before it began any of these."""
    stage = Stage()
    for key in keys:
        await stage.store.accept(prompt(key, f"{key}?"))
    return stage


async def begun(changes: Changes = Changes()) -> Stage:  # noqa: B008  (frozen)
    """A process was killed in the middle of an answer that goes on at the server; another question waits."""
    stage = Stage(changes=changes)
    stage.backend.script(Lasting("resp_1", LONG, every=0.1, pieces=60))
    await killed(stage, "q1", "q2", after=3.0)
    stage.backend.streams.clear()
    stage.backend.cancelled.clear()
    assert stage.screen
    return stage


def asked(stage: Stage) -> list[str]:
    return [stream.request.text for stream in stage.backend.streams]


async def test_what_was_deleted_while_it_waited_is_not_asked_and_what_was_edited_is_asked_as_it_reads_now():
    stage = await queued("q1", "q2", "q3")
    stage.platform.reworded = {"q1": "", "q2": "Why not?"}
    await restarted(stage)
    assert asked(stage) == ["Why not?", "q3?"]
    assert stage.screen == ["Well."] * 2
    row = stage.store.row("q1")
    assert (row.turn.status, row.turn.prompt.text) == (Status.STOPPED, "")


async def test_the_next_question_of_a_channel_is_looked_at_before_it_takes_the_place_of_a_deleted_one():
    stage = await queued("q1", "q2")
    stage.platform.reworded = {"q1": "", "q2": "Why not?"}
    stage.platform.reading_takes = {"q2": 2.0}
    await restarted(stage)
    assert asked(stage) == ["Why not?"]


async def test_what_was_begun_of_an_answer_is_removed_when_its_question_was_deleted():
    stage = await begun()
    stage.platform.reworded = {"q1": ""}
    await restarted(stage)
    assert asked(stage) == ["q2?"]
    assert stage.screen == ["Well."]
    assert stage.backend.cancelled == [("conv_1", "resp_1")]


async def test_where_answers_are_kept_what_was_begun_stays_and_says_that_it_was_stopped():
    stage = await begun(Changes(delete_answers=False))
    shown = whole(stage)[:500]
    stage.platform.reworded = {"q1": ""}
    await restarted(stage)
    assert asked(stage) == ["q2?"]
    *pages, stopped, answer = stage.screen
    assert "".join([*pages, stopped]).startswith(shown[:300])
    assert stopped.endswith("-# Stopped.")
    assert answer == "Well."


async def test_an_answer_that_was_begun_is_given_anew_in_its_messages_when_its_question_was_edited():
    stage = await begun()
    stage.platform.reworded = {"q1": "Why not?"}
    stage.backend.script(says("Better."), says("Second."))
    await restarted(stage)
    assert asked(stage) == ["Why not?", "q2?"]
    assert stage.screen == ["Better.", "Second."]
    assert MARK not in "".join(stage.screen)


async def test_where_edits_count_for_nothing_the_answer_goes_on():
    stage = await begun(Changes(rerun_edited="never"))
    stage.platform.reworded = {"q1": "Why not?"}
    await restarted(stage)
    assert "Why not?" not in asked(stage)
    assert whole(stage).startswith(LONG)


async def test_what_is_unchanged_costs_one_look_and_goes_on():
    stage = await begun()
    await restarted(stage)
    assert stage.platform.looked_at == ["q1", "q2"]
    assert whole(stage).startswith(LONG)


@pytest.mark.parametrize("error", [Gone("no access"), StoreError("the disk is full")], ids=lambda e: type(e).__name__)
async def test_a_question_that_cannot_be_looked_at_is_answered_as_it_was_asked(
    error: Exception, caplog: pytest.LogCaptureFixture
):
    stage = await queued("q1")
    stage.platform.reworded = {"q1": ""}
    stage.platform.unreadable_questions.append(error)
    await restarted(stage)
    assert asked(stage) == ["q1?"]
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == ["question.not_reread"]


@pytest.mark.parametrize("error", [Refused(2.0), Unreachable("no answer")], ids=lambda e: type(e).__name__)
async def test_a_look_that_fails_is_tried_again(error: Exception):
    stage = await queued("q1")
    stage.platform.reworded = {"q1": ""}
    stage.platform.unreadable_questions.append(error)
    await restarted(stage)
    assert asked(stage) == []


async def test_a_question_is_not_waited_for_long_and_what_is_learnt_later_counts_as_if_it_happened_then():
    stage = await begun()
    stage.platform.reworded = {"q1": ""}
    stage.platform.reading_takes = {"q1": 6.0}
    began = stage.now
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        assert stage.now < began + 5.5
        await stage.until(lambda: stage.backend.streams)
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    assert asked(stage)[-1] == "q2?"
    assert stage.screen == ["Well."]


async def test_a_question_that_takes_long_holds_up_no_other_channel():
    stage = await queued("q1")
    await stage.store.accept(prompt("q2", "q2?", room="r2"))
    stage.platform.reading_takes = {"q1": 3.0}
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        assert stage.platform.screen("r2") == ["Well."]
        assert asked(stage) == ["q2?"]
        await dispatcher.quiet(R1)
    assert stage.screen == ["Well."]


async def test_a_platform_that_does_not_tell_is_asked_for_a_minute_at_most(caplog: pytest.LogCaptureFixture):
    stage = await queued("q1")
    stage.platform.reworded = {"q1": ""}
    stage.platform.reading_takes = {"q1": 90.0}
    async with stage.open() as dispatcher:
        await resume(dispatcher, await reopen(stage.store))
        await dispatcher.quiet(R1)
        await asyncio.sleep(100)
    assert stage.screen == ["Well."]
    assert "question.not_reread" in caplog.messages


async def test_a_bot_that_goes_down_while_it_looks_leaves_the_question_to_the_next_process():
    stage = await queued("q1")
    stage.platform.reworded = {"q1": ""}
    stage.platform.reading_takes = {"q1": 30.0}
    dispatcher = stage.dispatcher()
    resuming = asyncio.create_task(resume(dispatcher, await reopen(stage.store)))
    await asyncio.sleep(1)
    began = stage.now
    resuming.cancel()
    await dispatcher.drain(10)
    assert stage.now < began + 1
    await asyncio.sleep(60)
    assert stage.store.row("q1").turn.status is Status.QUEUED
    stage.platform.reading_takes = {}
    await restarted(stage)
    assert stage.screen == asked(stage) == []


async def test_what_changes_while_the_connection_is_lost_counts_when_it_is_back():
    """Of the running answer as of what waits; no other platform is asked."""
    stage = Stage()
    stage.backend.script(says(LONG, seconds=20, pieces=200))
    await stage.store.accept(prompt("t1", room="", platform="terminal"))
    async with stage.open() as dispatcher:
        for key in ("q0", "q1", "q2", "q3"):
            await dispatcher.receive(prompt(key, f"{key}?"))
        await asyncio.sleep(3)
        assert stage.screen
        stage.platform.reworded = {"q0": "", "q1": "", "q2": "Why not?"}
        dispatcher.back("discord")
        await dispatcher.quiet(R1)
        await asyncio.sleep(5)
    assert asked(stage) == ["q0?", "Why not?", "q3?"]
    assert stage.screen == ["Well."] * 2
    assert sorted(stage.platform.looked_at) == ["q0", "q1", "q2", "q3"]


async def test_a_database_that_is_busy_for_a_moment_does_not_lose_a_deletion():
    stage = await queued("q1")
    stage.platform.reworded = {"q1": ""}
    async with stage.open() as dispatcher:
        turns = await reopen(stage.store)
        stage.store.fail("find")
        await resume(dispatcher, turns)
        await dispatcher.quiet(R1)
    assert asked(stage) == []


async def test_an_edit_that_comes_while_the_database_is_busy_is_not_undone_by_what_was_looked_up_before():
    stage = await queued("q1")
    stage.platform.reworded = {"q1": "Once?"}
    stage.store.fail("reword")
    dispatcher = stage.dispatcher()
    turns = await reopen(stage.store)
    looking = dispatcher.reread(turns[0])
    await asyncio.sleep(0.5)
    stage.platform.reworded = {"q1": "Twice?"}
    await dispatcher.edited(prompt("q1", "Twice?"))
    await looking
    dispatcher.wake(turns[0])
    await dispatcher.quiet(R1)
    await dispatcher.drain(0)
    assert asked(stage) == ["Twice?"]
