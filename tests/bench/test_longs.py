"""The figures of a long answer, from a record that shows what they mean."""

from __future__ import annotations

import pytest

from playground.timeline import Moment
from tests.bench.longs import whole

DELTAS = [(0.0, "one two "), (1.0, "```\nx\n```\n"), (2.0, "three")]


def state(at: float, message: str, text: str) -> Moment:
    kind = "posted" if at < 1 or message == "b" else "edited"
    return Moment(at, "discord", "room", kind, message, text=text, bot=True)


def test_an_answer_that_is_whole_has_its_delays_and_nothing_else():
    seen = whole(
        DELTAS, [state(0.5, "a", "one two ▌"), state(3.0, "a", "one two\n```\nx\n```"), state(3.0, "b", "three")]
    )
    assert (seen.pages, seen.broken, seen.lost, seen.vanished) == (2, 0, 0, 0.0)
    assert seen.mean == pytest.approx((6 * 0.5 + 1 * 2.0 + 5 * 1.0) / 12)
    assert (seen.duration, seen.lag, seen.longest) == (2.0, 1.0, 2.5)


def test_what_is_lost_broken_or_gone_for_a_while_is_counted():
    seen = whole(
        DELTAS, [state(0.5, "a", "one two"), state(1.5, "a", "one ```\nx"), state(3.5, "a", "one two ```\nx\n```")]
    )
    assert seen.lost == len("three")
    assert seen.broken == 1
    assert seen.vanished == 3 * 2.0, "`two`, for two seconds"
