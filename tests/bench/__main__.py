"""`python -m tests.bench [NAME ...]`: the benchmarks, each printing one table. docs/performance.md explains them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine

from tests.bench import (
    background,
    cost,
    delay,
    deltas,
    elsewhere,
    flood,
    latency,
    lengths,
    longs,
    many,
    simulated,
    stall,
)
from tests.bench.report import Report

REPORTS: dict[str, Callable[[], Coroutine[None, None, Report]]] = {
    "simulated": simulated.report,
    "delay": delay.report,
    "lengths": lengths.report,
    "longs": longs.report,
    "cost": cost.report,
    "many": many.report,
    "latency": latency.report,
    "stall": stall.report,
    "elsewhere": elsewhere.report,
    "deltas": deltas.report,
    "paced": deltas.paced,
    "flood": flood.report,
    "background": background.report,
}


def main() -> int:
    """Returns the exit code: 1 where a benchmark could not be carried out, 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(REPORTS)}; default: all")
    names: list[str] = parser.parse_args().names
    if unknown := [name for name in names if name not in REPORTS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(REPORTS)}")
    for name in names or REPORTS:
        try:
            print(asyncio.run(REPORTS[name]()), flush=True)
        except (RuntimeError, ValueError) as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130  # as shells tell an interruption
    return 0


if __name__ == "__main__":
    sys.exit(main())
