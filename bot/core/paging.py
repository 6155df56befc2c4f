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

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import regex

from bot.core.blocks import LONGEST_MARK, Container, Context, Fence, Item, Kind, Line, Paragraph, Table, lead, read
from bot.core.spans import Spans

# From which share of the budget on a page may end there.
_BLOCK, _PART, _LINE, _SENTENCE = 0.75, 0.82, 0.9, 0.88
_FAR_BACK = 0.5  # a seam before this is not looked for: too much would jump to another page
_ROOM = 24  # for what closes open emphasis at a seam, and in the live page

_SENTENCE_END = re.compile(r"(?:[.!?…][\"'”’)\]*_]*[ \t]+|[。！？][」』”）]*)(?=\S)")
_WIDE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\u3000-\u303f\uff00-\uffef"
_WORD_START = regex.compile(
    rf"[ \t]+(?=\S)|(?<=[{_WIDE}])(?=[^\s\p{{M}}\p{{Emoji_Modifier}}\u200d\ufe0f、。，．！？：；）」』】…ー々])",
    regex.V1,
)
# What may stand at the start of a line without becoming something else there: a list item, a heading, a fence.
_HARMLESS = re.compile(r"[^-+#>|=~`_<$\\\d\s*]|\*{1,2}[^\s*]|_{1,2}[^\s_]|`{1,2}[^\s`]|~~[^\s~]")
_GRAPHEME = regex.compile(r"\X")
_MARKS = re.compile(r"[\s>*+\-\d.)|:=_~`#]*\Z")  # a line of nothing else may still become anything


class TableMeasure(Protocol):
    """What one table costs. Fed with its lines: names, delimiter row, rows."""

    def with_row(self, row: str) -> float:
        """The cost of the table so far and this row."""
        ...

    def add(self, row: str) -> None:
        """The row is on the page."""
        ...


class Measure(Protocol):
    """What a page costs at most when it is rendered, in the unit of its budget."""

    def text(self, text: str) -> float:
        """A part of a line outside code and tables. Additive: the sum of the costs of its pieces."""
        ...

    def code(self, text: str) -> float:
        """A part of a line of code. Additive."""
        ...

    def table(self) -> TableMeasure:
        """A table that begins."""
        ...


@dataclass(frozen=True, slots=True)
class _Seam:
    """A place where the page may end."""

    position: int
    share: float  # how full the page is up to here
    before: Context  # what is open there
    line: Line | None = None  # the line that begins there; None within a line


@dataclass(frozen=True, slots=True)
class _Opening:
    """How a page begins."""

    text: str = ""
    table: str = ""  # the part of it that is a table's names
    skipped: int = 0  # so many characters of the body stand in the opening already, in another way
    marks: tuple[str, ...] = ()  # of the spans that are open
    within_line: bool = False  # the body begins in the middle of a line

    def begin(self, body: str) -> str:
        """The body with what stands before it; no page begins with an empty line, or with the space between words."""
        return self.text + body if self.text else body.lstrip(" \t\n" if self.within_line else "\n")


class Pager:
    """Feed it the model's Markdown; `sealed` are the finished pages, `live()` is the one still being written."""

    def __init__(self, budget: float, measure: Measure) -> None:
        if budget < 200:
            raise ValueError(f"a page of {budget} cannot hold a line and an open fence")
        self.sealed: list[str] = []
        self._budget = budget
        self._measure = measure
        self._bodies: list[tuple[_Opening, str]] = []  # of the sealed pages
        self._return = False  # the text so far ends with a carriage return, whose newline has not come yet
        self._open_page(_Opening(), "", Context())

    def feed(self, text: str) -> None:
        """Takes the next piece of the source."""
        if self._return:
            text = "\r" + text
        self._return = text.endswith("\r")
        self._body += text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        while self._step():
            pass

    def live(self) -> str:
        """The page being written as it should be seen now: what is open is closed, what is half written left out."""
        end, context = self._line, self._context
        if self._table_header >= 0 and self._line_read is None:
            end, context = self._table_header, Context()  # it may turn out to be the names of a table
        elif self._line_read is not None and not self._may_be_names:
            end, context = len(self._body), self._line_read.after
        if self._spans is not None and end > self._spans.start and isinstance(context.leaf, Paragraph | None):
            healed = self._spans.healed(self._body, end)
            return self._page(self._spans.start if healed.strip() else self._line, Context(), healed)
        return self._page(end, context)

    def last(self) -> str:
        """The page being written, when nothing more will come; empty if there is nothing on it."""
        tail, context = self._body[self._line :], self._context
        if tail and not self._within_line:
            line = read(context, tail)
            if line.kind is Kind.FENCE_END:
                return self._page(self._line, context)
            context = line.after
        return self._page(len(self._body), context)

    def certain(self) -> str:
        """What the page being written will begin with, whatever comes. It only grows, until the page is sealed; the
        sealed page begins with it. Nothing in it is closed for show."""
        return self._page(self._certain().position, Context())

    def cut(self) -> None:
        """Seals what is certain as a page, if that is anything."""
        if self.certain():
            self._seal(self._certain())
            while self._step():
                pass

    def rest(self, pages: int) -> str:
        """The source that the first `pages` sealed pages do not hold, with what is open there opened again."""
        (opening, first), *later = [*self._bodies, (self._opening, self._body)][pages:]
        return opening.begin(first[opening.skipped :] + "".join(body for _, body in later))

    # Reading

    def _open_page(self, opening: _Opening, body: str, context: Context) -> None:
        self._opening = opening
        self._body = body
        self._context = context  # what is open before the line that is not complete yet
        self._line = 0  # where that line begins
        self._line_read: Line | None = None  # what that line is, once it can be said
        self._line_cost: float = 0
        self._counted = 0  # `_line_cost` is that of the text up to here
        self._weighed = 0  # the sentence ends up to here were found wanting
        self._within_line = opening.within_line
        self._spent: float = self._measure.text(opening.text)  # the cost of opening and complete lines
        self._spent_before = self._spent  # the same without the last of these lines
        self._table: TableMeasure | None = None
        self._table_base: float = 0  # the cost of what is not the table
        if opening.table:
            self._begin_table(*opening.table.splitlines(), base=self._spent - self._measure.text(opening.table))
        self._table_header = -1  # where a complete line begins that may be a table's names
        self._last_line = ""  # the last complete one
        self._spans: Spans | None = Spans(0, opening.marks) if self._within_line else None
        self._is_free = True  # no span is open at the end of the last complete line
        self._is_bound = False  # the next line has to stand on the same page: before it is a heading, or a fence began
        self._is_gap = False  # the last complete line is blank
        self._seams: list[_Seam] = []  # before lines
        self._last_word: _Seam | None = None  # in complete lines

    def _step(self) -> bool:
        """Takes the next line, or a part of one; whether there may be more to do."""
        newline = self._body.find("\n", self._line)
        end = newline if newline >= 0 else len(self._body)
        if self._line_read is None:
            view = self._body[self._line : min(end, self._line + self._longest_view)]
            if newline < 0 and len(view) < self._longest_view and self._is_undecided(view):
                return False
            self._line_read = self._read(view)
            if seam := self._seam_before(self._line_read):
                self._seal(seam)
                return True
            if self._line_read.kind in {Kind.DELIMITER, Kind.ROW} and not self._add_row(view):
                if self._seams:
                    self._seal(self._seams[-1])
                    return True
                after = Context(self._line_read.after.containers, Paragraph(view))  # too large for a table
                self._line_read = replace(self._line_read, kind=Kind.MORE, after=after)
            self._begin_spans(self._line_read)
        if self._line_read.kind not in {Kind.DELIMITER, Kind.ROW, Kind.FENCE_END, Kind.BLANK}:
            overflow = self._overflow(end)
            if seam := self._sentence_end(end if overflow is None else overflow):
                self._seal(seam)
                return True
            if overflow is not None:
                self._seal(self._seam_behind(overflow))
                return True
        if newline < 0:
            return False
        self._complete_line(end)
        return True

    @property
    def _longest_view(self) -> int:
        return int(min(self._budget, 20_000) / 2)  # more of a line is not needed to say what it is

    def _read(self, line: str) -> Line:
        if self._within_line:
            kind = Kind.CODE if isinstance(self._context.leaf, Fence) else Kind.MORE
            return Line(kind, self._context, len(self._context.containers), 0)
        return read(self._context, line)

    def _is_undecided(self, line: str) -> bool:
        """Whether this beginning of a line could still become lines of several kinds."""
        if self._within_line:
            return False
        bare = line.lstrip(" \t>-+*0123456789.)")
        return (
            isinstance(self._context.leaf, Table)
            or _MARKS.match(line) is not None
            or (bare.startswith(("```", "~~~")) and not isinstance(self._context.leaf, Fence))
        )

    def _begin_spans(self, line: Line) -> None:
        if line.kind in {Kind.TEXT, Kind.HEADING, Kind.INDENTED}:
            self._spans = Spans(self._line + line.start)
        elif line.kind is not Kind.MORE:
            self._spans = None

    @property
    def _may_be_names(self) -> bool:
        """Whether the line that is being written may be a table's first."""
        line = self._line_read
        if line is None or line.kind not in {Kind.TEXT, Kind.MORE}:
            return False
        return self._body.startswith("|", self._line + line.start)

    def _complete_line(self, end: int) -> None:
        line, view = self._line_read, self._body[self._line : end]
        assert line is not None
        if isinstance(line.after.leaf, Paragraph) and not self._within_line:
            line = replace(line, after=Context(line.after.containers, Paragraph(view[line.start :].strip())))
        if line.kind not in {Kind.DELIMITER, Kind.ROW}:
            cost = self._line_cost if line.kind not in {Kind.FENCE_END, Kind.BLANK} else self._measure.text(view)
            self._spent_before, self._spent = self._spent, self._spent + cost + 1
        self._table_header = self._line if self._may_be_names and line.kind is Kind.TEXT else -1
        self._is_free = True
        if self._spans is not None:
            self._spans.read(self._body, end + 1)
            self._is_free = self._spans.is_free(end)
        if line.kind is not Kind.BLANK:
            self._is_bound = line.kind in {Kind.HEADING, Kind.UNDERLINE, Kind.FENCE}
        self._is_gap = not view[line.start :].strip()
        if words := list(self._words(end)):
            self._last_word = _Seam(words[-1], self._share_at(words[-1]), line.after)
        self._context, self._last_line = line.after, view
        self._line = self._counted = self._weighed = end + 1
        self._line_cost = 0
        self._line_read = None
        self._within_line = False

    # Tables

    def _begin_table(self, names: str, delimiter: str, *, base: float) -> None:
        self._table = self._measure.table()
        self._table_base = base
        for row in (names, delimiter):
            self._spent = base + self._table.with_row(row)
            self._table.add(row)

    def _add_row(self, row: str) -> bool:
        """Counts a table's delimiter row or a row of it; whether it fits."""
        assert self._line_read is not None
        before = self._spent, self._table, self._table_base
        if self._line_read.kind is Kind.DELIMITER:
            self._begin_table(self._last_line, row, base=self._spent_before)
        elif self._table is not None:
            self._spent = self._table_base + self._table.with_row(row)
        if self._table is None or self._spent > self._budget:
            self._spent, self._table, self._table_base = before
            return False
        if self._line_read.kind is Kind.ROW:
            self._table.add(row)
        return True

    # Seams

    def _seam_before(self, line: Line) -> _Seam | None:
        """The seam before a line that has begun, if it is good enough. One that is allowed is remembered."""
        share = self._share_before(line)
        if share is None:
            return None
        seam = _Seam(self._line, self._spent / self._budget, self._context, line)
        self._seams.append(seam)
        return seam if seam.share >= share else None

    def _share_before(self, line: Line) -> float | None:
        """From which share of the budget on a page may end before this line; None if it may not."""
        if line.kind is Kind.BLANK or self._is_bound or self._within_line or not self._body[: self._line].strip():
            return None
        inside = line.kept > 0
        match line.kind:
            case Kind.FENCE_END | Kind.UNDERLINE | Kind.DELIMITER:
                return None
            case Kind.MORE:
                return _LINE if self._is_free else None
            case Kind.ROW:
                leaf = self._context.leaf
                return _LINE if isinstance(leaf, Table) and leaf.rows else None
            case Kind.CODE | Kind.INDENTED:
                return _PART if self._is_gap else _LINE
            case Kind.TEXT | Kind.HEADING | Kind.RULE | Kind.FENCE:
                if inside:
                    return _PART if self._is_gap else _LINE
                return _PART if line.begins_item and self._context.containers else _BLOCK

    def _overflow(self, end: int) -> int | None:
        """The end of the shortest text that is over the budget, if there is one."""
        line = self._line_read
        assert line is not None
        measured = self._measure.code if line.kind is Kind.CODE else self._measure.text
        leaf = line.after.leaf
        room = self._budget - self._spent - self._line_cost
        room -= self._measure.text(f"{line.after.lead}\n") + LONGEST_MARK if isinstance(leaf, Fence) else _ROOM
        piece = self._body[self._counted : end]
        if not piece:
            return end if room < 0 and self._seams and self._seams[-1].position == self._line else None
        cost = measured(piece)
        if cost <= room:
            self._line_cost += cost
            self._counted = end
            return None
        sizes = range(1, len(piece) + 1)
        return self._counted + sizes[bisect_left(sizes, True, key=lambda size: measured(piece[:size]) > room)]

    def _sentence_end(self, end: int) -> _Seam | None:
        """The first seam behind a sentence of the line being written, where the page is full enough for it."""
        line = self._line_read
        if line is None or line.kind not in {Kind.TEXT, Kind.MORE} or self._spans is None or self._may_be_names:
            return None
        if self._counted == end and self._spent + self._line_cost < _SENTENCE * self._budget:
            return None
        for place in _SENTENCE_END.finditer(self._body, max(self._weighed - 8, self._line), end):
            if place.end() <= self._weighed or place.end() >= end:
                continue
            self._weighed = place.end()
            share = self._share_at(place.end())
            if share < _SENTENCE:
                continue
            self._spans.read(self._body, place.end() + 1)
            if self._spans.is_free(place.end()) and _HARMLESS.match(self._body, place.end(), place.end() + 1):
                return _Seam(place.end(), share, line.after)
        return None

    def _seam_behind(self, overflow: int) -> _Seam:
        """The seam to fall back to when the text up to `overflow` does not fit."""
        line = self._line_read
        assert line is not None
        if words := list(self._words(overflow)):
            self._last_word = _Seam(words[-1], self._share_at(words[-1]), line.after)
        seam = self._last_seam()
        if seam.share >= _FAR_BACK:
            return seam
        place = self._any_place(overflow)
        return _Seam(place, self._share_at(place), line.after)

    def _words(self, end: int) -> Iterator[int]:
        """Where words begin in the line being written, outside of spans."""
        line, spans = self._line_read, self._spans
        if line is None or spans is None or line.kind not in {Kind.TEXT, Kind.MORE}:
            return
        if self._may_be_names:
            return
        spans.read(self._body, end)
        for place in _WORD_START.finditer(self._body, self._line + line.start + 1, end):
            position = place.end()
            if spans.is_free(position) and _HARMLESS.match(self._body, position, end):
                yield position

    def _any_place(self, overflow: int) -> int:
        """A place before `overflow`: where a word begins, if one does in the last tenth of the page, else anywhere."""
        line = self._line_read
        assert line is not None
        first = self._line + line.start
        if overflow - first < 2:
            return max(overflow - 1, self._line, 1)
        near = max(first + 1, overflow - int(self._budget / 10))
        words = [place.end() for place in _WORD_START.finditer(self._body, near, overflow) if place.end() < overflow]
        if words:
            return words[-1]
        *_, last = _GRAPHEME.finditer(self._body[max(first, overflow - 200) : overflow])
        place = max(first, overflow - 200) + last.start()
        # a grapheme of hundreds of combining marks is the one thing that has to be split
        place = place if place > max(first, overflow - 200) else overflow - 1
        leaf = line.after.leaf
        if isinstance(leaf, Fence):  # what goes on there must not look like the fence's end
            while place > first + 1 and self._body[place] == leaf.mark[0]:
                place -= 1
        return place

    def _share_at(self, place: int) -> float:
        return (self._spent + self._measure.text(self._body[self._line : place])) / self._budget

    def _certain(self) -> _Seam:
        """The last place of which it is known that the page will reach it."""
        line = self._line_read
        if line is not None and (words := list(self._words(len(self._body)))):
            return _Seam(words[-1], 0, line.after)
        return self._last_seam()

    def _last_seam(self) -> _Seam:
        """The last allowed seam before a line, or in a complete one."""
        seams = [*self._seams[-1:], *([self._last_word] if self._last_word else [])]
        return max(seams, key=lambda seam: seam.position, default=_Seam(0, 0, self._context))

    # Pages

    def _seal(self, seam: _Seam) -> None:
        """Ends the page there and begins the next."""
        marks: list[str] = []
        if seam.line is None and self._spans is not None:
            spans = self._spans.anew()
            spans.read(self._body, seam.position)
            marks = spans.marks_at(seam.position)
        if page := self._page(seam.position, seam.before):
            self.sealed.append(page + "".join(reversed(marks)))
            self._bodies.append((self._opening, self._body[: seam.position]))
        opening, context = self._reopened(seam, tuple(marks))
        self._open_page(opening, self._body[seam.position :], context)

    def _reopened(self, seam: _Seam, marks: tuple[str, ...]) -> tuple[_Opening, Context]:
        """How the next page begins, and what is open there."""
        line, context = seam.line, seam.before
        containers = context.containers[: line.kept] if line else context.containers
        again = _containers_again(containers)
        if self._measure.text(again) > self._budget / 2:
            again, containers, context = "", (), replace(context, containers=())
        inside, leaf = lead(containers), context.leaf
        if isinstance(leaf, Fence) and (line is None or line.kind is Kind.CODE):
            text = f"{again}{inside}{leaf.opening}\n"
            return _Opening(text if line else text + inside, within_line=line is None), context
        if line is None:
            text = f"{again[:-1]} " if containers and isinstance(containers[-1], Item) and again else again + inside
            return _Opening(text + "".join(marks), marks=marks, within_line=True), replace(context, leaf=Paragraph(""))
        if isinstance(leaf, Table) and line.kind is Kind.ROW:
            names = f"{inside}{leaf.header}\n{inside}{leaf.delimiter}\n"
            if self._measure.text(names) > self._budget / 4:  # not worth repeating
                return _Opening(again), replace(context, leaf=None)
            return _Opening(again + names, table=names), replace(context, leaf=replace(leaf, rows=0))
        if line.kind is Kind.MORE and not again and line.start < len(inside.rstrip()):
            return _Opening(inside), context  # it goes on without the marks of its quote
        item = line.after.containers[line.kept] if len(line.after.containers) > line.kept else None
        number = item.number if isinstance(item, Item) else None
        joins = line.kind in {Kind.TEXT, Kind.INDENTED, Kind.RULE} and not line.begins_item
        if again and (joins or number not in {None, 1}):
            again += f"{inside.rstrip()}\n"  # or it would be part of the paragraph "…"
        if isinstance(item, Item) and number is not None and number != int(item.marker[:-1]):
            marker = re.compile(rf"[ \t>]*{re.escape(item.marker)}[ \t]*").match(self._body, seam.position)
            if marker is not None:
                return _Opening(again + inside + item.opening, skipped=marker.end() - seam.position), context
        return _Opening(again), context

    def _page(self, end: int, context: Context, healed: str = "") -> str:
        """The page up to there, as it is shown: platforms trim messages, so newlines at a seam are not part of it."""
        body = self._body[self._opening.skipped : end] + healed
        if not body.strip():
            return ""
        text = self._opening.begin(body)
        if isinstance(context.leaf, Fence):
            return text + ("" if text.endswith("\n") else "\n") + context.lead + context.leaf.mark
        return text.rstrip()


def _containers_again(containers: tuple[Container, ...]) -> str:
    """A line for each list item that goes on: its marker and an ellipsis."""
    text = before = ""
    for container in containers:
        if isinstance(container, Item):
            if text and container.number not in {None, 1}:
                text += f"{before.rstrip()}\n"  # only a list from 1 may follow text at once
            text += f"{before}{container.opening}…\n"
        before += lead((container,))
    return text
