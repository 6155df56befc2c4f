"""How full a page is: what its complete lines cost, a table as it grows, and the line being written."""

from __future__ import annotations

from bisect import bisect_left

from bot.core.blocks import LONGEST_MARK, Context, Fence, Kind, Line
from bot.core.measures import Measure, TableMeasure
from bot.core.seams import Opening

_ROOM = 24  # for what closes open emphasis at a seam, and in the live page


class Filling:
    """The cost of one page. Each character is measured a fixed number of times, in whatever pieces it comes."""

    def __init__(self, budget: float, measure: Measure, opening: Opening) -> None:
        self._budget = budget
        self._measure = measure
        self._spent: float = measure.text(opening.text)  # on the opening and complete lines
        self._spent_before = self._spent  # the same without the last of these lines
        self._on_line: float = 0  # on the line being written, up to `counted`
        self.counted = 0  # so many characters of that line were added
        self._table: TableMeasure | None = None
        self._table_base: float = 0  # spent on what is not the table
        if opening.table:
            base = self._spent - measure.text(opening.table)
            self._spent = self._set_table(base, *opening.table.splitlines())

    @property
    def share(self) -> float:
        """Of the budget, by the complete lines."""
        return self._spent / self._budget

    @property
    def share_so_far(self) -> float:
        """Of the budget, with what was added of the line being written."""
        return (self._spent + self._on_line) / self._budget

    def share_with(self, text: str) -> float:
        """Of the budget, if the line being written were this."""
        return (self._spent + self._measure.text(text)) / self._budget

    def room(self, after: Context) -> float:
        """What is left for the line being written, if what is open behind it has to be closed on this page."""
        closing = self._measure.text(f"{after.lead}\n") + LONGEST_MARK if isinstance(after.leaf, Fence) else _ROOM
        return self._budget - self._spent - self._on_line - closing

    def add(self, piece: str, line: Line) -> int | None:
        """Adds more of the line being written. If that is too much it adds nothing, and returns the number of
        characters that are the fewest too many."""
        measured = self._measure.code if line.kind is Kind.CODE else self._measure.text
        room, cost = self.room(line.after), measured(piece)
        if cost > room:
            sizes = range(1, len(piece) + 1)
            return sizes[bisect_left(sizes, True, key=lambda size: measured(piece[:size]) > room)]
        self._on_line += cost
        self.counted += len(piece)
        return None

    def end_line(self, kind: Kind, line: str) -> None:
        """The line being written is complete. Of a table's rows only `add_row` and `begin_table` count."""
        if kind not in {Kind.DELIMITER, Kind.ROW}:
            cost = self._on_line if kind not in {Kind.FENCE_END, Kind.BLANK} else self._measure.text(line)
            self._spent_before, self._spent = self._spent, self._spent + cost + 1
        self._on_line = 0
        self.counted = 0

    def begin_table(self, names: str, delimiter: str) -> bool:
        """The last complete line turns out to be a table's names. Returns whether the page has room for it so."""
        before = self._table, self._table_base
        spent = self._set_table(self._spent_before, names, delimiter)
        if spent > self._budget:
            self._table, self._table_base = before
            return False
        self._spent = spent
        return True

    def add_row(self, row: str) -> bool:
        """Adds a row to the table. Returns whether there is one, with room for it."""
        if self._table is None or (spent := self._table_base + self._table.with_row(row)) > self._budget:
            return False
        self._spent = spent
        self._table.add(row)
        return True

    def _set_table(self, base: float, names: str, delimiter: str) -> float:
        """Begins a table after so much was spent on the rest; what is spent with it."""
        self._table, self._table_base = self._measure.table(), base
        self._table.add(names)
        spent = base + self._table.with_row(delimiter)
        self._table.add(delimiter)
        return spent
