"""Slack's figures: calls a minute, characters a message, seconds a stream, and when an event is sent again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from playground.slack.errors import TooMany
from playground.windows import Windows


class Tier(StrEnum):
    """How often a method may be called, as its documentation page says."""

    ONE = "Tier 1"
    TWO = "Tier 2"
    THREE = "Tier 3"
    FOUR = "Tier 4"
    POST = "chat.postMessage"  # counted per channel too
    SPECIAL = "special"  # "hundreds of requests a minute"


@dataclass(slots=True)
class Limits:
    """May be changed while the stand-in runs; defaults are Slack's documented or measured figures."""

    tier_1: int = 1  # calls a minute, for each method and workspace; the documentation writes "1+"
    tier_2: int = 20
    tier_3: int = 50
    tier_4: int = 100
    special: int = 600
    minute: float = 60.0  # seconds

    posts_per_second: float = 1.0  # "one message per second per channel, short bursts are tolerated"
    post_burst: int = 5  # undocumented: how many make a short burst
    posts_per_minute: int = 300  # "several hundred messages per minute per workspace"

    reading_page: int = 1_000  # objects of history or of a thread; apps sold outside of the Marketplace get 15

    refuse_with_200: bool = False  # some methods refuse as HTTP 200 {"error": "rate_limited"} without Retry-After

    post_text: int = 40_000  # characters; chat.postMessage cuts off what is beyond
    update_text: int = 4_000  # chat.update answers msg_too_long
    markdown_text: int = 12_000

    stream_bytes: int = (
        12_000  # of UTF-8 over all of one streamed message, tasks as JSON; 11,977 characters were measured
    )
    stream_seconds: float = 300.0  # after its start, whatever is appended; 306 to 320 were measured
    stream_task_text: int = 256  # characters in each text of a task, as documented; more has been seen to pass
    joins_lose_whitespace: bool = True  # seen: what is appended loses the whitespace that it begins with

    share_after: float = 0.2  # seconds; files.completeUploadExternal answers before the message is there

    session_seconds: float = 3600.0  # after which a processing session is active again
    status_seconds: float = 120.0  # after which a status that was set the older way goes away

    ack_within: float = 3.0  # seconds that an envelope may wait for its acknowledgement
    redeliver_after: tuple[float, ...] = (0.0, 60.0, 300.0)  # pauses before the retries of an event
    sockets: int = 10  # "up to 10 concurrent connections"

    response_url_uses: int = 5
    response_url_seconds: float = 1800.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call that a limit refused."""

    at: float  # seconds on the timeline's clock
    method: str
    channel: str
    retry_after: int  # whole seconds


@dataclass
class RateLimiter:
    """Counts calls as Slack does: a window a minute for each method; for posts a leaky bucket in each channel too."""

    limits: Limits
    now: Callable[[], float]
    refusals: list[Refusal] = field(default_factory=list[Refusal])

    def __post_init__(self) -> None:
        self._windows = Windows(self.now)
        self._buckets: dict[str, tuple[float, float]] = {}  # (level, at)

    def count(self, method: str, tier: Tier, channel: str) -> None:
        """Counts one call. Raises TooMany."""
        wait = self._count_post(method, channel) if tier is Tier.POST else self._count_minute(method, self._calls(tier))
        if wait <= 0:
            return
        refusal = Refusal(self.now(), method, channel, max(1, math.ceil(wait)))
        self.refusals.append(refusal)
        raise TooMany(refusal.retry_after)

    def _calls(self, tier: Tier) -> int:
        match tier:
            case Tier.ONE:
                return self.limits.tier_1
            case Tier.TWO:
                return self.limits.tier_2
            case Tier.THREE:
                return self.limits.tier_3
            case Tier.FOUR:
                return self.limits.tier_4
            case Tier.POST:
                return self.limits.posts_per_minute
            case Tier.SPECIAL:
                return self.limits.special

    def _count_minute(self, method: str, calls: int) -> float:
        count = self._windows.count(method, calls, self.limits.minute)
        return 0.0 if count.allowed else count.reset_after

    def _count_post(self, method: str, channel: str) -> float:
        now, rate, key = self.now(), self.limits.posts_per_second, f"{method} {channel}"
        level, at = self._buckets.get(key, (0.0, now))
        level = max(0.0, level - (now - at) * rate)
        if level + 1 > self.limits.post_burst:
            return (level + 1 - self.limits.post_burst) / rate
        wait = self._count_minute(method, self.limits.posts_per_minute)
        if wait <= 0:
            self._buckets[key] = (level + 1, now)
        return wait
