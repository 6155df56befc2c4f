"""`python -m tests.crash`: kills the bot with SIGKILL again and again, and looks whether anything was lost or doubled.

The real bot with the platforms' own libraries, as a process against the playground, on all three APIs. The exit code is
1 if a question was lost or answered twice, or if anything else is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from tests.crash.plan import APIS, Api, Plan, make_plan
from tests.crash.report import Outcome, failures, faults, table
from tests.crash.run import play
from tests.crash.world import ROOMS

_KILLS = 40  # in one world


def main() -> int:
    options = _parser().parse_args()
    logging.getLogger("playground").setLevel(logging.ERROR)  # it warns of events that nobody has taken
    plans = _plans([options.api] if options.api else APIS, options.kills, options.seed)
    folder = Path(tempfile.mkdtemp(prefix="rivulet-crash-"))
    began = time.monotonic()
    outcomes = asyncio.run(play(plans, folder, at_once=options.at_once, tell=_tell))
    print(f"\n{table(outcomes)}\n\n{failures(outcomes)}\n\n{time.monotonic() - began:.0f} s; logs are in {folder}")
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _plans(apis: Sequence[Api], kills: int, seed: int) -> list[Plan]:
    """Worlds of about the same size that have so many kills together."""
    turns, plans = cycle(apis), list[Plan]()
    while kills > 0:
        some = min(kills, _KILLS)
        plans.append(make_plan(next(turns), seed, some, rooms=ROOMS))
        kills, seed = kills - some, seed + 1
    return plans


def _tell(outcome: Outcome) -> None:
    print(table([outcome]).splitlines()[1], flush=True)
    if not outcome.good:
        print(faults(outcome), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=500, help=f"in all, {_KILLS} in each world (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first world; each has the next one (default 1)")
    parser.add_argument("--api", choices=APIS, help="only this one; by default they take turns")
    parser.add_argument("--at-once", type=int, default=2, help="worlds side by side (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
