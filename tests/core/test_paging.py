"""Pages: they fit, they stay, they are balanced, and nothing is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.paging import Pager

PIECES = st.sampled_from(
    [
        "word ", "a somewhat longer run of words that fills a line ", "\n", "\n\n", "x" * 90,
        "```python\n", "```", "\n```\n", "~~~\n", "````md\n", "> ```js\n", "`" * 7, "~" * 4, "a ```inline``` b\n",
        "# Heading\n", "- item\n", "  - nested\n", "1. one\n", "> quote\n", "    indented\n", "\t",
        "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "`code`", "**bold**", "<",
        "é", "e\u0301", "👩‍👩‍👧‍👦", "日本語テキスト",
    ]
)  # fmt: skip
SOURCES = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=900)
BUDGET = 200


def pages(source: str, cuts: list[int] | None = None, budget: float = BUDGET) -> list[str]:
    pager = Pager(budget)
    start = 0
    for cut in [*sorted(cuts or []), len(source)]:
        pager.feed(source[start:cut])
        start = max(start, cut)
    return [*pager.sealed, *filter(None, [pager.last()])]


def open_fence(page: str) -> str | None:
    """The mark that is open at the end of a page, read by another hand than the pager's: only plain containers."""
    mark = None
    for line in page.split("\n"):
        bare = line.lstrip("> \t").rstrip()
        run = len(bare) - len(bare.lstrip("`~"[bare.startswith("~")])) if bare else 0
        if mark is None and 3 <= run <= 20 and "`" not in bare[run:]:
            mark = bare[:run]
        elif mark and run >= len(mark) and bare == bare[0] * run and bare[0] == mark[0]:
            mark = None
    return mark


def words(text: str) -> str:
    """What must survive: everything but white space and the marks that seams add or repeat."""
    return "".join(char for char in text if not char.isspace() and char not in "`~>|-")


@given(SOURCES, st.lists(st.integers(0, 2000), max_size=8))
def test_the_pieces_in_which_the_text_came_make_no_difference(source: str, cuts: list[int]):
    assert pages(source, [min(cut, len(source)) for cut in cuts]) == pages(source)


@given(SOURCES)
def test_single_characters_give_the_same_pages(source: str):
    assert pages(source, list(range(len(source)))) == pages(source)


@given(SOURCES)
@settings(max_examples=400)
def test_every_page_fits_live_or_sealed(source: str):
    pager = Pager(BUDGET)
    for char in source:
        pager.feed(char)
        assert all(len(page) <= BUDGET for page in [*pager.sealed[-1:], pager.live(), pager.last()])


@given(SOURCES)
def test_sealed_pages_never_change(source: str):
    pager = Pager(BUDGET)
    before: list[str] = []
    for char in source:
        pager.feed(char)
        assert pager.sealed[: len(before)] == before
        before = list(pager.sealed)


@given(
    st.lists(
        st.sampled_from(["word ", "line of text\n", "\n", "```py\n", "\n```\n", "~~~\n", "\n````x\n", "code(); "]),
        max_size=150,
    )
)
def test_fences_are_balanced_on_every_page_at_every_moment(pieces: list[str]):
    pager = Pager(BUDGET)
    for piece in pieces:
        for char in piece:
            pager.feed(char)
            assert open_fence(pager.live()) is None
    assert [open_fence(page) for page in [*pager.sealed, pager.last()] if open_fence(page)] == []


@given(
    st.lists(
        st.sampled_from(["word ", "a line of text\n", "\n\n", "- item\n", "日本語 ", "👩‍👩‍👧‍👦 ", "x" * 300]),
        max_size=150,
    )
)
def test_without_blocks_the_pages_together_are_the_source(pieces: list[str]):
    source = "".join(pieces)
    assert words("".join(pages(source))) == words(source)


@given(SOURCES)
def test_no_word_is_lost(source: str):
    """Reopened fences and headers may repeat, but the source is a subsequence of the pages."""
    remaining = iter(words("".join(pages(source))))
    assert all(char in remaining for char in words(source))


def test_a_seam_prefers_the_block_boundary_near_the_limit():
    first = "First paragraph. " * 7
    assert pages(f"{first}\n\nSecond paragraph " + "goes on " * 20)[0] == first.strip()


def test_a_seam_falls_on_a_line_when_there_is_no_block_boundary():
    lines = [f"line {number} of a long list of lines" for number in range(12)]
    assert all(page.split("\n")[-1] in lines for page in pages("\n".join(lines)))


def test_a_long_line_is_broken_after_a_word():
    assert pages("word " * 100)[0].endswith("word")
    assert len(pages("word " * 100)) == 3


def test_a_fence_is_reopened_with_its_info_string():
    code = "\n".join(f"print({number})" for number in range(60))
    result = pages(f"Look:\n```python title=x\n{code}\n```\nDone.")
    assert all(page.startswith("```python title=x\nprint(") for page in result[1:-1])
    assert all(page.endswith("\n```") for page in result[:-1])
    assert result[-1].endswith("```\nDone.")


def test_a_longer_fence_holds_a_shorter_one():
    result = pages("````md\n" + "text\n" * 20 + "```py\n" + "code()\n" * 40 + "```\n````")
    assert all(page.startswith("````md\n") and page.endswith("\n````") for page in result)


def test_a_page_does_not_end_with_the_opening_line_of_a_fence():
    result = pages("word " * 38 + "\n\n```python\n" + "code()\n" * 20 + "```")
    assert result[0] == ("word " * 38).strip()


def test_a_heading_stays_with_its_paragraph():
    result = pages("word " * 30 + "\n\n## Heading\n\n" + "word " * 30)
    assert result[1].startswith("## Heading\n\nword")


def test_a_table_repeats_its_header():
    header = "| name | value |\n|---|---|"
    rows = "\n".join(f"| row {number} | {number * 111} |" for number in range(30))
    result = pages(f"{header}\n{rows}\n\nAfter.")
    assert len(result) > 2
    assert all(page.startswith(header + "\n| row") for page in result)


def test_a_grapheme_is_not_split():
    family = "👩‍👩‍👧‍👦"
    result = pages(family * 100)
    assert all(set(page.replace(family, "")) == set() for page in result)


def test_a_live_page_hides_a_fence_that_is_still_growing():
    pager = Pager(BUDGET)
    for text, shown in [
        ("Look:\n``", "Look:"),
        ("`py", "Look:"),
        ("\nx = 1", "Look:\n```py\nx = 1\n```"),
        ("\n``", "Look:\n```py\nx = 1\n```"),
    ]:
        pager.feed(text)
        assert pager.live() == shown


def test_code_in_single_backticks_is_shown_at_once():
    pager = Pager(BUDGET)
    pager.feed("`x` is")
    assert pager.live() == "`x` is"
