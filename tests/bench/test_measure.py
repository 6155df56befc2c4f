"""Figures from a record made by hand."""

from __future__ import annotations

import pytest

from playground.timeline import Kind, Moment
from tests.bench.measure import figures, seen_by

DELTAS = [(10.0, "one"), (11.0, " two"), (13.0, " three")]


def moment(at: float, kind: Kind, text: str, message: str = "1") -> Moment:
    return Moment(at, "discord", "general", kind, message, text=text, bot=True)


def test_each_character_counts_from_its_delta_to_the_first_state_that_shows_it():
    seen = figures(
        DELTAS,
        [
            moment(9.0, "typing", ""),
            moment(10.5, "posted", "one"),
            moment(12.0, "edited", "one t"),  # two characters of the second delta
            moment(13.5, "edited", "one two three"),
        ],
    )
    assert seen.mean == pytest.approx((3 * 0.5 + 2 * 1.0 + 2 * 2.5 + 6 * 0.5) / 13)
    assert seen.duration == pytest.approx(3.0)
    assert seen.first == pytest.approx(0.5)
    assert seen.lag == pytest.approx(0.5)
    assert seen.longest == pytest.approx(1.5)
    assert (seen.posts, seen.edits) == (1, 2)


def test_an_answer_goes_on_in_the_next_message_without_the_whitespace_between():
    seen = figures(DELTAS, [moment(13.5, "posted", "one two"), moment(14.0, "posted", "three", "2")])
    assert seen.lag == pytest.approx(1.0)
    assert seen.posts == 2


def test_a_state_that_shows_less_than_before_takes_nothing_back():
    """A message that is cut at a seam loses what the next one begins with."""
    seen = figures(
        DELTAS,
        [
            moment(13.5, "posted", "one two thr"),
            moment(14.0, "edited", "one two"),
            moment(15.0, "posted", "three", "2"),
        ],
    )
    assert seen.mean == pytest.approx((3 * 3.5 + 4 * 2.5 + 4 * 0.5 + 2 * 2.0) / 13)


def test_a_silence_is_over_for_readers_when_they_see_all_that_was_sent_before_it():
    states = [moment(10.5, "posted", "one"), moment(12.0, "edited", "one t"), moment(12.5, "edited", "one two")]
    assert seen_by(DELTAS, states, 10.9) == 10.5
    assert seen_by(DELTAS, states, 11.0) == 12.5
    with pytest.raises(ValueError, match="never shown"):
        seen_by(DELTAS, states, 13.0)


def test_other_words_than_the_models_are_an_error():
    with pytest.raises(ValueError, match="does not go on"):
        figures(DELTAS, [moment(10.5, "posted", "one two four")])


def test_words_that_were_never_shown_are_an_error():
    with pytest.raises(ValueError, match="6 of 13 characters were never shown"):
        figures(DELTAS, [moment(11.5, "posted", "one two")])
