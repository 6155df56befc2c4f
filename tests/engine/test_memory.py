"""What an answer took is free again when it has ended, and not only when the garbage is collected next."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from bot.core.model import Delta, Working
from bot.core.pacing import Call
from bot.errors import Refused
from tests.engine.fake_backend import COMPLETED
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage


@pytest.fixture
def no_collections() -> Generator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize("streams", [False, True])
async def test_an_answer_that_has_ended_is_held_by_nothing(streams: bool):
    stage = Stage(FakePlatform(streams=streams))
    stage.platform.fail(Call.EDIT, Refused(1.0))
    stage.backend.script([Working("Thinking"), 6.0, *[Delta("word ") for _ in range(900)], 3.0, COMPLETED])
    relay = await stage.relay()
    held = weakref.ref(relay)
    await relay.run()
    del relay
    assert held() is None
