"""Faults of Slack's Web API, at each call of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.room import Room
from tests.faults.row import Break, Mend, Row, Scene, Where

_FOR_EVER = 10_000  # calls
_STREAM = frozenset({"chat.startStream", "chat.appendStream", "chat.stopStream"})
_SHOWN = frozenset({"chat.update", "chat.delete", "chat.appendStream", "chat.stopStream"})
_TEXT = frozenset({"chat.postMessage", "chat.update"}) | _STREAM
_STATUS = "agents.sessions.setStatus"
_ANNOUNCE = frozenset({"files.getUploadURLExternal"})


@dataclass(frozen=True)
class _Fault:
    name: str
    how: dict[str, Any] = field(default_factory=dict[str, Any])
    lasts: bool = False
    only: frozenset[str] = frozenset()  # calls; none: all
    closes: bool = False  # the place takes nothing more


def _word(word: str) -> dict[str, Any]:
    return {"body": {"ok": False, "error": word}}


_FAULTS = [
    _Fault("429", {"status": 429, "body": {"ok": False, "error": "ratelimited"}, "headers": {"Retry-After": "1"}}),
    _Fault("200 rate_limited", _word("rate_limited")),
    _Fault("500 with a page of HTML", {"status": 500, "body": "<html>500</html>"}),
    _Fault("503", {"status": 503}),
    _Fault("503, three times", {"status": 503, "times": 3}),
    _Fault("fatal_error", _word("fatal_error")),
    _Fault(
        "200 with half a JSON", {"status": 200, "body": '{"ok": tr', "headers": {"Content-Type": "application/json"}}
    ),
    _Fault("cut before its effect", {"drop": True}),
    _Fault("cut after its effect", {"drop": True, "after_effect": True}),
    _Fault("no answer, no effect", {"hang": True}),
    _Fault("no answer after its effect", {"hang": True, "after_effect": True}),
    _Fault("channel_not_found", _word("channel_not_found"), lasts=True, closes=True),
    _Fault("is_archived", _word("is_archived"), lasts=True, closes=True),
    _Fault("not_in_channel", _word("not_in_channel"), lasts=True, closes=True),
    _Fault("invalid_auth", _word("invalid_auth"), lasts=True, closes=True),
    _Fault("missing_scope", _word("missing_scope"), lasts=True, closes=True),
    _Fault("msg_too_long", _word("msg_too_long"), only=_TEXT),
    _Fault("message_not_in_streaming_state", _word("message_not_in_streaming_state"), only=_STREAM),
    _Fault("streaming_mode_mismatch", _word("streaming_mode_mismatch"), only=_STREAM),
    _Fault("unknown_method", _word("unknown_method"), lasts=True, only=_STREAM | {_STATUS}),
]

_ROW = Row("", "", lambda _: lambda: None, Where.SLACK)
_CALLS = {
    "chat.postMessage": _ROW,
    "chat.update": _ROW,
    "chat.delete": replace(_ROW, scene=Scene.REMOVAL),
    _STATUS: replace(_ROW, announces=True),
    "chat.startStream": replace(_ROW, where=Where.DIRECT),
    "chat.appendStream": replace(_ROW, where=Where.DIRECT),
    "chat.stopStream": replace(_ROW, where=Where.DIRECT),
    "files.completeUploadExternal": replace(_ROW, scene=Scene.FILE),
    "files.getUploadURLExternal": replace(_ROW, scene=Scene.FILE, alone=True),
}
_EDITS = {"chat.postMessage", "chat.update"}
# of two faults that the adapter does not tell apart the second is tried at two calls only
_ALIKE = {"200 rate_limited", "503", "fatal_error", "200 with half a JSON", "channel_not_found", "not_in_channel"}
# after these the bot makes fewer such calls, or none, in the whole workspace
_OF_ALL = {"429", "200 rate_limited", "missing_scope", "unknown_method"}
# of the calls that tell no channel, whose rows need a world each; the others are met in the same place of the adapter
_ALONE = {"429", "503, three times", "cut before its effect", "no answer, no effect", "invalid_auth", "missing_scope"}
_TAKEN_BACK = 15.0  # seconds from the beginning of a turn until the bot has tried for the third time
_READING_BACK = {"429", "503", "cut before its effect", "no answer, no effect", "channel_not_found", "missing_scope"}


def rows() -> list[Row]:
    rows = [
        replace(
            row,
            section=f"Slack: {call}",
            fault=fault.name + (", each time" if fault.lasts else ""),
            breaks=_breaking(call, fault),
            alone=row.alone or fault.name in _OF_ALL,
            silent=fault.closes and call not in {"chat.delete", _STATUS},
            seconds=_TAKEN_BACK if (call, fault.name) == (_STATUS, "503, three times") else 0.0,
        )
        for call, row in _CALLS.items()
        for fault in _FAULTS
        if call in (fault.only or {call})
        and (not row.alone or fault.name in _ALONE)
        and (call in _EDITS or fault.name not in _ALIKE)
        # who may announce a file may share it
        if (call, fault.name) != ("files.completeUploadExternal", "missing_scope")
    ]
    somebody = "message_not_found: somebody"
    rows += [
        replace(
            _ROW, section="Slack: chat.update", fault=f"{somebody} deletes it", breaks=_delete, late=1, silent=True
        ),
        replace(
            _CALLS["chat.appendStream"],
            section="Slack: chat.appendStream",
            fault=f"{somebody} deletes it",
            breaks=_delete,
            late=1,
            silent=True,
        ),
        replace(
            _CALLS["chat.delete"],
            section="Slack: chat.delete",
            fault=f"{somebody} was faster",
            breaks=_delete,
            spoils=False,
        ),
    ]
    rows += [
        replace(
            _ROW,
            section=f"Slack: {_STATUS}, taking it back",
            fault=fault.name + (", each time" if fault.lasts else ""),
            breaks=_breaking(_STATUS, fault),
            late=1,
            announces=True,
            silent=fault.closes,
            alone=fault.name in _OF_ALL,
        )
        for fault in _FAULTS
        if not fault.only and fault.name in _READING_BACK | {"cut after its effect"}
    ]
    rows += [
        replace(
            _ROW,
            section="Slack: conversations.replies, after a post that was cut after its effect",
            fault=fault.name + (", each time" if fault.lasts else ""),
            breaks=_both(_breaking("chat.postMessage", _CUT), _breaking("conversations.replies", fault)),
            silent=fault.closes,
            alone=fault.name in _OF_ALL,
        )
        for fault in _FAULTS
        if fault.name in _READING_BACK
    ]
    return sorted(rows, key=lambda row: list(dict.fromkeys(r.section for r in rows)).index(row.section))


_CUT = _Fault("cut after its effect", {"drop": True, "after_effect": True})


def _breaking(method: str, fault: _Fault) -> Break:
    def breaks(room: Room) -> Mend:
        how: dict[str, Any] = {"times": _FOR_EVER if fault.lasts else 1, **fault.how}
        channel = "" if method in _ANNOUNCE else room.id
        return room.here.playground.slack.fail(method, channel=channel, **how)

    return breaks


def _both(one: Break, other: Break) -> Break:
    def breaks(room: Room) -> Mend:
        mends: list[Callable[[], None]] = [one(room), other(room)]

        def mend() -> None:
            for each in mends:
                each()

        return mend

    return breaks


def _delete(room: Room) -> Mend:
    for moment in room.messages():
        room.delete(moment.message)
    return lambda: None
