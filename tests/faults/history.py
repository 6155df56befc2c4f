"""Faults of reading back: what was asked while the bot was away, and what an answer that goes on looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.room import Room
from tests.faults.row import Break, Mend, Row, Scene, Where

_FOR_EVER = 10_000  # calls


@dataclass(frozen=True)
class _Fault:
    name: str
    how: dict[str, Any] = field(default_factory=dict[str, Any])
    closes: bool = False  # each time, and what is there is never seen


_HTML = "<html>a page</html>"
_BOTH = [
    _Fault("500", {"status": 500}),
    _Fault("502 with a page of HTML", {"status": 502, "body": _HTML}),
    _Fault("503, twice", {"status": 503, "times": 2}),
    _Fault("200 with a page of HTML", {"status": 200, "body": _HTML}),
    _Fault("cut, twice", {"drop": True, "times": 2}),  # the HTTP client itself repeats a GET that was cut once
    _Fault("no answer", {"hang": True}),
]


def _error(status: int, code: int, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"message": message, "code": code}}


_DISCORD = [
    _Fault("400 invalid form body", _error(400, 50035, "Invalid Form Body"), closes=True),
    _Fault("401", _error(401, 0, "401: Unauthorized")),
    _Fault("403 missing access", _error(403, 50001, "Missing Access"), closes=True),
    _Fault("403 missing permissions", _error(403, 50013, "Missing Permissions"), closes=True),
    _Fault("404 unknown channel", _error(404, 10003, "Unknown Channel"), closes=True),
    _Fault("429 of the channel", {"status": 429}),
    _Fault(
        "429 of the whole bot",
        {
            "status": 429,
            "body": {"message": "You are being rate limited.", "retry_after": 0.5, "global": True},
            "headers": {"Retry-After": "1", "X-RateLimit-Scope": "global", "X-RateLimit-Global": "true"},
        },
    ),
    _Fault("429 of a proxy", {"status": 429, "body": "error code: 1015", "headers": {"Retry-After": "2"}}),
    *_BOTH,
]


def _word(word: str) -> dict[str, Any]:
    return {"body": {"ok": False, "error": word}}


_SLACK = [
    _Fault("429", {"status": 429, "body": {"ok": False, "error": "ratelimited"}, "headers": {"Retry-After": "1"}}),
    *_BOTH,
    _Fault("fatal_error", _word("fatal_error")),
    _Fault("channel_not_found", _word("channel_not_found"), closes=True),
    _Fault("invalid_auth", _word("invalid_auth"), closes=True),
    _Fault("missing_scope", _word("missing_scope"), closes=True),
]

_AWAY = Row("", "", lambda _: lambda: None, scene=Scene.AWAY)
_RESUMED = replace(_AWAY, scene=Scene.RESUMED)

_Make = Callable[[_Fault], Break]


def rows() -> list[Row]:
    slack = replace(_AWAY, where=Where.SLACK)
    return [
        *_each("Discord: history, what was asked while the bot was away", _AWAY, _DISCORD, _discord),
        *_each("Discord: history, when an answer goes on", _RESUMED, _DISCORD, _discord),
        *_each(
            "Slack: users.conversations, what was asked while the bot was away",
            replace(slack, alone=True),
            _SLACK,
            _listing,
        ),
        *_each("Slack: conversations.history, what was asked while the bot was away", slack, _SLACK, _history),
        *_each(
            "Slack: conversations.replies, what was asked while the bot was away",
            replace(slack, threaded=True),
            _SLACK,
            _replies,
        ),
        *_each(
            "Slack: conversations.replies, when an answer goes on",
            replace(_RESUMED, where=Where.SLACK),
            _SLACK,
            _replies,
        ),
    ]


def _each(section: str, row: Row, faults: list[_Fault], make: _Make) -> list[Row]:
    return [
        replace(
            row,
            section=section,
            fault=fault.name + (", each time" if fault.closes else ""),
            breaks=make(fault),
            silent=fault.closes and row.scene is Scene.AWAY,
            alone=row.alone or "whole bot" in fault.name or (row is _AWAY and not fault.closes),
            spoils="200" not in fault.name,
        )
        for fault in faults
    ]


def _how(fault: _Fault) -> dict[str, Any]:
    return {"times": _FOR_EVER if fault.closes else 1, **fault.how}


def _discord(fault: _Fault) -> Break:
    def breaks(room: Room) -> Mend:
        return room.here.playground.discord.fail("GET", f"^/channels/{room.id}/messages$", **_how(fault))

    return breaks


def _history(fault: _Fault) -> Break:
    return lambda room: room.here.playground.slack.fail("conversations.history", channel=room.id, **_how(fault))


def _replies(fault: _Fault) -> Break:
    return lambda room: room.here.playground.slack.fail("conversations.replies", channel=room.id, **_how(fault))


def _listing(fault: _Fault) -> Break:
    return lambda room: room.here.playground.slack.fail("users.conversations", **_how(fault))
