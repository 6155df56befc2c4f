"""One page while it fills: line by line it learns where it may end, and what it should show meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.core.blocks import Context, Fence, Kind, Line, Paragraph, Table, read
from bot.core.filling import Filling
from bot.core.measures import Measure
from bot.core.places import harmless, last_grapheme, letters, sentence_starts, word_starts
from bot.core.seams import Opening, Seam
from bot.core.spans import Spans

# From which share of the budget on a page may end there.
_BLOCK, _PART, _LINE, _SENTENCE = 0.75, 0.82, 0.9, 0.88
_FAR_BACK = 0.5  # a seam before this is not looked for: too much would jump to another page

_INDENTATION = re.compile(r"[^\S\n]*")
_MARKS = re.compile(r"[\s>*+\-\d.)|:=_~`#]*\Z")  # a line of nothing else may still become anything


class Page:
    """A page of a budget. Give it text with `add` until that returns the seam at which it ends."""

    def __init__(self, budget: float, measure: Measure, opening: Opening, context: Context) -> None:
        self._budget = budget
        self._filling = Filling(budget, measure, opening)
        self.opening = opening
        self.body = ""  # the source that is on it, or may have to go to the next one
        self._context = context  # what is open before the line that is not complete yet
        self._line = 0  # where that line begins
        self._line_read: Line | None = None  # what that line is, once it can be said
        self._weighed = 0  # the sentence ends up to here were found wanting
        self._within_line = opening.within_line
        self._table_header = -1  # where a complete line begins that may be a table's names
        self._last_line = ""  # the last complete one
        self._spans: Spans | None = Spans(0, opening.marks) if self._within_line else None
        self._paragraph = 0  # where its first line begins
        self._is_begun = False  # something stands on it in complete lines
        self._is_free = True  # no span is open at the end of the last complete line
        self._is_bound = False  # the next line has to stand on the same page: before it is a heading, or a fence began
        self._is_gap = False  # the last complete line is blank
        self._seams: list[Seam] = []  # before lines
        self._last_word: Seam | None = None  # in complete lines

    def add(self, text: str) -> Seam | None:
        """Takes more of the source; the seam at which the page ends, once there is one."""
        self.body += text
        while True:
            newline = self.body.find("\n", self._line)
            end = newline if newline >= 0 else len(self.body)
            if self._line_read is None:
                view = self.body[self._line : min(end, self._line + self._longest_view)]
                if newline < 0 and len(view) < self._longest_view and self._is_undecided(view):
                    return None
                self._line_read = self._read(view)
                if seam := self._seam_before(self._line_read) or self._seam_before_row(view):
                    return seam
                self._begin_spans(self._line_read)
            if seam := self._seam_within(end):
                return seam
            if newline < 0:
                return None
            self._complete_line(end)

    def live(self) -> str:
        """The page being written as it should be seen now: what is open is closed, what is half written left out."""
        end, context = self._line, self._context
        if self._table_header >= 0 and self._line_read is None:
            end, context = self._table_header, Context()  # it may turn out to be the names of a table
        elif self._line_read is not None and not self._may_be_names:
            end, context = len(self.body), self._line_read.after
        if self._spans is not None and end > self._spans.start and isinstance(context.leaf, Paragraph | None):
            healed = self._spans.healed(self.body, end)
            return self._page(self._spans.start if healed.strip() else self._paragraph, Context(), healed)
        return self._page(end, context)

    def last(self, *, broken_off: bool) -> str:
        """The page when nothing more will come. `broken_off`: the text was to go on, so what is open is closed."""
        if broken_off and (live := self.live()) and self._shows_all(live):
            return live
        tail, context = self.body[self._line :], self._context
        if tail and not self._within_line:
            line = read(context, tail)
            if line.kind is Kind.FENCE_END:
                return self._page(self._line, context)
            context = line.after
        return self._page(len(self.body), context)

    def _shows_all(self, page: str) -> bool:
        """Whether a page of this text leaves out no more than markers."""
        return letters(page) == letters(self.opening.begin(self.body[self.opening.skipped :]))

    @property
    def certain(self) -> Seam:
        """The last place of which it is known that the page will reach it."""
        return self._word_before(len(self.body)) or self._last_seam()

    def begun(self) -> str:
        """What is certain of the page, up to where a word begins. Nothing in it is closed for show."""
        body = self.body[self.opening.skipped : self._joint(self.certain)]
        return self.opening.begin(body) if body.strip() else ""

    def _joint(self, seam: Seam) -> int:
        """Where a word begins, at a seam or just before it."""
        if not isinstance(seam.before.leaf, Fence):
            return _INDENTATION.match(self.body, seam.position).end()  # pyright: ignore[reportOptionalMemberAccess]  (it matches nothing at least)
        # If the page ends here its fence is closed, with a mark that must not be indented: the last word has to wait.
        code = self.body[: seam.position].rstrip()
        return max(code.rfind(space) for space in " \t\n") + 1

    def until(self, seam: Seam) -> str:
        """The page up to there, with the fence closed that is open there."""
        return self._page(seam.position, seam.before)

    def marks_at(self, seam: Seam) -> list[str]:
        """The markers of the spans that a seam tears, outermost first."""
        if seam.line is not None or self._spans is None:
            return []
        spans = self._spans.anew()
        spans.read(self.body, seam.position)
        return spans.marks_at(seam.position)

    # Lines

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
            self._paragraph = self._line
        elif line.kind is not Kind.MORE:
            self._spans = None

    @property
    def _may_be_names(self) -> bool:
        """Whether the line that is being written may be a table's first."""
        line = self._line_read
        if line is None or line.kind not in {Kind.TEXT, Kind.MORE}:
            return False
        return self.body.startswith("|", self._line + line.start)

    def _complete_line(self, end: int) -> None:
        line, view = self._line_read, self.body[self._line : end]
        assert line is not None
        if isinstance(line.after.leaf, Paragraph) and not self._within_line:
            line = replace(line, after=Context(line.after.containers, Paragraph(view[line.start :].strip())))
        self._filling.end_line(line.kind, view)
        self._table_header = self._line if self._may_be_names and line.kind is Kind.TEXT else -1
        self._is_free = True
        if self._spans is not None:
            self._spans.read(self.body, end + 1)
            self._is_free = self._spans.is_free(end)
        if line.kind is not Kind.BLANK:
            self._is_bound = line.kind in {Kind.HEADING, Kind.UNDERLINE, Kind.FENCE}
        self._is_gap = not view[line.start :].strip()
        self._last_word = self._word_before(end) or self._last_word
        self._is_begun = self._is_begun or bool(view.strip())
        self._context, self._last_line = line.after, view
        self._line = self._weighed = end + 1
        self._line_read = None
        self._within_line = False

    # Seams

    def _seam_before(self, line: Line) -> Seam | None:
        """The seam before a line that has begun, if it is good enough. One that is allowed is remembered."""
        share = self._share_before(line)
        if share is None:
            return None
        seam = Seam(self._line, self._filling.share, self._context, line)
        self._seams.append(seam)
        return seam if seam.share >= share else None

    def _seam_before_row(self, row: str) -> Seam | None:
        """The seam before a table's row that does not fit. Where there is none, the table is too large to be one."""
        line = self._line_read
        if line is None or line.kind not in {Kind.DELIMITER, Kind.ROW}:
            return None
        begins = line.kind is Kind.DELIMITER
        if self._filling.begin_table(self._last_line, row) if begins else self._filling.add_row(row):
            return None
        if self._seams:
            return self._seams[-1]
        after = Context(line.after.containers, Paragraph(row))
        self._line_read = replace(line, kind=Kind.MORE, after=after)
        return None

    def _share_before(self, line: Line) -> float | None:
        """From which share of the budget on a page may end before this line; None if it may not."""
        if line.kind is Kind.BLANK or self._is_bound or self._within_line or not self._is_begun:
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

    def _seam_within(self, end: int) -> Seam | None:
        """The seam in the line that is being written, or before it where the text up to `end` does not fit."""
        line = self._line_read
        if line is None or line.kind in {Kind.DELIMITER, Kind.ROW, Kind.FENCE_END, Kind.BLANK}:
            return None
        overflow = self._overflow(end)
        seam = self._sentence_end(end if overflow is None else overflow)
        return seam or (None if overflow is None else self._seam_behind(overflow))

    def _overflow(self, end: int) -> int | None:
        """The end of the shortest text that is over the budget, if there is one."""
        line = self._line_read
        assert line is not None
        counted = self._line + self._filling.counted
        if counted == end:
            full = self._filling.room(line.after) < 0
            return end if full and self._seams and self._seams[-1].position == self._line else None
        too_many = self._filling.add(self.body[counted:end], line)
        return None if too_many is None else counted + too_many

    def _sentence_end(self, end: int) -> Seam | None:
        """The first seam behind a sentence of the line being written, where the page is full enough for it."""
        line = self._line_read
        if line is None or line.kind not in {Kind.TEXT, Kind.MORE} or self._spans is None or self._may_be_names:
            return None
        if self._line + self._filling.counted == end and self._filling.share_so_far < _SENTENCE:
            return None
        for place in sentence_starts(self.body, max(self._weighed - 8, self._line), end):
            if place <= self._weighed:
                continue
            self._weighed = place
            share = self._share_at(place)
            if share < _SENTENCE:
                continue
            self._spans.read(self.body, place + 1)
            if self._spans.is_free(place) and harmless(self.body, place, place + 1):
                return Seam(place, share, line.after)
        return None

    def _seam_behind(self, overflow: int) -> Seam:
        """The seam to fall back to when the text up to `overflow` does not fit."""
        line = self._line_read
        assert line is not None
        seam = self._word_before(overflow) or self._last_seam()
        if seam.share >= _FAR_BACK:
            return seam
        place = self._any_place(overflow)
        return Seam(place, self._share_at(place), line.after)

    def _word_before(self, end: int) -> Seam | None:
        """The last seam before a word in the line being written, outside of spans."""
        line, spans = self._line_read, self._spans
        if line is None or spans is None or line.kind not in {Kind.TEXT, Kind.MORE} or self._may_be_names:
            return None
        spans.read(self.body, end)
        words = word_starts(self.body, self._line + line.start + 1, end)
        places = [place for place in words if spans.is_free(place) and harmless(self.body, place, end)]
        return Seam(places[-1], self._share_at(places[-1]), line.after) if places else None

    def _any_place(self, overflow: int) -> int:
        """A place before `overflow`: where a word begins, if one does in the last tenth of the page, else anywhere."""
        line = self._line_read
        assert line is not None
        first = self._line + line.start
        if overflow - first < 2:
            return max(overflow - 1, self._line, 1)
        near = max(first + 1, overflow - int(self._budget / 10))
        if words := list(word_starts(self.body, near, overflow)):
            return words[-1]
        place = last_grapheme(self.body, first, overflow)
        leaf = line.after.leaf
        if isinstance(leaf, Fence):  # what goes on there must not look like the fence's end
            while place > first + 1 and self.body[place] == leaf.mark[0]:
                place -= 1
        return place

    def _share_at(self, place: int) -> float:
        return self._filling.share_with(self.body[self._line : place])

    def _last_seam(self) -> Seam:
        """The last allowed seam before a line, or in a complete one."""
        seams = [*self._seams[-1:], *([self._last_word] if self._last_word else [])]
        return max(seams, key=lambda seam: seam.position, default=Seam(0, 0, self._context))

    def _page(self, end: int, context: Context, healed: str = "") -> str:
        """The page up to there, as it is shown: platforms trim messages, so newlines at a seam are not part of it."""
        body = self.body[self.opening.skipped : end] + healed
        if not body.strip():
            return ""
        text = self.opening.begin(body)
        if isinstance(context.leaf, Fence):
            return text.rstrip("\n") + "\n" + context.lead + context.leaf.mark
        return text.rstrip()
