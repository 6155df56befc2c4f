"""Seams: where one page ends, and how the next one begins so that what was open there goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.core.blocks import Container, Context, Fence, Item, Kind, Line, Paragraph, Table, lead
from bot.core.measures import Measure


@dataclass(frozen=True, slots=True)
class Seam:
    """A place where the page may end."""

    position: int
    share: float  # how full the page is up to here
    before: Context  # what is open there
    line: Line | None = None  # the line that begins there; None within a line


@dataclass(frozen=True, slots=True)
class Opening:
    """How a page begins."""

    text: str = ""
    table: str = ""  # the part of it that is a table's names
    skipped: int = 0  # so many characters of the body stand in the opening already, in another way
    marks: tuple[str, ...] = ()  # of the spans that are open
    within_line: bool = False  # the body begins in the middle of a line

    def begin(self, body: str) -> str:
        """The body with what stands before it; no page begins with an empty line, or with the space between words."""
        return self.text + body if self.text else body.lstrip(" \t\n" if self.within_line else "\n")


def opening_behind(
    seam: Seam, marks: tuple[str, ...], body: str, measure: Measure, budget: float
) -> tuple[Opening, Context]:
    """How the page behind a seam begins, and what is open there.

    `body` begins at the seam; `marks` are those of the spans that it tears.
    """
    line, context = seam.line, seam.before
    containers = context.containers[: line.kept] if line else context.containers
    again = _containers_again(containers)
    if measure.text(again) > budget / 2:
        again, containers, context = "", (), replace(context, containers=())
    inside, leaf = lead(containers), context.leaf
    if isinstance(leaf, Fence) and (line is None or line.kind is Kind.CODE):
        text = f"{again}{inside}{leaf.opening}\n"
        return Opening(text if line else text + inside, within_line=line is None), context
    if line is None:
        text = f"{again[:-1]} " if containers and isinstance(containers[-1], Item) and again else again + inside
        return Opening(text + "".join(marks), marks=marks, within_line=True), replace(context, leaf=Paragraph(""))
    if isinstance(leaf, Table) and line.kind is Kind.ROW:
        names = f"{inside}{leaf.header}\n{inside}{leaf.delimiter}\n"
        if measure.text(names) > budget / 4:  # not worth repeating
            return Opening(again), replace(context, leaf=None)
        return Opening(again + names, table=names), replace(context, leaf=replace(leaf, rows=0))
    if line.kind is Kind.MORE and not again and line.start < len(inside.rstrip()):
        return Opening(inside), context  # it goes on without the marks of its quote
    item = line.after.containers[line.kept] if len(line.after.containers) > line.kept else None
    number = item.number if isinstance(item, Item) else None
    joins = line.kind in {Kind.TEXT, Kind.INDENTED, Kind.RULE} and not line.begins_item
    if again and (joins or number not in {None, 1}):
        again += f"{inside.rstrip()}\n"  # or it would be part of the paragraph "…"
    if isinstance(item, Item) and number is not None and number != int(item.marker[:-1]):
        marker = re.compile(rf"[ \t>]*{re.escape(item.marker)}[ \t]*").match(body)
        if marker is not None:
            return Opening(again + inside + item.opening, skipped=marker.end()), context
    return Opening(again), context


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
