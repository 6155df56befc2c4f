"""Pages for tests: a measure that counts characters, generated Markdown, and pages read by a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.paging import Pager

BUDGET = 400


class _Table:
    def __init__(self) -> None:
        self._cost = 0

    def with_row(self, row: str) -> float:
        return self._cost + len(row) + 1

    def add(self, row: str) -> None:
        self._cost += len(row) + 1


class Characters:
    """Each character costs one."""

    def text(self, text: str) -> float:
        return len(text)

    def code(self, text: str) -> float:
        return len(text)

    def table(self) -> _Table:
        return _Table()


def fed(pieces: Iterable[str], budget: float = BUDGET) -> Pager:
    pager = Pager(budget, Characters())
    for piece in pieces:
        pager.feed(piece)
    return pager


def pages(source: str, cuts: Iterable[int] = (), budget: float = BUDGET) -> list[str]:
    """All pages of a source that came in these pieces."""
    ends = [*sorted(cut for cut in cuts if cut <= len(source)), len(source)]
    starts = [0, *ends[:-1]]
    pager = fed((source[start:end] for start, end in zip(starts, ends, strict=True)), budget)
    return [*pager.sealed, *filter(None, [pager.last()])]
