"""Discord's rate limits: what is counted under which key, what the headers say, and what a refusal looks like.

POST and PATCH of messages are counted apart but answer with the same bucket, as the real ones do.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Literal

from playground.discord.errors import ApiError
from playground.windows import Count, Windows

Counted = Literal["post", "edit", "delete", "typing", "webhook", "callback"]

_BUCKETS: dict[Counted, str] = {
    "post": "messages",
    "edit": "messages",
    "delete": "messages.delete",
    "typing": "typing",
    "webhook": "webhooks",
    "callback": "interactions",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in a window of `seconds` that the first call opens."""

    calls: int
    seconds: float


@dataclass
class Limits:
    """The figures, as seen in the field where Discord does not document them. All may be changed at any time."""

    post: Limit = Limit(5, 5.0)  # per channel
    edit: Limit = Limit(5, 5.0)  # per channel
    delete: Limit = Limit(5, 1.0)  # per channel
    typing: Limit = Limit(5, 5.0)  # per channel
    webhook: Limit = Limit(5, 2.0)  # per interaction
    callback: Limit = Limit(5, 2.0)  # per interaction
    whole_bot: Limit = Limit(50, 1.0)  # all calls with the bot's token
    old_edit: Limit = Limit(3, 6.0)  # per channel, edits of messages older than `old_after`
    old_after: float = 3600.0  # seconds
    identify: Limit = Limit(1000, 86_400.0)
    sends: Limit = Limit(120, 60.0)  # per gateway connection, what the bot sends
    acknowledge_within: float = 3.0  # seconds in which an interaction must be answered
    token_lives: float = 900.0  # seconds in which an interaction's token is good
    nonce_lives: float = 300.0  # seconds in which an enforced nonce is remembered; documented as "a few minutes"
    session_lives: float = 180.0  # seconds in which a session without a socket can be resumed


@dataclass(frozen=True, slots=True)
class Refusal:
    """One 429 that was given."""

    at: float  # seconds, on the timeline's clock
    method: str
    path: str
    scope: str  # user, global, or shared
    retry_after: float  # seconds


@dataclass
class Budgets:
    """Counts the calls of one bot."""

    windows: Windows

    def admit(self, counted: Counted, major: str, limit: Limit) -> dict[str, str]:
        """The headers of the answer; raises ApiError 429. `major` is the id in the path that has its own count."""
        count = self.windows.count(f"{counted}:{major}", limit.calls, limit.seconds)
        headers = _headers(count, _BUCKETS[counted])
        if not count.allowed:
            raise too_many(count.reset_after, scope="user", headers=headers)
        return headers

    def admit_bot(self, limit: Limit) -> None:
        count = self.windows.count("bot", limit.calls, limit.seconds)
        if not count.allowed:
            raise too_many(count.reset_after, scope="global")

    def admit_old_edit(self, channel: str, limit: Limit) -> None:
        count = self.windows.count(f"old:{channel}", limit.calls, limit.seconds)
        if not count.allowed:
            message = "Maximum number of edits to messages older than 1 hour reached. Try again later."
            raise too_many(count.reset_after, scope="user", message=message, code=30046)


def too_many(
    retry_after: float,
    *,
    scope: str,
    headers: dict[str, str] | None = None,
    message: str = "You are being rate limited.",
    code: int = 0,
) -> ApiError:
    """A 429 as Discord writes it."""
    retry_after = _round_up(retry_after)
    refused = ApiError(
        429,
        code,
        message,
        headers={
            **(headers or {}),
            "Retry-After": str(math.ceil(retry_after)),
            "X-RateLimit-Scope": scope,
            **({"X-RateLimit-Global": "true"} if scope == "global" else {}),
        },
        extra={"retry_after": retry_after, "global": scope == "global"},
    )
    if not code:
        del refused.body["code"]
    return refused


def _headers(count: Count, bucket: str) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(count.calls),
        "X-RateLimit-Remaining": str(count.left),
        "X-RateLimit-Reset": f"{_round_up(time.time() + count.reset_after):.3f}",
        "X-RateLimit-Reset-After": f"{_round_up(count.reset_after):.3f}",
        "X-RateLimit-Bucket": hashlib.md5(bucket.encode(), usedforsecurity=False).hexdigest(),
    }


def _round_up(seconds: float) -> float:
    """To whole milliseconds, upwards: who waits as long as it says is never early."""
    return math.ceil(seconds * 1000) / 1000
