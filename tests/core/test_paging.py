"""Pages: they fit, they stay, they are balanced, and together they are read as the source."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.dialects import DISCORD, SLACK, Dialect
from bot.core.paging import Pager
from tests.core.pages import BUDGET, MARKDOWN, Characters, characters, fed, pages, together

PIECES = st.sampled_from(
    [
        "word ", "a somewhat longer run of words that fills a line ", "\n", "\n\n", "x" * 90, "One sentence. ",
        "```python\n", "```", "\n```\n", "~~~\n", "````md\n", "> ```js\n", "`" * 7, "~" * 4, "a ```inline``` b\n",
        "# Heading\n", "- item\n", "  - nested\n", "1. one\n", "2. two\n", "   9) nine\n", "> quote\n",
        "    indented\n", "\t", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "`code`", "**bold**", "<", "**", "*",
        "[link](http://x.y)", "[", "](", "\\", "$$", "$", "$x_", "H","---\n", "===\n", "\r\n", "\r",
        "é", "e\u0301", "👩‍👩‍👧‍👦", "日本語テキスト。", "  ",
        "> ", " - ",
        "שלום ", "\u202e", "\u200d", "\U0001f3fd", "\U0010ffff", "z" * 20_000,
    ]
)  # fmt: skip
SOURCES = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=900)


def words(text: str) -> str:
    """What must survive: everything but white space and the marks that seams add or repeat."""
    return "".join(char for char in text if not char.isspace() and char not in "`~>|-*_")


@given(SOURCES, st.lists(st.integers(0, 2000), max_size=8))
@settings(deadline=None)
def test_the_pieces_in_which_the_text_came_make_no_difference(source: str, cuts: list[int]):
    assert pages(source, cuts) == pages(source)


@given(MARKDOWN)
@settings(max_examples=50, deadline=None)
def test_single_characters_give_the_same_pages(source: str):
    assert pages(source, range(len(source))) == pages(source)


@given(SOURCES)
@settings(deadline=None)
def test_every_page_fits_live_or_sealed_and_stays_as_it_was_sealed(source: str):
    """And a page begins with what was certain of it: a reader never sees that go."""
    pager = Pager(BUDGET, Characters())
    sealed: list[str] = []
    certain = ""
    for char in source[:2500]:
        pager.feed(char)
        assert all(len(page) <= BUDGET for page in [*pager.sealed[len(sealed) :], pager.live(), pager.last()])
        assert pager.sealed[: len(sealed)] == sealed
        grown = [*pager.sealed[len(sealed) :], pager.certain()][0]
        assert grown.startswith(certain.rstrip())
        sealed, certain = list(pager.sealed), pager.certain()
        assert pager.last().startswith(certain.rstrip())


@given(SOURCES)
@settings(deadline=None)
def test_no_word_is_lost(source: str):
    """What is opened again may repeat, but the source is a subsequence of the pages."""
    remaining = iter(words("".join(pages(source))))
    assert all(char in remaining for char in words(source))


@given(SOURCES, st.integers(0, 5))
@settings(deadline=None)
def test_the_rest_is_what_the_first_pages_do_not_hold(source: str, first: int):
    pager = fed([source])
    first = min(first, len(pager.sealed))
    shown = words("".join(pager.sealed[:first]))
    remaining = iter(shown + words(pager.rest(first)))
    assert all(char in remaining for char in words(source))
    assert len(words(pager.rest(0))) == len(words(source))


@given(MARKDOWN)
@settings(max_examples=150, deadline=None)
def test_a_parser_reads_the_pages_together_as_it_reads_the_source(source: str):
    """Every character in its paragraph, heading, cell, list item, quote and code, with its emphasis and its link."""
    assert together(pages(source)) == characters(source)


@given(MARKDOWN)
@settings(max_examples=25, deadline=None)
def test_fences_are_balanced_on_every_page_at_every_moment(source: str):
    """Of a balanced page a parser reads a line below it as a paragraph of its own."""
    pager = Pager(BUDGET, Characters())
    for start in range(0, len(source), 7):
        pager.feed(source[start : start + 7])
        for page in [*pager.sealed[-1:], pager.live()]:
            assert characters(f"{page}\n\nX")[-1] == ("X", ("p",), frozenset()) or page.lstrip().startswith(("-", "1"))


@pytest.mark.parametrize("dialect", [DISCORD, SLACK], ids=lambda dialect: dialect.name)
@given(source=MARKDOWN.map(lambda text: f"{text}\n\n" * 6))
@settings(max_examples=30, deadline=None)
def test_what_a_platform_is_sent_fits_a_message(dialect: Dialect, source: str):
    pager = Pager(dialect.budget, dialect.measure)
    for start in range(0, len(source), 97):
        pager.feed(source[start : start + 97])
        assert all(len(dialect.render(page)) <= dialect.budget for page in [*pager.sealed[-1:], pager.live()])


def test_a_page_ends_behind_the_first_block_that_ends_in_its_last_quarter():
    first = "First paragraph. " * 19
    assert pages(f"{first}\n\nSecond paragraph " + "goes on " * 40)[0] == first.strip()


def test_a_page_ends_behind_a_sentence_where_no_block_does():
    assert pages("Some words, and a few more. " * 60, budget=1000)[0].endswith("more.")


def test_a_page_ends_behind_a_line_where_no_block_does():
    lines = [f"line {number} of a long list of lines" for number in range(40)]
    assert all(page.split("\n")[-1] in lines for page in pages("\n".join(lines)))


def test_a_heading_stays_with_what_it_is_the_heading_of():
    for before in range(40, 66):
        source = "words " * before + "\n\n# Heading\n\n" + "```\n" + "code\n" * 40 + "```"
        assert not any(page.endswith("Heading") for page in pages(source)[:-1])


def test_code_goes_on_with_its_language_on_the_next_page():
    first, second, *_ = pages("```python\n" + "print('x')\n" * 60 + "```\n")
    assert first.startswith("```python\n")
    assert first.endswith("\n```")
    assert second.startswith("```python\nprint")


def test_a_table_repeats_its_names():
    first, second, *_ = pages("| a | b |\n|---|---|\n" + "| one | two |\n" * 60)
    assert second.startswith("| a | b |\n|---|---|\n| one | two |\n")
    assert first.endswith("| one | two |")


def test_a_list_goes_on_with_its_number():
    """Also where the model has written 1. before each of its items."""
    _, second, *_ = pages("".join(f"1. item {number} of a list\n" for number in range(60)))
    first_line = second.split("\n")[0]
    number, _, words = first_line.partition(". item ")
    assert int(number) == int(words.split()[0]) + 1


def test_an_item_that_goes_on_is_opened_again_with_its_marker():
    source = "7. First words.\n\n" + "   More of the same item, a sentence.\n\n" * 30
    _, second, *_ = pages(source)
    assert second.startswith("7. …\n\n   More of the same")


def test_a_link_is_never_cut_in_two():
    source = "words " * 60 + "[a link with a long text in it](https://example.com/" + "path/" * 12 + ") and more " * 20
    shown = pages(source)
    assert sum("[a link with a long text in it](https://example.com/path" in page for page in shown) == 1
    assert sum("path/)" in page for page in shown) == 1


def test_emphasis_longer_than_a_page_is_closed_and_opened_again():
    shown = pages("**" + "bold words " * 30 + "more " * 40 + "end**")
    assert all(page.startswith("**") and page.endswith("**") for page in shown[:2])


def test_japanese_is_cut_behind_its_sentences():
    assert pages("これは日本語の文です。" * 60)[0].endswith("。")


def test_a_word_without_end_is_cut_between_graphemes():
    assert all(page == "👩‍👩‍👧‍👦" * (len(page) // 7) for page in pages("👩‍👩‍👧‍👦" * 500)[:-1])


def test_what_is_half_written_is_not_shown_yet():
    """Markers, links, rows and fences appear when one can see what they are."""
    for text, seen in [
        ("A **bold", "A **bold**"),
        ("A **", "A"),
        ("See [the link](https://exam", "See the link"),
        ("See [the li", "See the li"),
        ("At https://exam", "At"),
        ("Run `make te", "Run `make te`"),
        ("Text\n\n``", "Text"),
        ("Text\n\n```py", "Text"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```py\nx = 1\n``", "```py\nx = 1\n```"),
        ("Text\n\n| a | b", "Text"),
        ("Text\n\n| a | b |\n|--", "Text"),
        ("| a | b |\n|---|---|\n| 1 | 2", "| a | b |\n|---|---|"),
        ("Text\n\n-", "Text"),
        ("Text\n--", "Text"),
        ("1", ""),
        ("# ", ""),
        ("A $$x^", "A"),
        ("A\n\n$$\nx^2\n", "A"),
        ("A footnote[^1", "A footnote"),
        ("The product is $x_1 \\cdot x", "The product is"),
        ("Take $x for the price", "Take $x for the price"),
        ("It costs $5 and more", "It costs $5 and more"),
        ("In $HOME_DIR or **be", "In $HOME_DIR or **be**"),
        ("A $x_1$ is **bo", "A $x_1$ is **bo**"),
        ("A ~~gone", "A ~~gone~~"),
        ("A ||hid", "A ||hid||"),
    ]:
        assert fed([text]).live() == seen, text


def test_what_is_healed_is_never_what_is_stored():
    pager = fed(["A **bold"])
    assert pager.live() == "A **bold**"
    assert pager.last() == "A **bold"


def test_a_cut_seals_what_is_certain():
    pager = fed(["Some words, **and bold wo"])
    pager.cut()
    assert pager.sealed == ["Some words,"]
    pager.feed("rds** and more")
    assert pager.last() == "**and bold words** and more"


def test_a_budget_that_cannot_hold_a_line_is_refused():
    with pytest.raises(ValueError, match="a page of 20"):
        Pager(20, Characters())


def test_what_was_broken_off_is_closed_where_nothing_of_it_is_hidden_by_that():
    assert fed(["The water **runs out"]).last(broken_off=True) == "The water **runs out**"
    assert fed(["See [the link](https://exam"]).last(broken_off=True) == "See [the link](https://exam"


def test_no_code_ends_with_an_empty_line_at_a_seam():
    block = "def f():\n    return 1\n\n"
    for page in pages("```python\n" + block * 60 + "```")[:-1]:
        assert page.endswith("1\n```")


@pytest.mark.parametrize("before", range(75, 95))
def test_a_line_of_code_without_end_that_begins_with_a_tab_is_cut(before: int):
    """Also where it is the first of its page, on which what is repeated leaves little room."""
    source = f"```{'i' * 11}\n{'y' * before}\n\t{'z' * 500}\n```"
    assert "".join(pages(source, budget=200)).count("z") == 500


def test_a_line_of_code_that_ends_with_spaces_is_no_empty_one():
    """A page ends where it would end behind any other line of that length."""
    spaces, letters = ("".join(f"\tline {number}{end}\n" for number in range(60)) for end in ("   ", "abc"))
    ends = [[page.count("line") for page in pages(f"```\n{lines}```")] for lines in (spaces, letters)]
    assert ends[0] == ends[1]
