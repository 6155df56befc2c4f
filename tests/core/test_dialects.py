"""What a message may hold is never underestimated, and nothing of the model's acts on a platform."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.dialects import DISCORD, SLACK, TERMINAL, Dialect, defuse_slack

DIALECTS = [DISCORD, SLACK, TERMINAL]
PIECES = st.sampled_from(["<", ">", "!", "@", "#", "|", "https:", "mailto:", "U1", "a", " ", "&lt;", "😀", "\n"])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(one=TEXTS, other=TEXTS)
def test_costs_add_up(dialect: Dialect, one: str, other: str):
    assert dialect.cost(one + other) == dialect.cost(one) + dialect.cost(other)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(text=TEXTS)
def test_what_is_sent_is_never_longer_than_its_cost(dialect: Dialect, text: str):
    """In characters; Slack's in UTF-16 units too, since its way of counting is not documented."""
    sent = dialect.render(text)
    assert len(sent) <= dialect.cost(text)
    if dialect is SLACK:
        assert len(sent.encode("utf-16-le")) // 2 <= dialect.cost(text)


@given(TEXTS)
def test_slacks_control_sequences_become_plain_text(text: str):
    """Read as Slack reads it: a bracket with !, @, # or an address in it acts."""
    inert = defuse_slack(text)
    acting = [inert[at + 1 :] for at, char in enumerate(inert) if char == "<"]
    assert not [rest for rest in acting if rest[:1] in {"!", "@", "#"} or rest.startswith(("https:", "mailto:"))]
    assert inert.replace("&lt;", "<") == text.replace("&lt;", "<")


@pytest.mark.parametrize("text", ["a < b > c", "<div>", "> quote", "x <- y", "1 << 3"])
def test_ordinary_brackets_are_left_alone(text: str):
    assert defuse_slack(text) == text


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_sentence_of_the_bots_own_is_set_apart(dialect: Dialect):
    noted = dialect.note("Stopped.")
    assert "Stopped." in noted
    assert noted != "Stopped."
    assert noted == noted.strip()
