"""What a measured delay is compared with, under the platforms' own limits as the playground enforces them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from playground.discord.limits import Limits as DiscordLimits
from playground.slack.limits import Limits as SlackLimits
from tests.bench.least import even_delay, least_delay, shares
from tests.bench.rig import TRIP


@dataclass(frozen=True, slots=True)
class Bounds:
    """Mean delays in seconds: of the best schedule that there is, and of even spacing."""

    least: float
    even: float


def on_discord(duration: float) -> Bounds:
    """For an answer that has its channel to itself. The whole bot's 50 calls a second do not bind 40 such answers."""
    edit = DiscordLimits().edit
    return _bounds(duration, [edit.calls], edit.seconds)


def on_slack(duration: float, answers: int = 1) -> Bounds:
    """On average over answers that begin together in one workspace and share a minute's updates among them."""
    limits = SlackLimits()
    return _bounds(duration, shares(limits.tier_3, answers), limits.minute)


def _bounds(duration: float, calls: Sequence[int], seconds: float) -> Bounds:
    return Bounds(
        fmean(least_delay(duration, calls=share, seconds=seconds, trip=TRIP) for share in calls),
        fmean(even_delay(duration, calls=share, seconds=seconds, trip=TRIP) for share in calls),
    )
