"""The platform's sign that an answer is coming: until there is one, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.model import Channel
from bot.core.pacing import Call
from bot.errors import Gone, PlatformError, Refused, Unreachable
from tests.engine.fake_backend import SILENCE, says
from tests.engine.fake_platform import WINDOWS, FakePlatform
from tests.engine.stage import Stage, prompt

R1 = Channel("discord", "r1")


@pytest.fixture
async def stage() -> Stage:
    """On a platform whose sign stays until it is taken back."""
    return Stage(FakePlatform(windows={**WINDOWS, Call.QUIET: (5, 5.0)}))


async def test_the_sign_is_given_again_and_taken_back_when_the_answer_is_there(stage: Stage):
    running = asyncio.create_task(stage.answer(says("Hello.", first=20.0)))
    await asyncio.sleep(10)
    assert stage.platform.busy == {"r1": True}
    await running
    assert stage.platform.busy == {"r1": False}
    assert len(stage.platform.when(Call.TYPING)) == 3


async def test_it_is_given_also_where_messages_of_an_earlier_attempt_stand(stage: Stage):
    stage.backend.script([SILENCE], says("Hello.", first=5.0))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await asyncio.sleep(1)
        await dispatcher.edited(prompt("q1", "And now?"))
        await asyncio.sleep(3)
        assert stage.platform.busy == {"r1": True}
        await dispatcher.quiet(R1)
    assert stage.platform.busy == {"r1": False}


@pytest.mark.parametrize("error", [Refused(3.0), Unreachable("no answer")])
async def test_a_platform_that_does_not_take_it_back_at_once_is_asked_again(stage: Stage, error: PlatformError):
    stage.platform.fail(Call.QUIET, *[error] * 3)
    stage.backend.script(says("Hello.", first=2.0))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        assert stage.now < 10, "nobody waits for that"
        assert stage.platform.busy == {"r1": True}
        await asyncio.sleep(60)
        assert stage.platform.busy == {"r1": False}


async def test_one_that_never_takes_it_back_is_not_asked_for_ever(stage: Stage):
    stage.platform.fail(Call.QUIET, Gone("no such channel"))
    stage.backend.script(says("Hello.", first=2.0))
    async with stage.open() as dispatcher:
        await dispatcher.receive(prompt("q1"))
        await dispatcher.quiet(R1)
        await asyncio.sleep(300)
    assert len(stage.platform.when(Call.QUIET)) == 1
