"""A history as messages, and what a server's memory lacks of it."""

from __future__ import annotations

import pytest

from adapters.openai.memory import Message, messages, missing
from adapters.openai.tokens import estimate, trim
from bot.core.model import Exchange


def user(text: str) -> Message:
    return Message("user", text)


def model(text: str) -> Message:
    return Message("assistant", text)


SETTLED = Exchange("One?", "1.")
STOPPED = Exchange("Two?", "2 and", settled=False)
UNANSWERED = Exchange("Two?", "", settled=False)


def test_a_history_becomes_alternating_messages() -> None:
    history = [SETTLED, UNANSWERED, Exchange("Three?", "3.")]
    assert messages(history, "Four?") == [
        user("One?"),
        model("1."),
        user("Two?\n\nThree?"),
        model("3."),
        user("Four?"),
    ]


@pytest.mark.parametrize(
    ("history", "held", "lacking"),
    [
        ([SETTLED], [], []),
        ([SETTLED, STOPPED], [user("One?"), model("1.")], [user("Two?"), model("2 and")]),
        ([SETTLED, UNANSWERED], [user("One?"), model("1.")], [user("Two?")]),
        ([SETTLED, STOPPED], [user("One?"), model("1."), user("Two?")], [model("2 and")]),
        ([SETTLED, STOPPED], [user("One?"), model("1."), user("Two?"), model("2 and more.")], []),
        ([SETTLED, STOPPED], [user("One?"), model("1."), user("Two?"), model("2"), model("and.")], []),
        ([STOPPED], [], [user("Two?"), model("2 and")]),
    ],
    ids=["settled", "nothing kept", "no answer", "question kept", "all kept", "in two messages", "a first turn"],
)
def test_what_an_aborted_turn_left_out_is_known(
    history: list[Exchange], held: list[Message], lacking: list[Message]
) -> None:
    assert missing(history, held) == lacking


def test_a_question_asked_twice_is_not_taken_for_its_earlier_self() -> None:
    history = [Exchange("Again?", "Yes."), Exchange("Again?", "Yes, a", settled=False)]
    assert missing(history, [user("Again?"), model("Yes.")]) == [user("Again?"), model("Yes, a")]


def test_two_aborted_turns_are_looked_for_in_order() -> None:
    history = [SETTLED, STOPPED, Exchange("Three?", "3", settled=False)]
    held = [user("One?"), model("1."), user("Two?"), model("2 and more.")]
    assert missing(history, held) == [user("Three?"), model("3")]


def test_the_newest_whole_exchanges_that_fit_are_kept() -> None:
    history = [Exchange(f"Question {n}", "x" * 300) for n in range(10)]
    each = estimate("Question 0") + estimate("x" * 300)
    assert trim(history, 3 * each) == history[7:]
    assert trim(history, 3 * each - 1) == history[8:]
    assert trim(history, 10 * each) == history
    assert trim(history, 0) == []


def test_a_huge_newest_exchange_drops_everything_before_it_too() -> None:
    """A gap in the middle of a conversation would be worse than a short memory."""
    assert trim([SETTLED, Exchange("Long?", "x" * 9000)], 100) == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю.", 17),
        ("天地玄黃宇宙洪荒日月盈昃", 12),
    ],
)
def test_the_estimate_is_not_below_what_tokenizers_count(text: str, tokens: int) -> None:
    assert estimate(text) >= tokens
