"""`python -m tests.soak`: the bot answers 50 questions at once for half an hour, and must not grow by it.

The real bot with the platforms' own libraries, as a process against the playground, on one API after the other. The
model writes at a usual speed (`--pace` makes it faster), but nobody pauses: whoever is answered asks again at once, so
that there are 50 answers at any time, and a minute has as many of them as a few hours of a busy workspace. The windows
of the platforms' rate limits are real, since the bot has no other clock. People edit, delete, stop and ask again;
connections drop, calls are refused, and the model's streams break. There are new threads all the time, and now and then
new rooms and people.

Prints a line every few seconds and a verdict. The exit code is 1 if anything was left behind: tasks, sockets, rows,
objects; if the memory grew with the number of answers; or if a question has not exactly one answer.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.cli.program import Folder
from tests.crash.plan import APIS
from tests.soak.report import head, row
from tests.soak.verdict import verdict
from tests.soak.world import Evening, Line, World


def main() -> int:
    options = _parser().parse_args()
    logging.getLogger("playground").setLevel(logging.ERROR)  # it warns of events that nobody has taken
    apis = [options.api] if options.api else APIS
    folder = Path(tempfile.mkdtemp(prefix="rivulet-soak-"))
    good = True
    for api in apis:
        here = folder / api
        here.mkdir()
        evening = Evening(
            api,
            options.minutes / len(apis),
            live=options.live,
            pace=options.pace,
            seed=options.seed,
            trace=options.trace,
        )
        print(f"\n{api}, {evening.minutes:.1f} minutes, {evening.live} answers at once\n{head()}", flush=True)
        world = World(evening, Folder(here), tell=_tell)
        asyncio.run(world.play())
        said = verdict(world)
        print("\n".join(said.lines), flush=True)
        good = good and said.good
    print(f"\n{'good' if good else 'NOT GOOD'}; logs are in {folder}")
    return 0 if good else 1


def _tell(line: Line) -> None:
    print(row(line), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of load, all APIs together (default 30)")
    parser.add_argument("--live", type=int, default=50, help="answers at once (default 50)")
    parser.add_argument("--pace", type=float, default=1.0, help="of the model, 2: twice as fast as usual (default 1)")
    parser.add_argument("--api", choices=APIS, help="only this one; by default one after the other")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trace", type=int, default=0, metavar="FRAMES", help="tell where memory was taken; slow")
    return parser


if __name__ == "__main__":
    sys.exit(main())
