"""The least delay is really the least: schedules of every kind are tried beside it."""

from __future__ import annotations

from functools import cache
from typing import TypedDict

import pytest

from tests.bench.least import even_delay, least_delay, least_together, shares


class Limits(TypedDict):
    """What least_delay and even_delay take."""

    calls: int
    seconds: float
    trip: float


DISCORD = Limits(calls=5, seconds=5.0, trip=0.08)
SLACK = Limits(calls=50, seconds=60.0, trip=0.08)


def tried(duration: int, calls: int, seconds: int, trip: int) -> float:
    """The least mean delay of all schedules in which every state leaves at a whole second."""

    @cache
    def squares(last: int, closes: int, left: int) -> float:
        if last == duration:
            return 0.0
        best = float("inf")
        for at in range(last + trip, duration + 1):
            opens = at >= closes
            if opens and calls:
                best = min(best, (at - last) ** 2 + squares(at, at + seconds, calls - 1))
            elif not opens and left:
                best = min(best, (at - last) ** 2 + squares(at, closes, left - 1))
        return best

    return trip / 2 + min(at**2 + squares(at, 0, 0) for at in range(duration + 1)) / (2 * duration)


@pytest.mark.parametrize(
    ("duration", "calls", "seconds", "trip"),
    [
        (60, 5, 30, 1),  # Discord's shape: two windows, less than two, and more
        (45, 5, 30, 1),
        (73, 5, 30, 1),
        (40, 3, 12, 1),
        (40, 3, 12, 3),
        (24, 6, 24, 5),  # a slow network: trips alone keep the edits apart
        (36, 5, 30, 6),
        (30, 1, 10, 2),
        (20, 0, 10, 1),
    ],
)
def test_no_schedule_has_less_delay_and_one_comes_close(duration: int, calls: int, seconds: int, trip: int):
    least = least_delay(duration, calls=calls, seconds=seconds, trip=trip)
    best = tried(duration, calls, seconds, trip)
    assert least <= best + 1e-9
    assert best <= 1.05 * least


@pytest.mark.parametrize(
    ("duration", "limits", "least"),
    [
        (1.5, DISCORD, 0.04 + 1.5 / 12),  # the post and five edits
        (6.0, DISCORD, 0.04 + (5 + 1 / 6) / 12),  # a burst before the window and after it: eleven states, not six
        (10.0, DISCORD, 0.04 + (5 + 25 / 6) / 20),  # five gaps of 1 s between the two openings, six of 0.83 s outside
        (16.0, DISCORD, 0.04 + (15 + 1 / 6) / 32),
        (10.0, SLACK, 0.04 + 10 / 102),  # the whole minute's fifty updates
        (0.08, DISCORD, 0.04 + 0.04),  # no time for an edit after the post
    ],
)
def test_the_least_delay_of_known_answers(duration: float, limits: Limits, least: float):
    assert least_delay(duration, **limits) == pytest.approx(least)


@pytest.mark.parametrize(
    ("duration", "limits", "even"),
    [
        (1.5, DISCORD, 0.04 + 0.15),  # five states
        (10.0004, DISCORD, 0.04 + 0.5),  # ten, also where the clock is off by a little
        (9.9996, DISCORD, 0.04 + 0.5),
        (10.0, SLACK, 0.04 + 0.1),  # fifty
        (0.2, DISCORD, 0.04 + 0.05),  # two, for a trip each
        (0.05, DISCORD, 0.04 + 0.025),  # one
    ],
)
def test_even_spacing_of_known_answers(duration: float, limits: Limits, even: float):
    assert even_delay(duration, **limits) == pytest.approx(even, abs=1e-4)


@pytest.mark.parametrize("duration", [0.05, 0.3, 1.5, 3.0, 5.0, 8.0, 9.9, 12.0, 20.0, 40.0, 70.0])
@pytest.mark.parametrize("limits", [DISCORD, SLACK])
def test_even_spacing_is_never_better_than_the_least(duration: float, limits: Limits):
    least = least_delay(duration, **limits)
    assert least <= even_delay(duration, **limits) + 1e-9


def test_a_window_is_shared_as_evenly_as_it_can_be():
    assert shares(50, 5) == [10] * 5
    assert sorted(shares(50, 20)) == [2] * 10 + [3] * 10
    assert sum(shares(3, 5)) == 3


def test_answers_that_share_a_channel_have_its_edits_and_a_post_each():
    """Ten edits in 10 s and three posts: 13 states, a third of them for each."""
    assert least_together(10.0, 3, **DISCORD) == pytest.approx(0.04 + 10 / 2 / (13 / 3))
    assert least_together(10.0, 1, **DISCORD) <= least_delay(10.0, **DISCORD)


def test_a_duration_that_is_none_is_refused():
    with pytest.raises(ValueError, match="positive"):
        least_delay(0.0, calls=5, seconds=5.0, trip=0.08)
