"""docs/reliability.md: one line for each row, those of several APIs that ended alike in one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tests.faults.model import APIS
from tests.faults.row import Row, Seen

PATH = Path(__file__).parents[2] / "docs" / "reliability.md"

_INTRODUCTION = """\
# Reliability

What becomes of a question when something goes wrong: each fault at each call, and what the person who asked then sees.
Nothing here is written by hand: the whole bot (the platforms' own libraries, sockets, a database) is run in the
[playground](../README.md) for each line, and the tests fail where a line is not true any more. `make reliability`
makes this page anew.

In every line these hold, and are tested: no part of an answer is shown twice; the turn has ended in the database; no
message looks as if it were still being written, unless its place takes no edits any more; whoever can be told anything
has the whole answer or a sentence that says what is wrong; and the next question in the same place is answered as usual
once the fault is over.

- **Outcome**: what stands on the screen at the end; the bot's own sentences are quoted.
- **Asked**: how often the model was asked for this answer.
- **Spoilt**: whether calls to the platform did not succeed: no, a few (up to nine), or many: then the bot insists.
- **Log**: the warnings and errors that whoever runs the bot reads.

`background` is the Responses API where an answer goes on at the server when nobody listens; `responses` is without.

A line with (!) breaks one of these promises, and is to be mended. Where nothing else is said a fault happens once, and
"each time" means for as long as the turn lasts.
"""

_FEW = 9

_HEAD = {
    False: "| Fault | Outcome | Asked | Spoilt | Log |\n|---|---|---|---|---|",
    True: "| Fault | API | Outcome | Asked | Spoilt | Log |\n|---|---|---|---|---|---|",
}


def document(seen: Mapping[Row, Seen]) -> str:
    """The page, its rows in the order in which they are given."""
    parts = [_INTRODUCTION, f"{len(seen)} faults.\n"]
    for section, rows in groupby(seen, key=lambda row: row.section):
        parts.append(f"## {section}\n\n{_HEAD[_has_apis(section)]}\n" + "".join(_lines(list(rows), seen)))
    return "\n".join(parts)


def cells(row: Row, seen: Seen) -> str:
    """What the page says of a row."""
    amiss = " (!)" if seen.problems else ""
    log = " ".join(f"`{name}`" for name in seen.log)
    return f"{_escaped(seen.outcome)}{amiss} | {seen.asked} | {_roughly(seen.spoilt)} | {log} |"


def written(page: str) -> dict[str, str]:
    """What a page says, by the names of the rows."""
    said: dict[str, str] = {}
    section = ""
    for line in page.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif section and line.startswith("| ") and not line.startswith("| Fault |"):
            fault, rest = line.removeprefix("| ").split(" | ", 1)
            if not _has_apis(section):
                said[f"{section} / {fault}"] = rest
                continue
            apis, rest = rest.split(" | ", 1)
            for api in APIS if apis == "all" else apis.split(", "):
                said[f"{section} / {fault} / {api}"] = rest
    return said


def _lines(rows: Sequence[Row], seen: Mapping[Row, Seen]) -> Iterator[str]:
    for fault, same in groupby(rows, key=lambda row: row.fault):
        alike: dict[str, list[str]] = {}
        for row in same:
            alike.setdefault(cells(row, seen[row]), []).append(row.api)
        for said, apis in alike.items():
            api = f"{'all' if len(apis) == len(APIS) else ', '.join(apis)} | " if _has_apis(rows[0].section) else ""
            yield f"| {fault} | {api}{said}\n"


def _roughly(calls: int) -> str:
    """One more or less is chance."""
    return "no" if not calls else "a few" if calls <= _FEW else "many"


def _has_apis(section: str) -> bool:
    return section.startswith("The model:")


def _escaped(text: str) -> str:
    return re.sub(r"([|<>])", r"\\\1", text)
