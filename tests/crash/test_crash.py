"""The crash test in short: the bot is killed a few times on each API. `make crash` does it hundreds of times."""

from __future__ import annotations

from pathlib import Path

from tests.crash.plan import APIS, make_plan
from tests.crash.report import faults
from tests.crash.run import play
from tests.crash.world import ROOMS

KILLS = 5  # on each API


async def test_nothing_is_lost_or_doubled_however_often_the_bot_is_killed(tmp_path: Path):
    plans = [make_plan(api, 1, KILLS, rooms=ROOMS) for api in APIS]
    outcomes = await play(plans, tmp_path, at_once=len(plans))
    assert [faults(outcome) for outcome in outcomes if not outcome.good] == []
    assert [outcome.kills for outcome in outcomes] == [KILLS] * len(plans)
    assert all(outcome.verdicts for outcome in outcomes)
