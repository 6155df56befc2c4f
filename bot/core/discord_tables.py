"""A table as Discord shows it: in columns in a code block, or, where columns do not fit, a list of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bot.core.discord_inline import code_line, escaped, inline, link
from bot.core.plain_text import plain
from bot.core.tables import Alignment, aligned

_MARKER = r"(?:[-*+]|\d{1,9}[.)])[ \t]+(?=.*\|)"
_ROW_PREFIX = re.compile(rf"[ \t]*(?:(?:>|{_MARKER})[ \t]*)*")
_DELIMITER = re.compile(r":?-+:?\Z")

# A character that may be escaped, or whose construct may grow by one, costs two; a tab may become four spaces.
_MAY_GROW = "\\*_~`|[<>#+@"


def text_cost(text: str) -> int:
    """What a part of a line outside code and tables costs at most."""
    return len(text) + sum(map(text.count, _MAY_GROW)) + 3 * text.count("\t")


class TableMeasure:
    """What one table on one page costs, with the newline after it. Fed with its lines: names, delimiter row, rows."""

    def __init__(self) -> None:
        self._rows: list[str] = []

    def with_row(self, row: str) -> float:
        """The cost of the table so far and this row."""
        return table_cost([*self._rows, row])

    def add(self, row: str) -> None:
        """The row is on the page."""
        self._rows.append(row)


def table_cost(lines: Sequence[str]) -> int:
    prefixes = [prefix[0] if (prefix := _ROW_PREFIX.match(line)) else "" for line in lines]
    rows = [_cells(line[len(prefix) :]) for line, prefix in zip(lines, prefixes, strict=True)]
    alignments = _alignments(rows[1]) if len(rows) > 1 else []
    if not alignments or len(rows[0]) != len(alignments):
        return sum(text_cost(line) + 1 for line in lines)
    quote = 2 if ">" in prefixes[0] else 0
    markers = len(prefixes[0]) + 1 if prefixes[0].strip(" \t>") else 0  # those of a list keep a line of their own
    return markers + sum(len(line) + 1 + quote for line in table_lines([rows[0], *rows[2:]], alignments))


def _cells(row: str) -> list[str]:
    """The sources of a row's cells, as GFM splits them: an escaped pipe is part of a cell, also in code."""
    cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", row.strip())]
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


def _alignments(cells: Iterable[str]) -> list[Alignment]:
    found: list[Alignment] = []
    for cell in cells:
        if not _DELIMITER.match(cell):
            return []
        left, right = cell.startswith(":"), cell.endswith(":")
        found.append("center" if left and right else "right" if right else "left")
    return found


def table_lines(rows: Sequence[Sequence[str]], alignments: Sequence[Alignment]) -> list[str]:
    """A table's lines: in columns, with its links below; or a list, where that is shorter or columns do not fit."""
    columns = len(alignments)
    full = tuple(tuple([*row, *[""] * columns][:columns]) for row in rows)
    return list(_rendered_table(full, tuple(alignments)))


@lru_cache(maxsize=512)
def _rendered_table(rows: tuple[tuple[str, ...], ...], alignments: tuple[Alignment, ...]) -> tuple[str, ...]:
    cells = [[plain(cell) for cell in row] for row in rows]
    lines = aligned([[text for text, _ in row] for row in cells], alignments)
    as_list = [line for row in rows[1:] for line in _row_as_list(rows[0], row)]
    if lines is None or sum(map(len, lines)) > 2 * sum(map(len, as_list)) + 200:
        return tuple(as_list or [" · ".join(inline(name, bold=True) for name in rows[0] if name)])
    links = dict.fromkeys(link(escaped(label), url) for row in cells for _, found in row for label, url in found)
    below = [" · ".join(links)] if links else []
    return ("```", *(code_line(line) for line in lines), "```", *below)


def _row_as_list(names: Sequence[str], row: Sequence[str]) -> list[str]:
    pairs = [(inline(name, bold=True), inline(cell).replace("\n", " ")) for name, cell in zip(names, row, strict=True)]
    shown = [f"{name}: {cell}" if name else cell for name, cell in pairs if cell]
    return [("- " if number == 0 else "  ") + line for number, line in enumerate(shown)]
