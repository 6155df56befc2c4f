"""The model falls silent in the middle of an answer: how soon all that it has said can be read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from tests.bench.answers import Answer
from tests.bench.measure import seen_by
from tests.bench.report import Report, Target, seconds
from tests.bench.rig import TRIP, Asked, Question, Rig, rig

_SILENCE = 4.0  # seconds: longer than any text was seen to wait; what comes after it is of no matter here
_AFTER = [0.5 * halves for halves in range(21)]  # seconds of text before the silence; 0: the first token alone
_ON_SLACK = [0.25, 1.0, 3.0, 5.0, 8.0]
_GOES_ON = 1.0  # seconds of text after the silence


async def report() -> Report:
    async with rig() as here:
        discord = here.begin([_question("discord", after) for after in _AFTER])
        slack = here.begin([_question("slack", after) for after in _ON_SLACK])
        await here.answered([*discord, *slack])
        on_discord = [_hidden(here, asked) for asked in discord]
        on_slack = [_hidden(here, asked) for asked in slack]
        return Report(
            title=f"stall: the model says nothing for {_SILENCE:g} s in the middle of an answer",
            method="Seconds from the last token before the silence until a reader sees it and all before it. "
            f"A call takes {TRIP} s; Discord's answers are in\nchannels of their own, Slack's in one workspace. They "
            f"fall silent after so many seconds of text: Discord {_list(_AFTER)};\nSlack {_list(_ON_SLACK)}. "
            f"Refused calls (429): {here.refusals}.",
            columns=("", "answers", "mean", "longest", "where it was longest"),
            rows=[_row("Discord", _AFTER, on_discord), _row("Slack", _ON_SLACK, on_slack)],
            late=here.late,
            targets=[
                Target("Discord, longest", max(on_discord), 1.2),
                Target("Slack, longest", max(on_slack), 1.2),
            ],
        )


def _question(platform: str, after: float) -> Question:
    answer = Answer(after + _GOES_ON, stall=(after, _SILENCE))
    return Question("slack" if platform == "slack" else "discord", answer)


def _hidden(here: Rig, asked: Asked) -> float:
    """Seconds; from the last token before the longest pause of the model."""
    deltas = here.streams()[asked.number].deltas
    times = [at for at, _ in deltas]
    _, last = max((later - at, at) for at, later in pairwise(times))
    return seen_by(deltas, here.moments(asked), last) - last


def _row(name: str, after: Sequence[float], hidden: Sequence[float]) -> list[str]:
    longest = max(hidden)
    where = after[hidden.index(longest)]
    return [name, str(len(hidden)), seconds(fmean(hidden)), seconds(longest), f"after {where:g} s"]


def _list(values: Sequence[float]) -> str:
    if len(values) > 6:
        return f"{values[0]:g}, {values[1]:g}, {values[2]:g} ... {values[-1]:g}"
    return ", ".join(f"{value:g}" for value in values)
