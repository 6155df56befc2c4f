"""What a measured delay is compared with, under the platforms' own limits as the playground enforces them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from playground.discord.limits import Limit
from playground.discord.limits import Limits as DiscordLimits
from playground.slack.limits import Limits as SlackLimits
from tests.bench.least import even_delay, least_delay, least_together, shares
from tests.bench.rig import TRIP


@dataclass(frozen=True, slots=True)
class Bounds:
    """Mean delays in seconds: of the best schedule that there is, and of even spacing."""

    least: float
    even: float


def on_discord(duration: float, edit: Limit = DiscordLimits.edit, trip: float = TRIP) -> Bounds:
    """For an answer that has its channel to itself. The whole bot's 50 calls a second do not bind 40 such answers."""
    return _bounds(duration, [edit.calls], edit.seconds, trip)


def in_one_channel(duration: float, answers: int) -> float:
    """The least, on average over answers that begin together in one channel of Discord."""
    edit = DiscordLimits.edit
    return least_together(duration, answers, calls=edit.calls, seconds=edit.seconds, trip=TRIP)


def on_slack(duration: float, answers: int = 1, calls: int = SlackLimits().tier_3, trip: float = TRIP) -> Bounds:
    """On average over answers that begin together in one workspace and share a minute's updates among them."""
    return _bounds(duration, shares(calls, answers), SlackLimits().minute, trip)


def _bounds(duration: float, calls: Sequence[int], seconds: float, trip: float) -> Bounds:
    return Bounds(
        fmean(least_delay(duration, calls=share, seconds=seconds, trip=trip) for share in calls),
        fmean(even_delay(duration, calls=share, seconds=seconds, trip=trip) for share in calls),
    )
