"""What is left of an answer after so many of its pages."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.core.paging import Pager

PIECES = st.sampled_from(
    ["word ", "some words that are longer ", "line\n", "\n\n", "x" * 90, "```py\n", "\n```\n", "- item\n", "日本語"]
)
SOURCES = st.lists(PIECES, max_size=80).map("".join)


def paged(source: str, budget: float = 200) -> Pager:
    pager = Pager(budget)
    for start in range(0, len(source), 37):
        pager.feed(source[start : start + 37])
    return pager


@given(source=SOURCES)
def test_each_rest_is_the_end_of_the_text_and_of_the_rest_before_it(source: str):
    """Nothing of the text is changed; what may stand before it is the opening line of a fence."""
    pager = paged(source)
    before = source
    for pages in range(1, len(pager.sealed) + 1):
        rest = pager.rest(pages)
        assert before.endswith((rest, re.sub(r"^```(py)?\n", "", rest)))
        before = rest


@given(source=SOURCES.filter(lambda source: "```" not in source))
def test_pages_and_rest_are_the_text(source: str):
    pager = paged(source)
    for pages in range(1, len(pager.sealed) + 1):
        assert squeezed("".join([*pager.sealed[:pages], pager.rest(pages)])) == squeezed(source)


def test_a_fence_that_is_open_there_is_opened_again():
    lines = [f"print({number})" for number in range(60)]
    pager = paged("Look:\n```python title=x\n" + "\n".join(lines) + "\n```\nDone.")
    first = pager.sealed[0].count("print")
    assert pager.rest(1) == "```python title=x\n" + "\n".join(lines[first:]) + "\n```\nDone."


def test_it_begins_with_a_line_and_not_with_the_gap_before_it():
    pager = paged("word " * 30 + "\n\n" + "next " * 30)
    assert pager.rest(1) == "next " * 30


def squeezed(text: str) -> str:
    return "".join(text.split())
