"""Budgets as windows of permits: who writes next, and when the next write is worth it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Call(StrEnum):
    """What the bot asks of a chat service while it answers."""

    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    TYPING = "typing"


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
