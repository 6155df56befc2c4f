"""Plays plans, each in a world of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cli.program import Folder
from tests.crash.plan import Plan
from tests.crash.report import Outcome, outcome
from tests.crash.world import World


async def play(
    plans: Sequence[Plan], folder: Path, *, at_once: int, tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """So many worlds side by side; `tell` hears of each as soon as it has come to its end."""
    places = asyncio.Semaphore(at_once)

    async def one(plan: Plan) -> Outcome:
        async with places:
            here = folder / f"{plan.api}-{plan.seed}"
            here.mkdir(parents=True)
            world = World(plan, Folder(here))
            await world.play()
            found = outcome(world)
            tell(found)
            return found

    return await asyncio.gather(*(one(plan) for plan in plans))
