"""The soak in short: a few answers at once on each API, and nothing is left behind. `make soak` takes half an hour."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from tests.cli.program import Folder
from tests.crash.plan import APIS, Api
from tests.soak.verdict import verdict
from tests.soak.world import Evening, World

LOAD = 6 / 60  # minutes
WARM_UP = 4 / 60


async def test_a_busy_bot_leaves_nothing_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.ERROR, "playground")  # it warns of events that nobody has taken
    worlds = [world(api, tmp_path) for api in APIS]
    await asyncio.gather(*(world.play() for world in worlds))
    assert [fault for world in worlds for fault in verdict(world).faults] == []
    assert all(world.answered for world in worlds)


def world(api: Api, folder: Path) -> World:
    (folder / api).mkdir()
    return World(Evening(api, LOAD, live=8, warm_up=WARM_UP, every=2.0, pace=8.0), Folder(folder / api))
