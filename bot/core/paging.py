"""Stable pages under a budget.

    source   ... text | more text ...            what the model writes
                      ^ seam
    pages    [opening] text [closing]    [opening] more text [closing]

Pages are cut while the text comes, and forwards: from three quarters of the budget on, the first seam that is good
enough is taken, and what is good enough becomes less as the page fills: a block's end, an item's end, a line's, a
sentence's. So the text that a reader sees stays where it is. Only where a line runs over the limit without any of these
is the seam looked for backwards, at a word that tears no span, then at any word, then between two graphemes.

A seam depends on the text up to there alone, so a sealed page never changes, and it makes no difference in what pieces
the text came. What is open at a seam is closed there and opened again: a fence with its info string, a table with its
names, a list item with its number ("3. …"), a quote. The bodies of all pages together are the source.

Each character is looked at a fixed number of times, so the cost of showing an answer is linear in its length.
"""

from __future__ import annotations

from bot.core.blocks import Context
from bot.core.measures import Measure
from bot.core.page import Page
from bot.core.seams import Opening, Seam, opening_behind


class Pager:
    """Feed it the model's Markdown; `sealed` are the finished pages, `live()` is the one still being written."""

    def __init__(self, budget: float, measure: Measure) -> None:
        if budget < 200:
            raise ValueError(f"a page of {budget} cannot hold a line and an open fence")
        self.sealed: list[str] = []
        self._budget = budget
        self._measure = measure
        self._bodies: list[tuple[Opening, str]] = []  # of the sealed pages
        self._page = Page(budget, measure, Opening(), Context())
        self._return = False  # the text so far ends with a carriage return, whose newline has not come yet

    def feed(self, text: str) -> None:
        """Takes the next piece of the source."""
        if self._return:
            text = "\r" + text
        self._return = text.endswith("\r")
        self._add(text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n"))

    def live(self) -> str:
        """The page being written as it should be seen now: what is open is closed, what is half written left out."""
        return self._page.live()

    def last(self, *, broken_off: bool = False) -> str:
        """The page being written, when nothing more will come; empty if there is nothing on it.

        `broken_off`: the text was to go on, so emphasis that is open was meant, and is closed.
        """
        return self._page.last(broken_off=broken_off)

    def certain(self) -> str:
        """What the page being written will begin with, whatever comes. It only grows, until the page is sealed; the
        sealed page begins with it, but for white space at its end. What comes next begins with none. No span is cut,
        and nothing is closed for show."""
        return self._page.begun()

    def cut(self) -> None:
        """Seals what is certain as a page, if that is anything."""
        if self._page.until(self._page.certain):
            self._add(self._seal(self._page.certain))

    def rest(self, pages: int) -> str:
        """The source that the first `pages` sealed pages do not hold, with what is open there opened again."""
        (opening, first), *later = [*self._bodies, (self._page.opening, self._page.body)][pages:]
        return opening.begin(first[opening.skipped :] + "".join(body for _, body in later))

    def _add(self, text: str) -> None:
        while (seam := self._page.add(text)) is not None:
            text = self._seal(seam)

    def _seal(self, seam: Seam) -> str:
        """Ends the page there and begins the next; the source that goes onto it."""
        page = self._page
        marks, left = page.marks_at(seam), page.body[seam.position :]
        if shown := page.until(seam):
            self.sealed.append(shown + "".join(reversed(marks)))
            self._bodies.append((page.opening, page.body[: seam.position]))
        opening, context = opening_behind(seam, tuple(marks), left, self._measure, self._budget)
        self._page = Page(self._budget, self._measure, opening, context)
        return left
