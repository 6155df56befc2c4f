"""A table as lines of text in columns, for a font in which every character is as wide as any other.

Widths are those of a terminal: East Asian characters and emoji take two columns, combining marks none. In other fonts
an East Asian character is a little less than two columns wide, so such a column is padded with a space of that kind:
its lines hold as many wide characters and as many narrow ones, and line up in any font.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import regex
from wcwidth import wcswidth, wcwidth

# A code block shows about 60 to 90 columns on a desktop, on a phone 40 to 50, where a longer line is broken and columns
# are torn apart. Within 60, tables of few short words stay as narrow as they are, and sentences still have room.
WIDTH = 60
_GAP = "  "
_NARROWEST = 8  # a wrapped column of less is a column of broken words

Alignment = Literal["left", "center", "right"]
_GRAPHEME = regex.compile(r"\X")
_EAST_ASIAN = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\u3000-\u303f\u30a0\u30fb\u30fc\uff01-\uff60]"
)
_WIDE_SPACE, _WIDE_RULE = "\u3000", "\uff0d"
_CONTROL = regex.compile(r"[\p{Cc}--\n]", regex.V1)


def width(text: str) -> int:
    """In columns."""
    return len(text) if text.isascii() else max(wcswidth(text), 0)


def aligned(rows: Sequence[Sequence[str]], alignments: Sequence[Alignment]) -> list[str] | None:
    """The lines of a table; the first row is its header. Cells may have line breaks and are wrapped in their column.

    None if so many columns do not fit side by side. Each row has as many cells as there are alignments.
    """
    table = [[_CONTROL.sub(" ", cell) for cell in row] for row in rows]
    columns = range(len(alignments))
    natural = [max(1, *(width(line) for row in table for line in row[column].split("\n"))) for column in columns]
    widths = _fitted(natural)
    if widths is None:
        return None
    wrapped = [[list(_wrapped(row[column], widths[column])) for column in columns] for row in table]
    wide = [max(_wide(line) for row in wrapped for line in row[column]) for column in columns]
    apart = any(len(cell) > 1 for row in wrapped[1:] for cell in row)  # or one could not tell where a row ends
    lines: list[str] = []
    for number, row in enumerate(wrapped):
        if number > 1 and apart:
            lines.append("")
        for at in range(max(map(len, row))):
            cells = (
                _padded(cell[at] if at < len(cell) else "", widths[column], alignments[column], wide[column])
                for column, cell in enumerate(row)
            )
            lines.append(_GAP.join(cells).rstrip())
        if number == 0:
            rules = (_WIDE_RULE * many + "─" * (size - 2 * many) for size, many in zip(widths, wide, strict=True))
            lines.append(_GAP.join(rules))
    return lines


def _fitted(natural: list[int]) -> list[int] | None:
    """How wide each column may be: narrow ones as wide as they are, the wide ones share what is left."""
    room = WIDTH - len(_GAP) * (len(natural) - 1)
    if sum(natural) <= room:
        return natural
    wide = sorted(natural)
    narrow = 0
    while narrow < len(wide) and wide[narrow] <= room // (len(wide) - narrow):
        room -= wide[narrow]
        narrow += 1
    share = room // (len(wide) - narrow)
    return [min(size, share) for size in natural] if share >= _NARROWEST else None


def _wrapped(cell: str, size: int) -> Iterator[str]:
    for line in cell.split("\n"):
        if width(line) <= size:
            yield line
            continue
        current = ""
        for word in line.split():
            for piece in _pieces(word, size):
                longer = f"{current} {piece}" if current else piece
                if width(longer) <= size:
                    current = longer
                else:
                    yield current
                    current = piece
        yield current


def _pieces(word: str, size: int) -> Iterator[str]:
    """The word, or as much of it as fits a line at a time."""
    if width(word) <= size:
        yield word
        return
    piece = ""
    for grapheme in _GRAPHEME.findall(word):
        if piece and width(piece + grapheme) > size:
            yield piece
            piece = ""
        piece += grapheme
    yield piece


def _wide(text: str) -> int:
    """How many characters as wide as an ideograph."""
    return 0 if text.isascii() else sum(wcwidth(char) == 2 for char in _EAST_ASIAN.findall(text))


def _padded(text: str, size: int, alignment: Alignment, wide: int) -> str:
    """With as many spaces of either width as bring it to `size`, and to `wide` wide characters where there is room."""
    space = max(size - width(text), 0)
    before = {"left": 0, "center": space // 2, "right": space}[alignment]
    missing = max(wide - _wide(text), 0)
    return _space(before, missing) + text + _space(space - before, missing - min(missing, before // 2))


def _space(columns: int, wide: int) -> str:
    wide = min(wide, columns // 2)
    return _WIDE_SPACE * wide + " " * (columns - 2 * wide)
