"""Slack gets Markdown as it is, and nothing in it acts."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.dialects import SLACK
from bot.core.paging import Pager
from bot.core.slack_markdown import LIMIT, NOTIFICATION, Measure, plain, render
from tests.core.markdown_examples import DOCUMENTS, EXAMPLES, JUNK, Line, measured, missing, source_of, words_read

ALL = [
    pytest.param(text, id=f"{section} {n}") for section, texts in EXAMPLES.items() for n, text in enumerate(texts, 1)
]
_ACTS = re.compile(
    r"<(?:!(?:channel|here|everyone|group|subteam\^|date\^)|[@#][A-Z0-9]+[>|]|[a-zA-Z][\w+.-]*:[^<>\n]*\|)"
)
_PIECES = st.sampled_from([*"<>!@#|`^ \n😀", "here", "https:", "//e.org", "U1", "```", "&lt;"])
TEXTS = st.lists(_PIECES | st.text(max_size=3), max_size=40).map("".join) | JUNK


def shown(sent: str) -> str:
    return sent.replace("&lt;", "<").replace("\u200b", "").replace("\r\n", "\n").replace("\r", "\n")


@given(TEXTS)
def test_nothing_acts_wherever_it_stands(text: str):
    assert not _ACTS.search(render(text))


@given(TEXTS)
def test_it_looks_as_it_was_written(text: str):
    assert shown(render(text)) == shown(text)


@pytest.mark.parametrize("source", ALL)
def test_no_word_is_lost(source: str):
    assert not missing(words_read(source), words_read(render(source)))


@given(DOCUMENTS)
def test_what_is_sent_never_exceeds_its_measure(lines: list[Line]):
    sent = render(source_of(lines))
    assert len(sent.encode("utf-16-le")) // 2 <= max(measured(Measure(), lines), 0)


@given(TEXTS, TEXTS)
def test_costs_add_up(one: str, other: str):
    measure = Measure()
    assert measure.text(one) + measure.text(other) == measure.text(one + other)
    assert measure.code(one) + measure.code(other) == measure.code(one + other)


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("<!channel> <@U1> <#C1|general>", "&lt;!channel> &lt;@U1> &lt;#C1|general>"),
        ("<https://evil.example|my bank>", "&lt;https://evil.example|my bank>"),
        ("say `<!here>` or\n```\n<@U1>\n```", "say `<\u200b!here>` or\n```\n<\u200b@U1>\n```"),
        ("- item\n  ```\n  <!here>\n  ```\n<!here>", "- item\n  ```\n  <\u200b!here>\n  ```\n&lt;!here>"),
    ],
)
def test_what_acts_is_made_inert(source: str, sent: str):
    assert render(source) == sent


@pytest.mark.parametrize(
    "text",
    [
        "a < b > c & d, x <- y, 1 << 3",
        "List<String> and <div> and <https://example.com>",
        "> quote",
        "```html\n<!DOCTYPE html>\n<!-- note -->\n<a href='https://e.org'>x</a>\n```",
        "```java\nList<@NonNull String> x;\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_what_does_not_act_is_left_alone(text: str):
    assert render(text) == text


def test_a_page_that_would_be_too_long_is_made_inert_with_less():
    page = "<!here>" * (LIMIT // 8)
    assert len(render(page)) <= LIMIT
    assert not _ACTS.search(render(page))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("# Title\n\nSome **bold** `code` and [a link](https://e.org).", "Title Some bold code and a link."),
        ("- one\n- two\n\n```python\nx = 1\n```", "one two x = 1"),
        ("| a | b |\n|---|---|\n| 1 | <b>2</b> |", "a b 1 2"),
        ("a < b & `<!here>`", "a &lt; b &amp; &lt;!here&gt;"),
        ("", ""),
    ],
)
def test_a_notification_has_the_first_words(page: str, text: str):
    assert plain(page) == text


@given(
    JUNK
    | st.text(max_size=400)
    | st.lists(st.sampled_from(["word", "<@U1>", "&", "日本語"]), max_size=90).map(" ".join)
)
def test_a_notification_is_short_and_inert(page: str):
    text = plain(page)
    assert len(html.unescape(text)) <= NOTIFICATION
    assert not re.search(r"[<>\n]", text)


def test_a_notification_ends_with_a_whole_word():
    assert plain("word " * 50) == "word " * 29 + "word…"
    assert plain("x" * 500) == "x" * (NOTIFICATION - 1) + "…"


def test_a_table_has_no_more_rows_than_slack_takes():
    """With its names, which stand on each page again."""
    pager = Pager(SLACK.budget, SLACK.measure)
    pager.feed("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 250)
    assert [page.count("\n") for page in [*pager.sealed, pager.last()]] == [100, 100, 53]
