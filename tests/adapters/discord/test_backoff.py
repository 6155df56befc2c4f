from __future__ import annotations

from adapters.discord.backoff import Backoff


def test_what_keeps_ending_is_tried_ever_more_slowly() -> None:
    backoff, now, waits = Backoff(free=3, most=30.0), 0.0, list[float]()
    for _ in range(10):
        waits.append(backoff.wait(now))
        now += waits[-1]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]


def test_what_held_for_a_while_may_start_at_once_again() -> None:
    backoff = Backoff(free=1, most=60.0)
    assert [backoff.wait(0.0), backoff.wait(0.0), backoff.wait(5.0)] == [0.0, 1.0, 2.0]
    assert backoff.wait(7.0 + 121.0) == 0.0
