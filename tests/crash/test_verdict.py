"""The judge of the crash test sees every planted fault, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground.openai.record import Said
from playground.timeline import Attachment, Moment
from tests.crash.answers import KINDS, answer, answer_to, long_blocks, numbered, question
from tests.crash.plan import make_plan
from tests.crash.verdict import Asked, Fate, Shown, Verdict, judge

LINE, TEXT = answer_to(1, "line"), answer_to(2, "paragraph")
FAILED = "-# The model failed. Ask again."


def asked(number: int = 1, text: str = LINE, **where: str) -> Asked:
    return Asked(number, "R", f"{100 + number}", **{"thread": "", **where}, answer=text)


def shown(text: str, id: str = "201", files: dict[str, str] | None = None, **more: Any) -> Shown:
    attachments = tuple(Attachment(name, name, len(content)) for name, content in (files or {}).items())
    moment = Moment(0.0, "discord", "R", "edited", id, text=text, bot=True, files=attachments)
    return Shown(replace(moment, **more), files or {})


def judged(question: Asked, *messages: Shown) -> Verdict:
    """The only question's verdict, where nothing else is wrong."""
    verdicts, wrong = judge([question], messages)
    assert wrong == []
    return verdicts[question.number]


def halves(text: str) -> tuple[str, str]:
    """Two pages."""
    cut = text.index(" ", len(text) // 2)
    return text[:cut], text[cut + 1 :]


def test_a_whole_answer_is_answered_on_one_page_or_more():
    first, second = halves(TEXT)
    assert judged(asked(), shown(LINE)).fate is Fate.ANSWERED
    assert judged(asked(2, TEXT), shown(first, "201", reply_to="102"), shown(second, "202")).fate is Fate.ANSWERED


@pytest.mark.parametrize("text", [FAILED, f"{halves(LINE)[0]}\n\n{FAILED}", f"{LINE}\n\n{FAILED}"])
def test_a_sentence_of_the_bots_own_at_the_end_is_a_visible_failure(text: str):
    assert judged(asked(), shown(text, reply_to="101")) == Verdict(Fate.FAILED, "The model failed. Ask again.")


def test_a_sentence_on_a_page_of_its_own_belongs_to_the_answer_that_breaks_off():
    """On Slack nothing else ties it to the question."""
    slack: dict[str, Any] = {"platform": "slack"}
    first, _ = halves(LINE)
    messages = [shown(first, "1.1", **slack), shown("_The model failed. Ask again._", "1.2", **slack)]
    assert judged(asked(), *messages).fate is Fate.FAILED


def test_nothing_at_all_is_lost():
    assert judged(asked()).fate is Fate.LOST


def test_an_answer_that_breaks_off_without_a_word_is_lost():
    assert judged(asked(), shown(halves(LINE)[0])) == Verdict(
        Fate.LOST, f"it ends after {len(numbered(halves(LINE)[0]))} of {len(numbered(LINE))} words"
    )


def test_one_sentence_is_not_the_failure_of_two_questions():
    verdicts, wrong = judge([asked(), asked(2, TEXT)], [shown(FAILED)])
    assert sorted(verdict.fate for verdict in verdicts.values()) == [Fate.FAILED, Fate.LOST]
    assert wrong == []


@pytest.mark.parametrize("again", [LINE, halves(LINE)[0], halves(LINE)[1]])
def test_words_that_stand_there_twice_are_doubled(again: str):
    assert judged(asked(), shown(LINE, "201"), shown(again, "202")).fate is Fate.DOUBLED
    assert judged(asked(), shown(f"{LINE}\n\n{again}")).fate is Fate.DOUBLED


def test_an_answer_and_a_failure_below_it_are_one_but_two_failures_are_doubled():
    assert judged(asked(), shown(LINE, "201"), shown(FAILED, "202", reply_to="101")).fate is Fate.FAILED
    twice = [shown(FAILED, id, reply_to="101") for id in ("201", "202")]
    assert judged(asked(), *twice).fate is Fate.DOUBLED


def test_a_sentence_too_many_is_seen():
    _, wrong = judge([asked()], [shown(LINE, "201"), shown(FAILED, "202")])
    assert wrong == [f"a message that nobody waits for: {FAILED!r}"]


def test_words_of_two_questions_in_one_message_are_seen():
    _, wrong = judge([asked(), asked(2, TEXT)], [shown(f"{LINE}\n\n{TEXT}")])
    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("look", "more"),
    [
        (f"{LINE} ▌", {}),
        (LINE, {"live": True}),
        (f"{LINE}\n\n-# The rest comes as a file…", {}),
        (f"{LINE} **", {}),
        (f"{LINE} Stopped", {}),
        (f"{LINE}\n\n-# Stopped.", {}),
    ],
)
def test_what_looks_unfinished_or_strange_is_broken(look: str, more: dict[str, Any]):
    assert judged(asked(), shown(look, **more)).fate is Fate.BROKEN


def test_a_missing_word_and_a_wrong_order_are_broken():
    gap = LINE.replace("q1x2 ", "").replace("q1x3 ", "")
    assert judged(asked(), shown(gap)).fate is Fate.BROKEN
    first, second = halves(TEXT)
    assert judged(asked(2, TEXT), shown(second, "201"), shown(first, "202")).fate is Fate.BROKEN


def test_what_stands_in_another_place_is_broken():
    slack: dict[str, Any] = {"platform": "slack"}
    question = asked(2, TEXT, thread="1.0")
    first, second = halves(TEXT)
    below = [shown(first, "1.1", reply_to="1.0", **slack), shown(second, "1.2", reply_to="1.0", **slack)]
    assert judged(question, *below).fate is Fate.ANSWERED
    assert judged(question, below[0], shown(second, "1.2", **slack)).fate is Fate.BROKEN
    assert judged(question, shown(TEXT, "1.1", **slack)).fate is Fate.BROKEN
    assert judged(asked(2, TEXT), shown(TEXT, room="elsewhere")).fate is Fate.BROKEN


def test_long_code_is_there_as_a_file_once():
    text = answer_to(3, "long code")
    [code] = long_blocks(text)
    words = "The long code block as a file."
    file = shown(words, "203", {"code.py": code})
    assert judged(asked(3, text), shown(text), file).fate is Fate.ANSWERED
    assert judged(asked(3, text), shown(text), file, shown(words, "204", {"code.py": code})).fate is Fate.DOUBLED
    assert judged(asked(3, text), shown(text)).fate is Fate.BROKEN
    assert judged(asked(3, text), shown(text), shown(words, "203", {"code.py": code[:-9]})).fate is Fate.BROKEN


def test_what_pages_do_not_hold_is_read_in_the_file_of_the_rest():
    first, second = halves(TEXT)
    page, rest = shown(first), shown("The rest of the answer is in the file.", "203", {"answer.md": second})
    assert judged(asked(2, TEXT), page, rest).fate is Fate.ANSWERED
    assert judged(asked(2, TEXT), shown(TEXT), rest).fate is Fate.DOUBLED
    broken_off = shown(f"-# The answer goes on in the file. {FAILED[3:]}", "203", {"answer.md": halves(second)[0]})
    assert judged(asked(2, TEXT), page, broken_off).fate is Fate.FAILED


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_says_the_same_whenever_it_is_asked(kind: str):
    said = [Said("user", f"Ada: {question(7, kind)}")]
    assert answer(said) == answer([Said("user", "q8: line, please"), Said("assistant", "…"), *said])
    text = answer(said).text
    assert numbered(text) == [(7, word) for word in range(len(numbered(text)))]


def test_a_plan_follows_from_its_seed():
    assert make_plan("chat", 5, 20, rooms=12) == make_plan("chat", 5, 20, rooms=12)
    assert make_plan("chat", 5, 20, rooms=12) != make_plan("chat", 6, 20, rooms=12)
