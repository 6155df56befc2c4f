"""What the messages of an answer should show: its pages, and under the last one a cursor or the bot's own sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.core.attaching import COMING
from bot.core.dialects import Dialect
from bot.core.paging import Pager

# Lines that mean something else when anything follows on them: the end of a fence; a table's row; a rule.
_FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[ \t]*$")
_BARE = re.compile(r".*\||[ \t>]*(?:[-*_=][ \t]*){3,}$")


def with_note(dialect: Dialect, page: str, sentence: str) -> list[str]:
    """A page and under it the bot's own sentence, which gets a message of its own where there is no room for it."""
    if not sentence:
        return [page] if page else []
    note = dialect.note(dialect.render(sentence))  # a server's own words may be in it
    together = f"{page}\n\n{note}"
    if page and dialect.length(together) <= dialect.budget:
        return [together]
    return [page, note] if page else [note]


def broken_off(dialect: Dialect, shown: str | None, sentence: str) -> str:
    """What a message shows that takes no more of the answer: the sentence, under what it shows if there is room."""
    kept = (shown or "").removesuffix(dialect.cursor).rstrip()
    *_, last = with_note(dialect, kept, sentence)
    return last


class Layout:
    """The text side of a reply: feed it the model's Markdown.

    The first `settled` pages show what they will always show; the rest, one or two messages, depends on how things
    are. Never more than `max_pages` pages (0: no limit).
    """

    def __init__(self, dialect: Dialect, max_pages: int = 0) -> None:
        self._dialect = dialect
        self._pager = Pager(dialect.budget, dialect.measure)
        self._max_pages = max_pages
        self._pages: list[str] = []  # as they are shown; rendered once
        self._text: list[str] = []

    @property
    def text(self) -> str:
        """What the model has written, as it wrote it."""
        return "".join(self._text)

    @property
    def settled(self) -> int:
        sealed = len(self._pager.sealed)
        return min(sealed, self._max_pages - 1) if self._max_pages else sealed  # the last page may get a sentence

    @property
    def overflows(self) -> bool:
        """Whether there is text that the pages do not show. Once there is, there will always be."""
        return self._is_full and (len(self._pager.sealed) > self._max_pages or bool(self._pager.last()))

    @property
    def rest(self) -> str:
        """What the pages do not show, as the model wrote it."""
        return self._pager.rest(self._max_pages) if self.overflows else ""

    def feed(self, text: str) -> None:
        self._text.append(text)
        self._pager.feed(text)

    def lift(self) -> None:
        """From now on there are as many pages as the text needs."""
        self._max_pages = 0

    def page(self, number: int) -> str:
        """A sealed page."""
        while len(self._pages) <= number:
            self._pages.append(self._dialect.render(self._pager.sealed[len(self._pages)]))
        return self._pages[number]

    def live(self, doing: str = "") -> list[str]:
        """What stands from page `settled` on while the model writes, or does something else."""
        if self.overflows:
            return self.coming()
        page = self._last_page(self._pager.live)
        if doing:
            return with_note(self._dialect, page, f"{doing}…")
        return [page if self._is_full else self._with_cursor(page)] if page else []

    def coming(self) -> list[str]:
        """What stands there while the model writes what the pages do not show."""
        return with_note(self._dialect, self.page(self._max_pages - 1), COMING)

    def last(self, sentence: str) -> list[str]:
        """What stands there when the answer has ended."""
        page = self._last_page(lambda: self._pager.last(broken_off=bool(sentence)))
        return with_note(self._dialect, page, sentence)

    @property
    def _is_full(self) -> bool:
        return 0 < self._max_pages <= len(self._pager.sealed)

    def _last_page(self, unsealed: Callable[[], str]) -> str:
        if self._is_full:
            return self.page(self._max_pages - 1)
        if self._dialect.append_only:
            text = self.text
            return self._dialect.render(text if text.strip() else "")
        return self._dialect.render(unsealed())

    def _with_cursor(self, page: str) -> str:
        """Left out where there is no room for it: a sealed page may use all of it."""
        cursor = self._dialect.cursor
        last_line = page[page.rfind("\n") + 1 :]
        if not cursor:
            return page
        if _FENCE.match(last_line):
            together = f"{page}\n{cursor.strip()}"
        elif _BARE.match(last_line):
            together = f"{page}\n\n{cursor.strip()}"
        else:
            together = page + cursor
        return together if self._dialect.length(together) <= self._dialect.budget else page
