"""Columns line up, whatever is in them, and stay within their width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tables import WIDTH, Alignment, aligned, width

_CELL = st.lists(st.sampled_from([*"ab 1é日本語한|`\n\t", "👩‍👩‍👧", "🇩🇪", "e\u0301"]), max_size=40).map("".join)
_LEFT: list[Alignment] = ["left"]
_ALIGNMENT: st.SearchStrategy[Alignment] = st.sampled_from([*_LEFT, "center", "right"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], list[Alignment]]:
    alignments = draw(st.lists(_ALIGNMENT, min_size=1, max_size=8))
    row = st.lists(_CELL, min_size=len(alignments), max_size=len(alignments))
    return draw(st.lists(row, min_size=1, max_size=5)), alignments


def test_columns_line_up_with_east_asian_characters_and_emoji():
    lines = aligned([["Name", "Größe"], ["日本", "1"], ["👩‍👩‍👧 x", "22"], ["e\u0301e", "333"]], ["left", "right"])
    assert lines == [
        "Name  Größe",
        "\uff0d\uff0d  ─────",
        "日本      1",
        "👩‍👩‍👧 x     22",
        "e\u0301e\u3000    333",
    ]


def test_east_asian_columns_have_as_many_wide_characters_in_every_line():
    """In most fonts such a character is less than two letters wide, so letters' spaces cannot stand for it."""
    lines = aligned([["町", "気分"], ["京都", "よい"], ["那覇 x", "?"]], ["left", "left"])
    assert lines == [
        "町\u3000    気分",
        "\uff0d\uff0d──  \uff0d\uff0d",
        "京都    よい",
        "那覇 x  ?",
    ]


@pytest.mark.parametrize(("alignment", "line"), [("left", "x"), ("center", " x"), ("right", "   x")])
def test_the_alignment_row_is_respected(alignment: Alignment, line: str):
    assert aligned([["head"], ["x"]], [alignment]) == ["head", "────", line]


def test_a_long_cell_is_wrapped_in_its_column_and_rows_stay_apart():
    lines = aligned([["k", "words"], ["a", "some words " * 8], ["b", "few"]], ["left", "left"])
    assert lines is not None
    assert lines[2].startswith("a  some words")
    assert lines[3].startswith("   some words")
    assert lines[-2:] == ["", "b  few"]


def test_a_word_longer_than_its_column_is_broken_between_graphemes():
    family = "👩‍👩‍👧"
    lines = aligned([["k", "v"], [family * 40, "x" * 70]], ["left", "left"])
    assert lines is not None
    assert all(not line.startswith("\u200d") for line in lines)
    assert sum(line.count(family) for line in lines) == 40


def test_too_many_columns_are_no_table():
    assert aligned([["a long name"] * 9], _LEFT * 9) is None


@given(tables())
def test_lines_are_within_the_width_and_lose_no_character(table: tuple[list[list[str]], list[Alignment]]):
    rows, alignments = table
    lines = aligned(rows, alignments)
    if lines is None:
        return
    assert max(map(width, lines)) <= WIDTH
    seen = "".join(lines).replace("─", "").replace("－", "")
    assert sorted("".join(seen.split())) == sorted("".join("".join(cell for row in rows for cell in row).split()))
    assert not any("\t" in line or "\n" in line for line in lines)


@given(tables())
def test_every_column_begins_where_its_rule_begins(table: tuple[list[list[str]], list[Alignment]]):
    """Left-aligned, so that each cell's first character stands below the rule's."""
    rows, alignments = table
    lines = aligned(rows, _LEFT * len(alignments))
    if lines is None:
        return
    rule = next(line for line in lines if line and not line.strip("─－ "))
    starts = [width(rule[:at]) for at, char in enumerate(rule) if char != " " and rule[:at][-1:] in {"", " "}]
    for line in lines:
        before = {width(line[:at]) for at in range(len(line) + 1)}
        assert all(start in before or start > width(line) for start in starts)
