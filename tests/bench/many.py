"""Many answers of 10 s that begin at the same moment."""

from __future__ import annotations

from statistics import fmean
from typing import Literal

from tests.bench.answers import Answer
from tests.bench.limits import on_discord, on_slack
from tests.bench.report import Report, ratio, seconds
from tests.bench.rig import TRIP, Question, rig

_SECONDS = 10.0
_ON_DISCORD = 20
_ON_SLACK = 5


async def report() -> Report:
    discord, late_there, refused_there = await _row("discord", _ON_DISCORD)
    slack, late_here, refused_here = await _row("slack", _ON_SLACK)
    return Report(
        title="many: answers of 10 s that begin at the same moment, each in a channel of its own",
        method=f"As in `delay`, with means over the answers; a call takes {TRIP} s. One platform after the other. "
        f"Refused calls (429): {refused_there + refused_here}.",
        columns=(
            *("", "first text", "latest", "mean delay", "least", "/ least", "even", "/ even", "worst"),
            *("final lag", "longest", "longest wait", "posts", "edits"),
        ),
        rows=[discord, slack],
        late=max(late_there, late_here),
    )


async def _row(platform: Literal["discord", "slack"], count: int) -> tuple[list[str], float, int]:
    """The row, by how much this process was late, and the refused calls. A fresh bot, so that budgets are whole."""
    async with rig() as here:
        answers = await here.ask([Question(platform, Answer(_SECONDS))] * count)
        late, refused = here.late, here.refusals
    duration = fmean(answer.duration for answer in answers)
    bounds = on_discord(duration) if platform == "discord" else on_slack(duration, count)
    mean = fmean(answer.mean for answer in answers)
    row = [
        f"{platform.title()}, {count} answers",
        seconds(fmean(answer.first for answer in answers)),
        seconds(max(answer.first for answer in answers)),
        seconds(mean),
        seconds(bounds.least),
        ratio(mean / bounds.least),
        seconds(bounds.even),
        ratio(mean / bounds.even),
        seconds(max(answer.mean for answer in answers)),
        seconds(fmean(answer.lag for answer in answers)),
        seconds(max(answer.lag for answer in answers)),
        seconds(max(answer.longest for answer in answers)),
        str(sum(answer.posts for answer in answers)),
        str(sum(answer.edits for answer in answers)),
    ]
    return row, late, refused
