"""The figures under the chats."""

from __future__ import annotations

from typing import Any

from playground.page.figures import Figures, figures
from playground.timeline import Moment


def moment(at: float, message: str, *, bot: bool = False, **more: Any) -> Moment:
    kind, text = more.pop("kind", "posted"), more.pop("text", "words")
    return Moment(at, more.pop("platform", "slack"), "C1", kind, message, text=text, bot=bot, **more)


def test_nothing_has_happened() -> None:
    assert figures([], "slack", 0) == Figures(calls=0, refusals=0, first_text=None)


def test_the_bots_calls_on_this_platform_are_counted() -> None:
    moments = [
        moment(1, "q", reply_to="another"),
        moment(1, "", bot=True, kind="status"),
        moment(2, "a", bot=True),
        moment(3, "a", bot=True, kind="edited"),
        moment(3, "x", bot=True, platform="discord"),
    ]
    assert figures(moments, "slack", 2) == Figures(calls=3, refusals=2, first_text=None)


def test_the_first_text_is_timed_from_its_own_question() -> None:
    moments = [
        moment(1, "q1"),
        moment(4, "q2"),
        moment(4.5, "a1", bot=True, reply_to="q1"),
        moment(5, "a1, continued", bot=True, reply_to="q1"),
        moment(6, "a2", bot=True, reply_to="q2"),
        moment(9, "a2, continued", bot=True, reply_to="q2"),
    ]
    assert figures(moments[:3], "slack", 0).first_text == 3.5
    assert figures(moments, "slack", 0).first_text == 2


def test_in_a_thread_the_latest_question_counts() -> None:
    moments = [
        moment(1, "q1"),
        moment(2, "a1", bot=True, reply_to="q1"),
        moment(10, "q2", reply_to="q1"),
        moment(10.5, "a2", bot=True, reply_to="q1"),
    ]
    assert figures(moments, "slack", 0).first_text == 0.5


def test_a_further_message_of_an_answer_is_no_first_text() -> None:
    moments = [
        moment(1, "q1"),
        moment(2, "a1", bot=True, reply_to="q1"),
        moment(9, "a1, continued", bot=True),
    ]
    assert figures(moments, "slack", 0).first_text == 1


def test_what_only_one_person_sees_answers_nothing() -> None:
    moments = [moment(1, "q"), moment(2, "help", bot=True, private_to="U1"), moment(4, "a", bot=True)]
    assert figures(moments, "slack", 0).first_text == 3


def test_a_message_without_words_is_no_first_text_until_it_has_some() -> None:
    """A stream may begin empty, and grow for its recipient alone."""
    moments = [
        moment(1, "q"),
        moment(2, "a", bot=True, reply_to="q", text=""),
        moment(3, "a", bot=True, reply_to="q", kind="edited", private_to="U1"),
        moment(4, "a", bot=True, reply_to="q", kind="edited"),
    ]
    assert figures(moments[:2], "slack", 0).first_text is None
    assert figures(moments, "slack", 0).first_text == 2


def test_an_edit_of_an_earlier_answer_answers_nothing() -> None:
    moments = [
        moment(1, "q1"),
        moment(2, "a1", bot=True, reply_to="q1"),
        moment(5, "q2", reply_to="q1"),
        moment(6, "a1", bot=True, reply_to="q1", kind="edited"),
    ]
    assert figures(moments, "slack", 0).first_text == 1
