"""Other networks and other limits than those that the bot starts from."""

from __future__ import annotations

import asyncio
from statistics import fmean

from playground.discord.limits import Limit
from playground.server import Playground
from tests.bench.answers import Answer
from tests.bench.crowd import COLUMNS, Crowd
from tests.bench.limits import on_discord, on_slack
from tests.bench.report import Report, Target
from tests.bench.rig import TRIP, Question, rig

_ANSWER = Answer(10.0)
_JITTER = 0.5  # each half of a call takes between half and one and a half times as long
_TRIPS = (0.02, 0.3)  # seconds
_EDITS = (Limit(3, 4.0), Limit(10, 10.0))
_UPDATES = 30  # a minute
_ON_SLACK = 5


async def report() -> Report:
    networks, discords, slack = await asyncio.gather(
        _networks(), asyncio.gather(*(_other_edits(edit) for edit in _EDITS)), _other_updates()
    )
    crowds = [*networks, *discords, *slack]
    refused = sum(crowd.refusals for crowd in [*networks, *discords])
    return Report(
        title="elsewhere: answers of 10 s on other networks and under other limits",
        method=f"As in `many`. Discord's rows: one answer; Slack's: {_ON_SLACK} answers in one workspace. A call takes "
        f"{TRIP} s, or a time that is drawn anew for each of its\nhalves, within {_JITTER:.0%} of what the row says. "
        "Limits that a row names are not the documents', from which the bot starts: Discord's headers\ntell them; "
        "Slack has nothing but its refusals (429 with Retry-After), so the same bot is asked twice.",
        columns=COLUMNS,
        rows=[crowd.row() for crowd in crowds],
        late=max(crowd.late for crowd in crowds),
        targets=[Target("refused calls where the limits are the documents' or headers tell them", refused, 0, unit="")],
    )


async def _networks() -> list[Crowd]:
    found = await asyncio.gather(*(_network(trip) for trip in _TRIPS))
    return [crowd for crowds in found for crowd in crowds]


async def _network(trip: float) -> tuple[Crowd, Crowd]:
    async with rig(Playground(latency=trip), jitter=_JITTER) as here:
        one = here.begin([Question("discord", _ANSWER)])
        some = here.begin([Question("slack", _ANSWER)] * _ON_SLACK)
        discord, slack = await here.answered(one), await here.answered(some)
        playground, late = here.playground, here.late
    least = on_discord(discord[0].duration, trip=trip).least
    least_there = on_slack(fmean(answer.duration for answer in slack), _ON_SLACK, trip=trip).least
    return (
        Crowd(f"Discord, {1000 * trip:.0f} ms", discord, least, len(playground.discord.refusals), late),
        Crowd(f"Slack, {1000 * trip:.0f} ms", slack, least_there, len(playground.slack.refusals), late),
    )


async def _other_edits(edit: Limit) -> Crowd:
    playground = Playground(latency=TRIP)
    playground.discord.limits.edit = edit
    async with rig(playground) as here:
        answers = await here.ask([Question("discord", _ANSWER)])
        least = on_discord(answers[0].duration, edit).least
        return Crowd(f"Discord, {edit.calls} edits in {edit.seconds:g} s", answers, least, here.refusals, here.late)


async def _other_updates() -> tuple[Crowd, Crowd]:
    playground = Playground(latency=TRIP)
    playground.slack.limits.tier_3 = _UPDATES
    async with rig(playground) as here:
        first = await here.ask([Question("slack", _ANSWER)] * _ON_SLACK)
        refused = here.refusals
        second = await here.ask([Question("slack", _ANSWER)] * _ON_SLACK)
        least = on_slack(fmean(answer.duration for answer in [*first, *second]), _ON_SLACK, _UPDATES).least
        return (
            Crowd(f"Slack, {_UPDATES} a minute, first", first, least, refused, here.late),
            Crowd(f"Slack, {_UPDATES} a minute, then", second, least, here.refusals - refused, here.late),
        )
