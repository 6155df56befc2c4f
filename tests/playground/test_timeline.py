"""The record of what readers saw."""

from __future__ import annotations

from typing import Any

from playground.timeline import Kind, Moment, Timeline


def _timeline(now: float, *moments: Moment) -> Timeline:
    return Timeline(now=lambda: now, moments=list(moments))


def _moment(at: float, kind: Kind, text: str = "", **more: Any) -> Moment:
    return Moment(at, "slack", "C1", kind, text=text, **more)


def test_a_sign_of_life_ends_with_its_time_or_with_another() -> None:
    typing = _moment(0, "typing", author="Rivulet", lasts=10.0)
    again = _moment(5, "typing", author="Rivulet", lasts=10.0)
    other = _moment(5, "typing", author="Ada", lasts=10.0)
    assert _timeline(9.9, typing).busy("C1") == [typing]
    assert _timeline(10.0, typing).busy("C1") == []
    assert _timeline(12.0, typing, other, again).busy("C1") == [again, other]
    assert _timeline(12.0, again).busy("C2") == []


def test_each_thread_has_a_status_of_its_own() -> None:
    one, two = _moment(0, "status", "reads", reply_to="1"), _moment(0, "status", "writes", reply_to="2")
    done = _moment(1, "status", "", reply_to="1")
    assert _timeline(1e6, one, two, done).busy("C1") == [two]


def test_a_room_looks_different_to_those_who_see_more() -> None:
    timeline = _timeline(
        3,
        _moment(0, "posted", "a", message="1"),
        _moment(1, "edited", "a b", message="1", private_to="U1"),
        _moment(2, "posted", "psst", message="2", private_to="U2"),
    )
    assert timeline.shown("C1") == {"1": "a b", "2": "psst"}
    assert timeline.shown("C1", "U1") == {"1": "a b"}
    assert timeline.shown("C1", "U2") == {"1": "a", "2": "psst"}
