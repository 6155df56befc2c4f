"""What a page costs: the Protocols that a dialect fulfils."""

from __future__ import annotations

from typing import Protocol


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
