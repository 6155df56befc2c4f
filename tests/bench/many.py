"""Many answers of 10 s that begin at the same moment, and two waves of them."""

from __future__ import annotations

import asyncio
from statistics import fmean

from tests.bench.answers import Answer
from tests.bench.crowd import COLUMNS, Crowd
from tests.bench.limits import in_one_channel, on_discord, on_slack
from tests.bench.report import Report, Target
from tests.bench.rig import TRIP, Question, rig

_ANSWER = Answer(10.0)
_SLOWER = Answer(10.0, pace=25.0)  # for crowds: model, platform and bot have two cores between them
_BETWEEN_WAVES = 15.0  # seconds


async def report() -> Report:
    shared, slack_5 = await asyncio.gather(_in_one_channel(3), _on_slack(5, _ANSWER))  # which need little of a core
    discord_20 = await _on_discord(20, _ANSWER)
    discord_60 = await _on_discord(60, _SLOWER)
    slack_20 = await _on_slack(20, _ANSWER)
    first, second = await _waves(10)
    crowds = [shared, discord_20, discord_60, slack_5, slack_20, first, second]
    return Report(
        title="many: answers of 10 s that begin at the same moment, in channels of their own unless said otherwise",
        method=f"As in `delay`: on average over the answers, and for the reader who was worst off. A call takes {TRIP} "
        f"s. A fresh bot for each row;\nthe model says {_ANSWER.pace:g} tokens a second to each, to 60 readers "
        f"{_SLOWER.pace:g}. The waves are {_BETWEEN_WAVES:g} s apart.",
        columns=COLUMNS,
        rows=[crowd.row() for crowd in crowds],
        late=max(crowd.late for crowd in crowds),
        targets=[
            Target("60 on Discord: mean delay", discord_60.mean, 0.8),
            Target("60 on Discord: longest wait", discord_60.wait, 3.0),
            Target("5 on Slack: mean delay", slack_5.mean, 0.9),
            Target("5 on Slack: final lag", slack_5.lag, 1.0),
            Target("20 on Slack: mean delay", slack_20.mean, 3.0),
            Target("20 on Slack: final lag", slack_20.lag, 3.0),
            Target("waves: final lag in the first", first.lag, 3.0),
            Target("waves: final lag in the second", second.lag, 3.0),
            Target("refused calls", sum(crowd.refusals for crowd in crowds), 0, unit=""),
        ],
    )


async def _in_one_channel(count: int) -> Crowd:
    async with rig(bot="tests.bench.at_once") as here:
        answers = await here.ask([Question("discord", _ANSWER, shared=True)] * count)
        least = in_one_channel(fmean(answer.duration for answer in answers), count)
        return Crowd(f"Discord, {count} in one channel", answers, least, here.refusals, here.late)


async def _on_discord(count: int, answer: Answer) -> Crowd:
    async with rig() as here:
        answers = await here.ask([Question("discord", answer)] * count)
        least = on_discord(fmean(answer.duration for answer in answers)).least
        return Crowd(f"Discord, {count}", answers, least, here.refusals, here.late)


async def _on_slack(count: int, answer: Answer) -> Crowd:
    async with rig() as here:
        answers = await here.ask([Question("slack", answer)] * count)
        least = on_slack(fmean(answer.duration for answer in answers), count).least
        return Crowd(f"Slack, {count}", answers, least, here.refusals, here.late)


async def _waves(count: int) -> tuple[Crowd, Crowd]:
    """Compared as if all of them shared the minute from its beginning."""
    async with rig() as here:
        first = here.begin([Question("slack", _ANSWER)] * count)
        await asyncio.sleep(_BETWEEN_WAVES)
        refused = here.refusals
        second = here.begin([Question("slack", _ANSWER)] * count)
        waves = [await here.answered(first), await here.answered(second)]
        least = on_slack(fmean(answer.duration for wave in waves for answer in wave), 2 * count).least
        return (
            Crowd(f"Slack, {count}, then ...", waves[0], least, refused, here.late),
            Crowd(f"... {count} more", waves[1], least, here.refusals - refused, here.late),
        )
