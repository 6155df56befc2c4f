"""What a message may hold is never underestimated, and nothing of the model's acts on a platform."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.dialects import DISCORD, SLACK, TERMINAL, Dialect

DIALECTS = [DISCORD, SLACK, TERMINAL]
PIECES = st.sampled_from(["<", ">", "!", "@", "#", "|", "https:", "mailto:", "U1", "a", " ", "&lt;", "😀", "\n"])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(one=TEXTS, other=TEXTS)
def test_costs_add_up(dialect: Dialect, one: str, other: str):
    assert dialect.measure.text(one + other) == dialect.measure.text(one) + dialect.measure.text(other)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
@given(text=TEXTS)
def test_what_is_sent_is_never_longer_than_its_cost(dialect: Dialect, text: str):
    """In characters; Slack's in UTF-16 units too, since its way of counting is not documented."""
    sent = dialect.render(text)
    assert len(sent) <= dialect.measure.text(text)
    if dialect is SLACK:
        assert len(sent.encode("utf-16-le")) // 2 <= dialect.measure.text(text)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_sentence_of_the_bots_own_is_set_apart(dialect: Dialect):
    noted = dialect.note("Stopped.")
    assert "Stopped." in noted
    assert noted != "Stopped."
    assert noted == noted.strip()
