"""One answer of 10 s on each platform: when a reader sees it, beside the least possible."""

from __future__ import annotations

from tests.bench.answers import Answer
from tests.bench.limits import Bounds, on_discord, on_slack
from tests.bench.measure import Figures
from tests.bench.report import Report, Target, ratio, seconds
from tests.bench.rig import TRIP, Question, rig

COLUMNS = ("", "first text", "mean delay", "least", "/ least", "even", "/ even", "final lag", "posts", "edits")
FIRST_TEXT = 0.35 + TRIP  # seconds, the target for the longest
_SECONDS = 10.0


async def report() -> Report:
    questions = {
        "Discord": Question("discord", Answer(_SECONDS)),
        "Discord, two messages": Question("discord", Answer(_SECONDS, ordinary=True)),
        "Slack": Question("slack", Answer(_SECONDS)),
    }
    async with rig() as here:
        answers = await here.ask([*questions.values()])
        bounds = [on_slack if q.platform == "slack" else on_discord for q in questions.values()]
        return Report(
            title="delay: one answer of 10 s on each platform",
            method=f"Seconds from the model's sending to a reader's seeing; a call takes {TRIP} s. "
            f"All at once, in rooms of their own. Refused calls (429): {here.refusals}.",
            columns=COLUMNS,
            rows=[row(name, a, f(a.duration)) for name, a, f in zip(questions, answers, bounds, strict=True)],
            late=here.late,
            targets=[
                Target("first text", max(answer.first for answer in answers), FIRST_TEXT),
                Target("mean delay of one answer on Slack", answers[-1].mean, 0.5),
            ],
        )


def row(name: str, answer: Figures, bounds: Bounds) -> list[str]:
    """One answer under `COLUMNS`."""
    return [
        name,
        seconds(answer.first),
        seconds(answer.mean),
        seconds(bounds.least),
        ratio(answer.mean / bounds.least),
        seconds(bounds.even),
        ratio(answer.mean / bounds.even),
        seconds(answer.lag),
        str(answer.posts),
        str(answer.edits),
    ]
