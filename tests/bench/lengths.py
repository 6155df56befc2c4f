"""Answers from short to long on Discord, each beside the least possible for its length."""

from __future__ import annotations

from statistics import fmean

from tests.bench.answers import Answer
from tests.bench.delay import COLUMNS, FIRST_TEXT, row
from tests.bench.limits import on_discord
from tests.bench.report import Report, Target, ratio, seconds
from tests.bench.rig import TRIP, Question, rig

_LENGTHS = (1.5, 3, 5, 8, 12, 20, 40)  # seconds


async def report() -> Report:
    async with rig() as here:
        answers = await here.ask([Question("discord", Answer(length)) for length in _LENGTHS])
        late, refused = here.late, here.refusals
    bounds = [on_discord(answer.duration) for answer in answers]
    rows = [row(f"{s:g} s", a, b) for s, a, b in zip(_LENGTHS, answers, bounds, strict=True)]
    to_least = [answer.mean / bound.least for answer, bound in zip(answers, bounds, strict=True)]
    to_even = [answer.mean / bound.even for answer, bound in zip(answers, bounds, strict=True)]
    first = [answer.first for answer in answers]
    lags = [answer.lag for answer in answers]
    beyond = [max(0.0, lag - TRIP) for lag in lags]
    return Report(
        title="lengths: answers from short to long on Discord",
        method=f"As in `delay`; a call takes {TRIP} s. All at once, each in a channel of its own, since Discord "
        f"counts edits by channel. Refused calls (429): {refused}.",
        columns=COLUMNS,
        rows=[
            *rows,
            _summary("mean", fmean(first), fmean(to_least), fmean(to_even), fmean(lags)),
            _summary("largest", max(first), max(to_least), max(to_even), max(lags)),
        ],
        late=late,
        targets=[
            Target("mean of measured / least", fmean(to_least), 1.2, unit=""),
            Target("largest of measured / least", max(to_least), 1.6, unit=""),
            Target("final lag beyond a trip, on average", fmean(beyond), 0.2),
            Target("final lag beyond a trip, longest", max(beyond), 1.0),
            Target("first text, longest", max(first), FIRST_TEXT),
            Target("refused calls", refused, 0, unit=""),
        ],
    )


def _summary(name: str, first: float, to_least: float, to_even: float, lag: float) -> list[str]:
    return [name, seconds(first), "", "", ratio(to_least), "", ratio(to_even), seconds(lag), "", ""]
