"""What is wrong beyond single questions is seen: in the database, and where somebody still seems to be at work."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.timeline import Moment
from tests.cli.program import Folder
from tests.crash.answers import answer_to
from tests.crash.plan import Kill, make_plan
from tests.crash.report import failures, faults, outcome, table
from tests.crash.verdict import Asked
from tests.crash.world import Killed, World

LINE = answer_to(1, "line")


@pytest.fixture
async def world(tmp_path: Path) -> World:
    """One question that was answered, and a database that is all right."""
    world = World(make_plan("chat", 1, 1, rooms=1), Folder(tmp_path))
    world.killed.append(Killed(1.0, Kill("time", 0.0, 0.0), in_time=True))
    world.asked.append(Asked(1, "R", "101", "", LINE))
    world.asked_at[1] = 0.0
    show(world, Moment(2.0, "discord", "R", "posted", "201", text=LINE, bot=True))
    execute(
        world,
        "CREATE TABLE conversations (id INTEGER PRIMARY KEY)",
        "CREATE TABLE turns (id INTEGER PRIMARY KEY, room, message, status, c REFERENCES conversations (id))",
        "CREATE TABLE messages (turn_id, message)",
        "INSERT INTO turns VALUES (1, 'R', '101', 'done', NULL)",
    )
    return world


def show(world: World, *moments: Moment) -> None:
    for moment in moments:
        world.playground.timeline.add(moment)


def execute(world: World, *statements: str) -> None:
    with closing(sqlite3.connect(world.folder.path / "rivulet.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def test_a_world_in_order_is_good(world: World):
    found = outcome(world)
    assert (found.good, found.wrong) == (True, [])
    assert table([found]).splitlines()[-1].split() == ["all", "1", "1", "1", "0", "0", "0", "0", "0", "0"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE turns SET status = 'running'", "turn 1 is running"),
        ("UPDATE turns SET c = 7", "foreign_key_check: ('turns', 1, 'conversations', 0)"),
        ("INSERT INTO turns VALUES (2, 'R', '101', 'done', NULL)", "message 101 in R has 2 turns"),
    ],
)
def test_what_is_wrong_in_the_database_is_seen(world: World, statement: str, said: str):
    execute(world, statement)
    assert outcome(world).wrong == [said]


def test_a_damaged_database_is_seen(world: World):
    file = world.folder.path / "rivulet.db"
    file.write_bytes(file.read_bytes()[:-4096])
    assert outcome(world).wrong == ["the database: database disk image is malformed"]
    file.unlink()
    assert outcome(world).wrong == ["integrity_check: there is no database"]


def test_a_status_that_is_left_is_seen(world: World):
    now = world.playground.timeline.now()
    show(world, Moment(now, "slack", "C", "status", text="processing", reply_to="1.0", lasts=3600.0))
    world.killed.append(Killed(now + 0.01, Kill("typing", 0.0, 0.01), in_time=True))
    [wrong] = outcome(world).wrong
    assert wrong.startswith("status 'processing' is left in C 1.0")
    assert "KILLED" in wrong


def test_typing_goes_away_by_itself(world: World):
    show(world, Moment(world.playground.timeline.now(), "discord", "R", "typing", bot=True, lasts=10.0))
    assert outcome(world).good


def test_what_went_wrong_is_told_with_all_that_was_seen_and_each_kill(world: World):
    show(world, Moment(3.0, "discord", "R", "posted", "202", text=LINE, bot=True))
    found = outcome(world)
    assert not found.good
    story = faults(found)
    assert f"q1 is doubled: {len(LINE.split())} words" in story
    assert ["KILLED" in story, story.count(LINE)] == [True, 2]


def test_visible_failures_are_counted_by_what_they_say(world: World):
    show(world, Moment(3.0, "discord", "R", "edited", "201", text="-# The model failed. Ask again.", bot=True))
    found = outcome(world)
    assert (found.good, failures([found])) == (True, "   1 x The model failed. Ask again.")
