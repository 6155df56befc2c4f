"""Every way in which an answer can end has words, or is silent on purpose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.endings import sentence
from bot.core.model import End, Ending, Status

SILENT = {End.COMPLETED, End.REFUSED}  # the answer speaks for itself


@pytest.mark.parametrize("end", End)
def test_each_end_has_words_or_is_silent_on_purpose(end: End):
    words = sentence(Ending(end))
    assert (words == "") is (end in SILENT)
    assert "{" not in words
    assert words == words.strip()
    assert not words or words[-1] in ".!?"


def test_no_two_ends_are_told_in_the_same_words():
    words = [sentence(Ending(end)) for end in End if end not in SILENT]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, " in a minute."), (0.2, " in 1 second."), (12.1, " in 13 seconds."), (90, " in 2 minutes.")],
)
@pytest.mark.parametrize("end", [End.RATE_LIMITED, End.OVERLOADED])
def test_the_wait_is_told_in_round_figures(end: End, seconds: float | None, words: str):
    assert sentence(Ending(end, retry_after=seconds)).endswith(f"Try again{words}")


@given(st.sampled_from(End), st.text())
def test_a_servers_words_become_one_line_of_bearable_length(end: End, detail: str):
    """Whatever the server sends, what is shown fits in a message; braces are no placeholders."""
    for words in (sentence(Ending(end, detail)), sentence(Ending(end, f"{{{detail}}} and so on " * 500))):
        assert len(words) <= 500
        assert len(words.splitlines()) <= 1


def test_a_servers_words_end_as_a_sentence_once():
    assert "No such model. " not in sentence(Ending(End.UNKNOWN_MODEL, "No such model"))
    assert sentence(Ending(End.UNKNOWN_MODEL, "No such model")).endswith(" No such model.")
    assert sentence(Ending(End.UNKNOWN_MODEL, "Really?")).endswith(" Really?")


def test_a_stop_and_a_shutdown_are_stops_and_a_fault_is_a_failure():
    assert {end for end in End if Ending(end).status is Status.STOPPED} == {End.STOPPED, End.SHUTDOWN}
    done = {End.COMPLETED, End.LENGTH, End.FILTERED, End.REFUSED, End.EMPTY}
    assert {end for end in End if Ending(end).status is Status.DONE} == done
    assert {end for end in End if Ending(end).settled} == done
