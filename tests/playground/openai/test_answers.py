from __future__ import annotations

import re

import pytest

from playground.openai import long_texts, texts
from playground.openai.answers import answer
from playground.openai.record import Said
from playground.openai.rich_text import RICH


def reply(*questions: str) -> str:
    said: list[Said] = []
    for question in questions[:-1]:
        said += [Said("user", question), Said("assistant", "Hm.")]
    return answer([Said("system", "Be kind."), *said, Said("user", questions[-1])]).text


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("hello", texts.HELLO),
        ("Hi!", texts.HELLO),
        ("Show me some code", texts.CODE),
        ("a table, please", texts.TABLE),
        ("tell me a LONG story", texts.LONG),
        ("Tell me a story", texts.STORY),
        ("Ada: make a list", texts.LIST),
        ("help", texts.HELP),
        ("400 lines of code, please", long_texts.LONG_CODE),
        ("Show me a 400-line program", long_texts.LONG_CODE),
        ("a table with 60 rows", long_texts.LONG_TABLE),
        ("a long story in Japanese", long_texts.JAPANESE),
        ("日本語でお願いします", long_texts.JAPANESE),
        ("all in a single line", long_texts.ONE_LINE),
        ("write 30,000 characters", long_texts.BOOK),
        ("Ada: write a book!", long_texts.BOOK),
        ("a rich answer", RICH),
        ("Who is Richard?", texts.DEFAULTS[0].format(question="> Who is Richard?")),
    ],
)
def test_a_word_picks_the_answer(question: str, text: str) -> None:
    assert reply(question) == text


@pytest.mark.parametrize("question", ["What does history teach us?", "Do you listen?", "Which planet is this?"])
def test_anything_else_is_quoted_back(question: str) -> None:
    assert f"> {question}\n" in reply(question)


def test_the_default_varies_with_the_conversation() -> None:
    assert reply("Why?") != reply("How?", "Why?")


def test_a_name_is_remembered() -> None:
    assert "**Ada**" in reply("my name is Ada", "and now?", "What's my name?")
    assert "haven't told me" in reply("and now?", "What's my name?")


def test_people_are_told_apart_where_several_write() -> None:
    assert "**Countess**" in reply("Ada: call me Countess", "Bob: my name is Robert", "Ada: what is my name?")
    assert "**Bob**" in reply("Ada: call me Countess", "Bob: who am I?")


def test_the_last_question_is_remembered() -> None:
    assert "> Why is the sky blue?" in reply("Ada: Why is the sky blue?", "Ada: What did I ask before?")


def test_braces_in_a_question_do_no_harm() -> None:
    assert "> {question} {0}" in reply("{question} {0}")


def test_a_long_answer_needs_several_messages() -> None:
    assert len(texts.LONG) > 2 * 2000  # 2000: Discord's limit for one message
    assert all(text.count("```") % 2 == 0 for text in (texts.LONG, texts.CODE, texts.HELP, texts.TOOL))


def test_the_long_answers_are_as_long_as_they_say() -> None:
    code = long_texts.LONG_CODE.split("```")[1]
    assert code.strip().count("\n") == 400, "a line with the language, and 400 of code"
    compile(code.removeprefix("python"), "<answer>", "exec")
    assert len([line for line in long_texts.LONG_TABLE.splitlines() if line.startswith("|")]) == 2 + 60
    assert 12_000 <= len(long_texts.JAPANESE) < 12_500
    assert (len(long_texts.ONE_LINE), "\n" in long_texts.ONE_LINE) == (9_000, False)
    assert 30_000 <= len(long_texts.BOOK) < 31_000


def test_no_long_answer_says_the_same_line_twice() -> None:
    """So that a line lost or doubled on the way to the screen is seen."""
    numbered = re.compile(r"\d")
    for text in (long_texts.LONG_TABLE, long_texts.JAPANESE, long_texts.BOOK):
        lines = [line for line in text.splitlines() if numbered.search(line) and not line.strip().startswith("- ")]
        assert len(lines) == len(set(lines))


def test_without_a_question_there_is_still_an_answer() -> None:
    assert answer([]).text
