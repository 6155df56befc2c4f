"""Answers from short to long on Discord, each beside the least possible for its length."""

from __future__ import annotations

from statistics import fmean

from tests.bench.answers import Answer
from tests.bench.delay import COLUMNS, row
from tests.bench.limits import on_discord
from tests.bench.report import Report, ratio
from tests.bench.rig import TRIP, Question, rig

_LENGTHS = (1.5, 3, 5, 8, 12, 20)  # seconds


async def report() -> Report:
    async with rig() as here:
        answers = await here.ask([Question("discord", Answer(length)) for length in _LENGTHS])
        bounds = [on_discord(answer.duration) for answer in answers]
        rows = [row(f"{s:g} s", a, b) for s, a, b in zip(_LENGTHS, answers, bounds, strict=True)]
        to_least = fmean(answer.mean / bound.least for answer, bound in zip(answers, bounds, strict=True))
        to_even = fmean(answer.mean / bound.even for answer, bound in zip(answers, bounds, strict=True))
        return Report(
            title="lengths: answers from short to long on Discord",
            method=f"As in `delay`; a call takes {TRIP} s. All at once, each in a channel of its own, since Discord "
            f"counts edits by channel. Refused calls (429): {here.refusals}.",
            columns=COLUMNS,
            rows=[*rows, ["mean", "", "", "", ratio(to_least), "", ratio(to_even), "", "", ""]],
            late=here.late,
        )
