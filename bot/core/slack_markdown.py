"""A page of the model's Markdown as Slack takes it, and as a notification.

Slack's `markdown_text` knows Markdown, with tables and highlighted code, so a page goes as it is, except for what would
act there: <!channel>, <@U1>, <#C1> and <https://elsewhere|a label>, which Slack reads in Markdown too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.core.markdown import one_newline, read_blocks
from bot.core.plain_text import plain as words_of

LIMIT = 12_000  # characters: Slack's limit for markdown_text in chat.postMessage and chat.update
TABLE_ROWS = 100  # with the names: Slack's limit for a table block, which Markdown's tables become
NOTIFICATION = 150  # characters; phones show less, a desktop's notification about this much

ZERO_WIDTH = "\u200b"

# "a < b", "<div>", "List<String>" and <https://an.address> are none of these. A label may hide where a link leads.
_LABELLED = r"[a-zA-Z][a-zA-Z0-9+.-]*:[^<>\n]*\|"
_IN_TEXT = re.compile(rf"<(?=[!@#]|{_LABELLED})")
_IN_CODE = re.compile(rf"<(?=!(?:channel|here|everyone|group)\b|!(?:subteam|date)\^|[@#][A-Z0-9]+[>|]|{_LABELLED})")
_UNDECIDED = re.compile(r"<(?:[!@#]?[A-Za-z0-9]*|[a-zA-Z][a-zA-Z0-9+.-]*(?::[^<>\n|]*)?)\Z")
_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(?:(?!\n[ \t]*\n)[\s\S])+?(?<!`)\1(?!`)")


def render(page: str) -> str:
    """What to send for a page. Never longer than the measure of its lines.

    In text the bracket is escaped as Slack documents it, and does not act there. In code an entity may be shown as
    it is written, and whether Slack acts there is not documented, so a character of no width keeps the sequence apart.
    """
    if not _IN_TEXT.search(page):
        return page
    page = one_newline(page)
    text = "".join(
        _IN_CODE.sub(f"<{ZERO_WIDTH}", part) if code else _IN_TEXT.sub("&lt;", part) for part, code in _parts(page)
    )
    return text if units(text) <= LIMIT else _IN_TEXT.sub(f"<{ZERO_WIDTH}", page)


def streamed(page: str) -> str:
    """What a stream shows of a page. Never longer than `bytes_of` says.

    The bracket is kept apart everywhere, since what follows may tell that it stands in code.
    """
    page = one_newline(page)
    if not _IN_TEXT.search(page):
        return page
    return "".join((_IN_CODE if code else _IN_TEXT).sub(f"<{ZERO_WIDTH}", part) for part, code in _fenced(page))


def settled(page: str) -> str:
    """What a stream may show of a page that goes on: up to where a sequence that acts may have begun."""
    page = one_newline(page)
    undecided = _UNDECIDED.search(page)
    return streamed(page[: undecided.start()] if undecided else page)


def bytes_of(text: str) -> int:
    """What a text costs on a stream. Additive."""
    return len(text.encode("utf-8", "surrogatepass")) + len(ZERO_WIDTH.encode()) * text.count("<")


def plain(page: str) -> str:
    """The first words of a page as Slack's `text`, which notifications show: no markers, nothing that acts."""
    words: list[str] = []
    for token in read_blocks(page[: 8 * NOTIFICATION]):
        if token.type == "inline":
            words += words_of(token.content)[0].split()
        elif token.type in {"fence", "code_block", "formula_block"}:
            words += token.content.split()
    text = " ".join(words)
    if len(text) > NOTIFICATION:
        start = text[:NOTIFICATION]
        text = (start.rpartition(" ")[0] or start[:-1]) + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Measure:
    """What a page will cost at most. In UTF-16 units, since Slack does not say how it counts and they are the most."""

    def text(self, text: str) -> int:
        """A part of a line outside code and tables. Additive. A bracket may become "&lt;"."""
        return units(text) + 3 * text.count("<")

    def code(self, text: str) -> int:
        """A part of a line of code. Additive."""
        return units(text) + text.count("<")

    def table(self) -> TableMeasure:
        """A table that begins."""
        return TableMeasure(self.text)


class StreamMeasure:
    """What a page of a stream will cost at most, in bytes of UTF-8."""

    def text(self, text: str) -> int:
        """Any part of a line. Additive."""
        return bytes_of(text)

    code = text

    def table(self) -> TableMeasure:
        """A table that begins."""
        return TableMeasure(self.text)


class TableMeasure:
    """What one table costs, with a newline after each line: Slack draws it itself."""

    def __init__(self, text: Callable[[str], int]) -> None:
        self._text = text
        self._cost = 0
        self._lines = 0

    def with_row(self, row: str) -> float:
        """The cost of the table so far and this row; infinite where the table has all the rows that Slack takes."""
        return self._cost + self._text(row) + 1 if self._lines <= TABLE_ROWS else float("inf")

    def add(self, row: str) -> None:
        """The row is on the page."""
        self._cost += self._text(row) + 1
        self._lines += 1


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _parts(page: str) -> Iterator[tuple[str, bool]]:
    """The page in parts, and whether each is code."""
    lines = re.split(r"(?<=\n)", page)
    at = 0
    for token in read_blocks(page):
        if token.type in {"fence", "code_block"} and token.map and token.map[0] >= at:
            yield from _spans("".join(lines[at : token.map[0]]))
            yield "".join(lines[token.map[0] : token.map[1]]), True
            at = token.map[1]
    yield from _spans("".join(lines[at:]))


def _fenced(page: str) -> Iterator[tuple[str, bool]]:
    """The page in parts, and whether each is inside a fence. What follows a part changes nothing about it."""
    lines = re.split(r"(?<=\n)", page)
    at = 0
    for token in read_blocks(page):
        if token.type == "fence" and token.map and token.map[0] >= at:
            yield "".join(lines[at : token.map[0] + 1]), False
            yield "".join(lines[token.map[0] + 1 : token.map[1]]), True
            at = token.map[1]
    yield "".join(lines[at:]), False


def _spans(text: str) -> Iterator[tuple[str, bool]]:
    at = 0
    for span in _CODE_SPAN.finditer(text):
        yield text[at : span.start()], False
        yield span[0], True
        at = span.end()
    yield text[at:], False
