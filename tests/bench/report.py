"""How a benchmark is printed: a title, how it was measured, the rows, the targets, and how busy the machine was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should at most be."""

    what: str
    figure: float
    most: float
    unit: str = " s"

    def __str__(self) -> str:
        met = "met" if self.figure <= self.most else "NOT MET"
        return f"target: {self.what} <= {self.most:g}{self.unit}: {self.figure:.3f}{self.unit}, {met}"


@dataclass(frozen=True, slots=True)
class Report:
    """One table. Every row has as many cells as there are columns."""

    title: str
    method: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    late: float  # seconds by which the measuring process was late at worst
    targets: Sequence[Target] = ()

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        table = ["  ".join(_pad(line, widths)).rstrip() for line in lines]
        rule = "  ".join("-" * width for width in widths)
        targets = [*map(str, self.targets), ""] if self.targets else []
        return "\n".join(
            [self.title, self.method, "", table[0], rule, *table[1:], "", *targets, self._conditions(), ""]
        )

    def _conditions(self) -> str:
        one, five, _ = os.getloadavg()
        return (
            f"{os.cpu_count()} cores, load {one:.1f} (1 min) and {five:.1f} (5 min), all of the machine's processes; "
            f"the measuring process was at most {1000 * self.late:.0f} ms late."
        )


def seconds(value: float) -> str:
    return f"{value:.3f}"


def milliseconds(value: float) -> str:
    return f"{1000 * value:.1f}"


def ratio(value: float) -> str:
    return f"{value:.2f}"


def _pad(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The first column is words, the others are figures."""
    return [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
