"""Stable pages under a budget.

    source   ... text | more text ...            what the model writes
                      ^ seam
    pages    [prefix] text [closing]    [prefix] more text [closing]

A page is cut the moment its cost would exceed the budget, looking only at the text up to there; so a sealed page never
changes when more arrives, and it makes no difference in what pieces the text came. The seam falls on a block boundary
in the second half of the page if there is one, else on a line, else on a word, else between two graphemes. What is open
at a seam (a code fence, a table) is closed there and reopened on the next page. The bodies of all pages together are
the source, character by character.

Each character is looked at once when it arrives and at most once more when a page is cut, so the cost of showing an
answer is linear in its length.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

import regex

# CommonMark's fence, also in a list item or a quote: the container's marks, three or more marks, the info string.
_FENCE = re.compile(r"(?P<container>[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?[ \t]*)(?P<mark>`{3,}|~{3,})")
_DELIMITER_ROW = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_GRAPHEME = regex.compile(r"\X")
_LONGEST_MARK = 30  # a longer row of backticks, or one further inside, is no fence: reopening it would eat the page
_LONGEST_INFO = 40  # what is kept of an info string when a fence is reopened


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence that is open."""

    container: str  # what stands before each of its lines in a list or a quote
    mark: str
    info: str

    @property
    def opening(self) -> str:
        return f"{self.container}{self.mark}{self.info[:_LONGEST_INFO]}\n"

    @property
    def closing(self) -> str:
        return self.container + self.mark

    def closed_by(self, line: str) -> bool:
        return self.may_be_closed_by(line) and len(line.lstrip("> \t").rstrip()) >= len(self.mark)

    def may_be_closed_by(self, line: str) -> bool:
        """Whether an unfinished line can still become the closing one."""
        bare = line.lstrip("> \t" if ">" in self.container else " \t")
        if len(line) - len(bare) >= len(self.container) + 4:
            return False  # CommonMark: a line indented by four more than its container is code, whatever it looks like
        return len(bare) <= _LONGEST_MARK and not bare.rstrip().strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are being written."""

    header: str  # both lines: the names and the delimiter row

    @property
    def opening(self) -> str:
        return self.header

    @property
    def closing(self) -> str:
        return ""


Block = Fence | Table | None


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line start where a page may end."""

    position: int
    spent: float  # the cost of the page up to here
    block: Block
    is_block_boundary: bool


class Pager:
    """Feed it the model's Markdown; `sealed` are the finished pages, `live()` is the one still being written."""

    def __init__(self, budget: float, cost: Callable[[str], int] = len) -> None:
        if budget < 200:
            raise ValueError(f"a page of {budget} cannot hold a line and an open fence")
        self.sealed: list[str] = []
        self._budget = budget
        self._cost = cost
        self._open_page("", None)

    def feed(self, text: str) -> None:
        """Takes the next piece of the source."""
        self._body += text
        while (overflow := self._scan()) is not None:
            self._cut(overflow)

    def live(self) -> str:
        """The page being written, with what is open closed, and without a fence line that is still growing."""
        tail = self._body[self._line :]
        body = self._body[: self._line] if _is_growing_fence(tail, self._block) else self._body
        return _page(self._prefix, body, self._block)

    def last(self) -> str:
        """The page being written, when nothing more will come; empty if there is nothing on it."""
        tail = self._body[self._line :]
        block = _after(self._block, self._previous, tail)
        if isinstance(block, Fence) and block is self._block:
            return self.live()  # the closing mark stands for the half of one that the text ends with
        return _page(self._prefix, self._body, block)

    def certain(self) -> str:
        """What the page being written will begin with, whatever comes: it only grows until the page is sealed."""
        body = self._body[: self._certain_end()]
        if not body.strip():
            return ""
        return (self._prefix + body if self._prefix else body.lstrip("\n")).rstrip()

    def cut(self) -> None:
        """Seals the page being written at the best seam so far. Nothing happens where nothing of it is certain."""
        if not self.certain():
            return
        end = self._certain_end()
        late = [mark for mark in self._marks if mark.position >= end]
        if late:
            best = ([mark for mark in late if mark.is_block_boundary] or late)[-1]
            seam, block = best.position, best.block
        else:
            seam, block = end, self._block
            if not isinstance(block, Fence):
                block = _after(block, self._previous, self._body[self._line : seam])
        self.sealed.append(_page(self._prefix, self._body[:seam], block))
        self._open_page(self._body[seam:], block)
        self.feed("")

    def _certain_end(self) -> int:
        """No seam will fall before it: the last that a cut might choose, else the words before the first of these."""
        half = self._budget / 2
        late = [mark for mark in self._marks if mark.spent >= half]
        if blocks := [mark for mark in late if mark.is_block_boundary]:
            return blocks[-1].position
        if late := [mark for mark in late if mark.position < self._line]:
            return late[-1].position
        if self._marks and self._marks[-1].spent >= half:
            return self._marks[-1].position
        tail = self._body[self._line :]
        if isinstance(self._block, Fence):
            return self._line
        sure = tail[: max(0, int((self._budget - self._spent) / 8))]
        return self._line + max(sure.rfind(" "), sure.rfind("\t")) + 1

    def _open_page(self, body: str, block: Block) -> None:
        prefix = block.opening if block else ""
        if isinstance(block, Table) and self._cost(prefix) > self._budget / 4:
            prefix = ""  # a header of a quarter page is not worth repeating
        self._prefix = prefix
        self._body = body
        self._line = 0  # where the first line begins that is not complete yet
        self._spent: float = self._cost(prefix)  # the cost of prefix and complete lines
        self._block = block  # what is open at the start of that line
        self._previous = ""  # the line before it
        self._under_heading = False  # since a heading there were only blank lines
        self._marks: list[_Mark] = []

    def _scan(self) -> int | None:
        """Goes on through the lines; the end of the shortest text that is over the budget, if there is one."""
        while True:
            end = self._body.find("\n", self._line)
            line = self._body[self._line : end if end >= 0 else None]
            if self._cost_within(line) > self._budget:
                sizes = range(1, len(line) + 1)
                first = bisect_left(sizes, True, key=lambda size: self._cost_within(line[:size]) > self._budget)
                return self._line + sizes[first]
            if end < 0:
                return None
            block, spent = _after(self._block, self._previous, line), self._spent + self._cost(line + "\n")
            if isinstance(block, Fence) and spent + self._cost(block.closing) > self._budget:
                return end + 1  # an empty line of code counts too
            before, self._block = self._block, block
            self._mark(line, before, end + 1, spent)
            self._spent, self._previous, self._line = spent, line, end + 1

    def _cost_within(self, line: str) -> float:
        """The page's cost if it ended with this part of a line and what is open were closed. Grows with the line."""
        own = self._cost(line)
        if isinstance(self._block, Fence):
            closing = self._cost(self._block.closing) + (1 if line else 0)
            return self._spent + (max(own, closing) if self._block.may_be_closed_by(line) else own + closing)
        if not line:
            return 0  # newlines at the end of a page are not shown
        opening = _FENCE.match(line)
        return self._spent + own + (self._cost(opening[0]) + 1 if opening else 0)

    def _mark(self, line: str, before: Block, end: int, spent: float) -> None:
        """Notes whether a page may end where this complete line begins, or after it."""
        opened = self._block is not None and self._block is not before
        if opened and self._marks and self._marks[-1].position == self._line:
            mark = self._marks.pop()
            if isinstance(self._block, Fence):  # a fence is a block of its own, also without a blank line before it
                self._marks.append(replace(mark, is_block_boundary=True))
        if line.strip():
            self._under_heading = before is None and _HEADING.match(line) is not None
        if opened or self._under_heading:
            return  # an opening line stays with what it opens, a heading with what it is the heading of
        boundary = self._block is None and (not line.strip() or isinstance(before, Fence))
        self._marks.append(_Mark(end, spent, self._block, boundary))

    def _cut(self, overflow: int) -> None:
        """Seals the page at the best seam before `overflow`."""
        half = self._budget / 2
        late = [mark for mark in self._marks if mark.spent >= half]
        blocks = [mark for mark in late if mark.is_block_boundary]
        if late:
            best = (blocks or late)[-1]
            seam, block = best.position, best.block
        else:
            seam = self._seam_in_line(overflow)
            block = self._block
            if not isinstance(block, Fence):
                block = _after(block, self._previous, self._body[self._line : seam])
        page = _page(self._prefix, self._body[:seam], block)
        if page:
            self.sealed.append(page)
        self._open_page(self._body[seam:], block)

    def _seam_in_line(self, overflow: int) -> int:
        """Where to break a line without a seam before it: after a word that ends in its second half, else anywhere."""
        text = self._body[self._line : overflow]
        if isinstance(self._block, Fence) and self._block.may_be_closed_by(text):
            return self._line or overflow - 1
        if text[-1].isspace() and len(text) > 1:
            return overflow - 1
        word = max(text.rfind(" "), text.rfind("\t")) + 1
        if word > len(text) / 2:
            return self._line + word
        *_, last = _GRAPHEME.finditer(text)
        # a grapheme that fills a page (thousands of combining marks) is the one thing that has to be split
        return self._line + last.start() or overflow - 1


def _after(block: Block, previous: str, line: str) -> Block:
    """What is open after this line."""
    if isinstance(block, Fence):
        return None if block.closed_by(line) else block
    if fence := _FENCE.match(line):
        mark, info = fence["mark"], line[fence.end() :]
        if len(fence[0]) <= _LONGEST_MARK and not (mark[0] == "`" and "`" in info):
            return Fence(re.sub(r"[-*+\d.)]", " ", fence["container"]), mark, info.strip())
    if isinstance(block, Table):
        return block if "|" in line else None
    if "|" in previous and "|" in line and _DELIMITER_ROW.match(line):
        return Table(f"{previous}\n{line}\n")
    return None


def _is_growing_fence(tail: str, block: Block) -> bool:
    """Whether an unfinished last line is a fence, or may become one with the next characters."""
    if isinstance(block, Fence):
        return block.may_be_closed_by(tail)
    bare = tail.lstrip("> \t")
    return bool(bare) and (not bare.strip("`") or not bare.strip("~") or isinstance(_after(None, "", tail), Fence))


def _page(prefix: str, body: str, block: Block) -> str:
    """A page as it is shown: platforms trim messages, so newlines at a seam are not part of it."""
    if not body.strip():
        return ""
    text = prefix + body if prefix else body.lstrip("\n")
    if isinstance(block, Fence):
        return text + ("" if text.endswith("\n") else "\n") + block.closing
    return text.rstrip()
