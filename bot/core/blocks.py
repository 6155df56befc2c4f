"""Markdown's blocks, line by line: what a line is, and what is open after it.

A pager has to know this while the text is still coming, before a parser could be asked. It reads CommonMark and GFM's
tables as far as seams need it: containers (quotes and list items), fences, tables, headings and paragraphs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

_LEAD = re.compile(r"[\s>*+\-\d.)]*")  # where a tab may count as indentation
_ITEM = re.compile(r"(?P<marker>[-*+]|(?P<number>\d{1,9})[.)])(?P<space>[ ]+|$)")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_FENCE = re.compile(r"(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
LONGEST_MARK = 30  # a longer row of backticks is no fence: reopening it would eat the page
_LONGEST_INFO = 40  # what is kept of an info string when a fence is reopened
_MOST_CONTAINERS = 6  # deeper ones are text


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""


@dataclass(frozen=True, slots=True)
class Item:
    """A list item."""

    before: int  # columns before its marker
    marker: str  # as written: "-", "2."
    number: int | None  # which it is, however the marker is written
    indent: int  # columns of its content, from where it may begin itself

    @property
    def kind(self) -> str:
        """What the items of one list share."""
        return self.marker[-1]

    @property
    def opening(self) -> str:
        """The marker with the spaces around it, with the number that the item has."""
        marker = self.marker if self.number is None else f"{self.number}{self.kind}"
        return " " * self.before + marker + " " * max(1, self.indent - self.before - len(marker))


Container = Quote | Item


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text that the next line may go on with."""

    last: str  # its last line, without what its containers put before it


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence that is open."""

    mark: str
    info: str

    @property
    def opening(self) -> str:
        return self.mark + self.info[:_LONGEST_INFO]

    def closed_by(self, text: str) -> bool:
        bare = text.strip(" \t")
        indent = len(text) - len(text.lstrip(" "))
        return indent <= 3 and len(self.mark) <= len(bare) <= LONGEST_MARK and not bare.strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are being written."""

    header: str  # the names
    delimiter: str
    rows: int = 0


Leaf = Paragraph | Fence | Table | None


@dataclass(frozen=True, slots=True)
class Context:
    """What is open between two lines."""

    containers: tuple[Container, ...] = ()
    leaf: Leaf = None

    @property
    def lead(self) -> str:
        """What stands before a line inside all containers."""
        return lead(self.containers)


class Kind(Enum):
    """What a line is."""

    BLANK = auto()
    TEXT = auto()  # a paragraph's first line, or the names of what may become a table
    MORE = auto()  # a further line of a paragraph
    HEADING = auto()
    UNDERLINE = auto()  # makes the paragraph before it a heading
    RULE = auto()
    FENCE = auto()  # opens one
    CODE = auto()
    FENCE_END = auto()
    INDENTED = auto()  # a line of code without a fence
    DELIMITER = auto()  # makes the line before it a table's header
    ROW = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was read."""

    kind: Kind
    after: Context
    kept: int  # so many of the containers were open before it
    start: int  # where its own text begins, behind the marks of its containers

    @property
    def begins_item(self) -> bool:
        """Whether it begins a list item."""
        return any(isinstance(container, Item) for container in self.after.containers[self.kept :])


def lead(containers: tuple[Container, ...]) -> str:
    return "".join("> " if isinstance(each, Quote) else " " * each.indent for each in containers)


def read(before: Context, line: str) -> Line:
    """Reads the line that follows; it has no newline."""
    first = _LEAD.match(line)
    assert first is not None
    text = line if "\t" not in first[0] else first[0].expandtabs(4) + line[first.end() :]
    matched, text = _inside(before.containers, text)
    everything = matched == len(before.containers)
    if everything and isinstance(before.leaf, Fence):
        kind = Kind.FENCE_END if before.leaf.closed_by(text) else Kind.CODE
        leaf = None if kind is Kind.FENCE_END else before.leaf
        start = max(0, len(line) - len(text))  # a tab may have become several spaces
        return Line(kind, Context(before.containers, leaf), matched, start)
    paragraph = before.leaf if isinstance(before.leaf, Paragraph) else None
    opened, text = _opened(before.containers, matched, text, paragraph)
    start = max(0, len(line) - len(text.lstrip()))
    containers = before.containers[:matched] + opened
    if opened:
        kind, leaf = _leaf(text, None, None)
    else:
        kind, leaf = _leaf(text, paragraph, before.leaf if everything and isinstance(before.leaf, Table) else None)
        if not everything and paragraph is not None:
            if kind is Kind.MORE:  # the paragraph goes on, though its containers are not marked
                return Line(kind, Context(before.containers, leaf), len(before.containers), start)
            if kind in {Kind.UNDERLINE, Kind.DELIMITER}:
                kind, leaf = _leaf(text, None, None)
    return Line(kind, Context(containers, leaf), matched, start)


def _inside(containers: tuple[Container, ...], text: str) -> tuple[int, str]:
    """How many of the containers the line is in, and what is left of it."""
    for number, container in enumerate(containers):
        bare = text.lstrip(" ")
        indent = len(text) - len(bare)
        if isinstance(container, Quote):
            if indent > 3 or not bare.startswith(">"):
                return number, text
            text = bare[1:].removeprefix(" ")
        elif not bare.strip():
            text = ""
        elif indent >= container.indent:
            text = text[container.indent :]
        else:
            return number, text
    return len(containers), text


def _opened(
    known: tuple[Container, ...], matched: int, text: str, paragraph: Paragraph | None
) -> tuple[tuple[Container, ...], str]:
    """The containers that begin on this line, and what is left of it."""
    opened: list[Container] = []
    while matched + len(opened) < _MOST_CONTAINERS:
        bare = text.lstrip(" ")
        before = len(text) - len(bare)
        if before > 3:
            break
        if bare.startswith(">"):
            opened.append(Quote())
            text = bare[1:].removeprefix(" ")
            continue
        item = None if _RULE.match(bare) else _ITEM.match(bare)
        if item is None:
            break
        earlier = known[matched] if matched < len(known) and not opened else None
        sibling = earlier if isinstance(earlier, Item) and earlier.kind == item["marker"][-1] else None
        rest = bare[item.end() :]
        interrupts = paragraph is not None and not opened and earlier is None
        if interrupts and (not rest.strip() or int(item["number"] or 1) != 1):
            break
        space = len(item["space"])
        if not rest.strip() or space > 4:
            rest, space = " " * (space - 1) + rest, 1
        number = int(item["number"]) if item["number"] else None
        if number is not None and sibling is not None and sibling.number is not None:
            number = sibling.number + 1
        opened.append(Item(before, item["marker"], number, before + len(item["marker"]) + space))
        text = rest
    return tuple(opened), text


def _leaf(text: str, paragraph: Paragraph | None, table: Table | None) -> tuple[Kind, Leaf]:
    bare = text.strip(" \t")
    indented = len(text) - len(text.lstrip(" \t")) >= 4 or text.startswith("\t")
    if not bare.strip():  # also of spaces that CommonMark would take for text: nobody sees them
        return Kind.BLANK, None
    if indented:
        return (Kind.MORE, Paragraph(bare)) if paragraph else (Kind.INDENTED, None)
    if (fence := _FENCE.match(bare)) and len(fence["mark"]) <= LONGEST_MARK:
        return Kind.FENCE, Fence(fence["mark"], fence["info"].strip())
    if _HEADING.match(bare):
        return Kind.HEADING, None
    if paragraph is not None and _is_delimiter(bare, of=paragraph.last):
        return Kind.DELIMITER, Table(paragraph.last, bare)
    if paragraph is not None and _UNDERLINE.match(bare):
        return Kind.UNDERLINE, None
    if _RULE.match(bare):
        return Kind.RULE, None
    if table is not None and "|" in bare:
        return Kind.ROW, Table(table.header, table.delimiter, table.rows + 1)
    return (Kind.MORE if paragraph else Kind.TEXT), Paragraph(bare)


def _is_delimiter(bare: str, *, of: str) -> bool:
    return "|" in of + bare and _DELIMITER.match(bare) is not None and _columns(of) == _columns(bare)


def _columns(row: str) -> int:
    cells = _CELL_END.split(row.strip())
    return len(cells) - (not cells[0].strip()) - (len(cells) > 1 and not cells[-1].strip())
