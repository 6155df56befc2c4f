"""What a bot leaves behind is seen: memory, tasks, files, rows, objects and what containers hold."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace

import pytest

from tests.soak.bot import Sample
from tests.soak.report import CAPPED, head, leaks, left_behind, row, slope
from tests.soak.world import Line

ROWS = {
    "turns": 100,
    "messages": 150,
    "conversations": 40,
    "notes": 2,
    "open turns": 0,
    "messages of no turn": 0,
    "closed conversations on the server": 0,
    "conversations on the server": 38,
}
SAMPLE = Sample(
    memory=140.0,
    blocks=900_000,
    longest_pause=0.05,
    threads=4,
    files={"rivulet.db": 1, "connection to port 4000": 2},
    idle=8,
    tasks={"run": 1, "Client._read": 2},
    objects={"bot.core.pacing.Window": 20, "builtins.dict": 9_000},
    sizes={"bot.gate.Gate._writers": 0, "bot.dispatcher.Dispatcher._obeyed": 10},
    allocated=[],
)
QUIET = Line(at=0.0, live=0, streams=0, answered=0, sample=SAMPLE, rows=ROWS, refusals=0)


def test_a_bot_that_is_as_it_was_leaks_nothing():
    more_rows = {**ROWS, "turns": 1_100, "messages": 1_800, "conversations": 400}
    assert leaks(QUIET, replace(QUIET, rows=more_rows), 1_000, 50) == []


def test_idle_connections_come_and_go():
    later = replace(SAMPLE, idle=38)
    assert leaks(QUIET, replace(QUIET, sample=later), 1_000, 50) == []


@pytest.mark.parametrize(
    ("later", "fault"),
    [
        (replace(SAMPLE, tasks={"run": 1, "Client._read": 3}), "task Client._read: +1"),
        (replace(SAMPLE, files={**SAMPLE.files, "connection to port 4000": 3}), "open connection to port 4000: +1"),
        (replace(SAMPLE, threads=13), "9 more threads"),
        (replace(SAMPLE, blocks=SAMPLE.blocks + 50_000), "50.0 more pieces of memory for each answer"),
        (
            replace(SAMPLE, objects={**SAMPLE.objects, "bot.core.pacing.Window": 520}),
            "objects of bot.core.pacing.Window: +500, now 520",
        ),
        (
            replace(SAMPLE, sizes={"bot.gate.Gate._writers": 1_000}),
            "entries in bot.gate.Gate._writers: +1000, now 1000",
        ),
    ],
)
def test_what_stays_in_the_process_is_named(later: Sample, fault: str):
    assert leaks(QUIET, replace(QUIET, sample=later), 1_000, 50) == [fault]


@pytest.mark.parametrize("name", CAPPED)
def test_what_may_fill_up_is_there(name: str):
    module, owner, attribute = name.rsplit(".", 2)
    assert attribute in inspect.getsource(getattr(importlib.import_module(module), owner))


def test_what_fills_up_to_a_greatest_size_is_no_leak():
    later = replace(SAMPLE, sizes={"bot.dispatcher.Dispatcher._obeyed": 1_000})
    assert leaks(QUIET, replace(QUIET, sample=later), 1_000, 50) == []


@pytest.mark.parametrize("kind", ["open turns", "messages of no turn", "closed conversations on the server"])
def test_rows_that_must_not_stay_are_named(kind: str):
    assert leaks(QUIET, replace(QUIET, rows={**ROWS, kind: 3}), 1_000, 50) == [f"3 {kind}"]


def test_notes_do_not_become_more():
    assert leaks(QUIET, replace(QUIET, rows={**ROWS, "notes": 5}), 1_000, 50) == ["3 more notes"]


def test_what_is_in_use_at_once_is_no_sign_of_anything():
    assert left_behind({"Turn": 1}, {"Turn": 400}, 1_000, 50) == []
    assert left_behind({"Turn": 1}, {"Turn": 402}, 1_000, 50) == ["Turn: +401, now 402"]
    assert left_behind({"Turn": 1}, {"Turn": 402}, 5_000, 50) == []


def test_the_slope_is_that_of_the_last_third():
    memory = [100.0, 150.0, 180.0, 190.0, 195.0, 200.0, 200.5, 201.0, 201.5]
    rows = {**ROWS, "turns": 4_000}
    lines = [
        replace(QUIET, answered=500 * place, sample=replace(SAMPLE, memory=each), rows=rows)
        for place, each in enumerate(memory)
    ]
    grown = slope(lines)
    assert grown.rise == pytest.approx(1.0)  # MiB in 1,000 answers
    assert grown.answers == 1_000


def test_the_first_questions_of_a_process_tell_no_slope():
    lines = [replace(QUIET, answered=100 * place, sample=replace(SAMPLE, memory=100.0 + place)) for place in range(9)]
    assert slope(lines).answers == 0


def test_a_line_of_the_table_stands_below_its_heads():
    assert len(row(QUIET)) == len(head())
    assert " ".join(row(QUIET).split()) == "0 0 0 0 140.0 900 3 3 8 4 100 150 40 2 0 0"
