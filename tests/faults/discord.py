"""Faults of Discord's REST API, at each call of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.room import Room
from tests.faults.row import Mend, Row, Scene, Where

_FOR_EVER = 10_000  # calls


@dataclass(frozen=True)
class _Call:
    name: str
    method: str
    path: str  # below the channel
    row: Row


def _calls() -> list[_Call]:
    row = Row("", "", lambda _: lambda: None, Where.DISCORD)
    return [
        _Call("post", "POST", "messages$", row),
        _Call("edit", "PATCH", "messages/", row),
        _Call("typing", "POST", "typing$", replace(row, announces=True)),
        _Call("attach", "POST", "messages$", replace(row, scene=Scene.FILE, late=1)),
        _Call("delete", "DELETE", "messages/", replace(row, scene=Scene.REMOVAL)),
    ]


_ALL = frozenset({"post", "edit", "typing", "attach", "delete"})
_ATTACH = frozenset({"attach"})
_NOT_ATTACH = _ALL - _ATTACH
_TEXT = frozenset({"post", "edit"})


@dataclass(frozen=True)
class _Fault:
    name: str
    how: dict[str, Any] = field(default_factory=dict[str, Any])
    lasts: bool = False
    calls: frozenset[str] = _ALL


def _error(status: int, code: int, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"message": message, "code": code}}


_FAULTS = [
    _Fault("400 invalid form body", _error(400, 50035, "Invalid Form Body"), lasts=True, calls=_NOT_ATTACH),
    _Fault("400 invalid form body, once", _error(400, 50035, "Invalid Form Body"), calls=_ATTACH),
    _Fault("400 blocked by AutoMod", _error(400, 200000, "Message was blocked by automatic moderation"), calls=_TEXT),
    _Fault("401", _error(401, 0, "401: Unauthorized"), lasts=True),
    _Fault("403 missing access", _error(403, 50001, "Missing Access"), lasts=True),
    _Fault("403 missing permissions", _error(403, 50013, "Missing Permissions"), lasts=True, calls=_NOT_ATTACH),
    _Fault("403 missing permission to attach", _error(403, 50013, "Missing Permissions"), calls=_ATTACH),
    _Fault("413 too large", _error(413, 40005, "Request entity too large"), calls=_ATTACH),
    _Fault("404 unknown channel", _error(404, 10003, "Unknown Channel"), lasts=True),
    _Fault("429 of the channel", {"status": 429}),
    _Fault(
        "429 of the whole bot",
        {
            "status": 429,
            "body": {"message": "You are being rate limited.", "retry_after": 0.5, "global": True},
            "headers": {"Retry-After": "1", "X-RateLimit-Scope": "global", "X-RateLimit-Global": "true"},
        },
    ),
    _Fault(
        "429 shared",
        {
            "status": 429,
            "body": {"message": "The resource is being rate limited.", "retry_after": 1.5, "global": False},
            "headers": {"Retry-After": "2", "X-RateLimit-Scope": "shared"},
        },
    ),
    _Fault("429 of a proxy", {"status": 429, "body": "error code: 1015", "headers": {"Retry-After": "2"}}),
    _Fault("500", {"status": 500}),
    _Fault("502 with a page of HTML", {"status": 502, "body": "<html>502 Bad Gateway</html>"}),
    _Fault("503", {"status": 503}),
    _Fault("503, three times", {"status": 503, "times": 3}),
    _Fault("500 after its effect", {"status": 500, "after_effect": True}),
    _Fault("cut before its effect", {"drop": True}),
    _Fault("cut after its effect", {"drop": True, "after_effect": True}),
    _Fault("no answer, no effect", {"hang": True}),
    _Fault("no answer after its effect", {"hang": True, "after_effect": True}),
]


def rows() -> list[Row]:
    return [
        replace(
            call.row,
            section=f"Discord: {call.name}",
            fault=fault.name + (", each time" if fault.lasts else ""),
            breaks=_breaking(call, fault),
            silent=fault.lasts and call.name in {"post", "edit", "attach"},
            alone="whole bot" in fault.name,
        )
        for call in _calls()
        for fault in _FAULTS
        if call.name in fault.calls
    ] + [
        Row("Discord: edit", "404 unknown message: somebody deletes it", _delete, late=1, silent=True),
        Row("Discord: delete", "404 unknown message: somebody was faster", _delete, scene=Scene.REMOVAL, spoils=False),
    ]


def _delete(room: Room) -> Mend:
    for moment in room.messages():
        room.delete(moment.message)
    return lambda: None


def _breaking(call: _Call, fault: _Fault) -> Any:
    def breaks(room: Room) -> Mend:
        how: dict[str, Any] = {"times": _FOR_EVER if fault.lasts else 1, **fault.how}
        return room.here.playground.discord.fail(call.method, f"^/channels/{room.id}/{call.path}", **how)

    return breaks
