"""The words of pacing: what a reply needs, what its calls count against, and what it has to wait for.

window.py     what one limit allows now
spending.py   when the replies that share a window spend it
pacer.py      which of them writes next
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import inf


class Call(StrEnum):
    """What the bot asks of a chat service while it answers."""

    POST = "post"
    ATTACH = "attach"
    EDIT = "edit"
    DELETE = "delete"
    START = "start"  # the three of a message that grows by appending
    APPEND = "append"
    STOP = "stop"
    TYPING = "typing"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` calls in any `seconds` seconds, counted under `key`; holds until headers say otherwise."""

    key: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Quota:
    """What a platform said of a call's first limit: how many, how many are left, seconds until all are back."""

    calls: int
    left: int
    reset_after: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call that was accepted: the message's id, and the quota if the answer told one."""

    message: str
    quota: Quota | None = None


class Urgency(IntEnum):
    """What a reader loses by waiting, least first."""

    PROGRESS = 0
    FIRST = 1
    FINAL = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What one reply would like to do next. Times are seconds on the loop's clock."""

    call: Call
    urgency: Urgency
    chars: int = 0  # that no reader sees yet
    since: float | None = None  # when the first of them arrived
    began: float = 0.0  # when the answer's first text arrived
    latest: float = inf  # when the last of it arrived
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do now; more may come."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing to do, now or later."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply's need, with the limits that its call counts against."""

    owner: object
    need: Need
    limits: Sequence[Limit]
    later: Sequence[Limit] = ()  # what the reply's final state will count against, once it has shown something


@dataclass(frozen=True, slots=True)
class Wait:
    """Until a moment, or until something happens to the window of this key; it is empty where nothing else counts."""

    until: float
    key: str


def shows(need: Need) -> bool:
    """Whether the call makes a reply's first message, which another call will have to complete."""
    return need.urgency is Urgency.FIRST and need.call in {Call.POST, Call.START}
