"""Faults that strike a whole connection, the clock, or the database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from tests.faults.room import Room
from tests.faults.row import Break, Mend, Row, Where

_DAY = 86_400.0  # seconds
_IN_THE_GAP, _IN_THE_MIDDLE, _AT_THE_END = "asked meanwhile", "in the middle of an answer", "at the end of an answer"
_ALMOST_ALL = 30  # words of 60: what comes then is written within 2 seconds
# Discord does not deliver what was said between two sessions


def rows() -> list[Row]:
    return [
        *_twice("The gateway", "cut", lambda room: _at_once(room.here.playground.discord.drop), Where.DISCORD),
        *_twice("The gateway", "asked to reconnect", lambda room: _at_once(room.here.playground.discord.reconnect)),
        *_twice("The gateway", "the session is invalid, but can be resumed", _invalid(resumable=True)),
        *_twice(
            "The gateway",
            "the session is lost",
            _invalid(resumable=False),
            seconds=8.0,
            apart=True,
        ),
        *_twice("The gateway", "gone for 3 seconds", _gone(3.0), seconds=3.0, wired="events"),
        *_twice("Discord as a whole", "gone for 5 seconds", _gone(5.0), seconds=5.0, wired="all"),
        *_twice("Socket Mode", "cut", _cut_socket, Where.SLACK, seconds=10.0),
        *_twice("Socket Mode", "refreshed", lambda room: _at_once(room.here.playground.slack.refresh), Where.SLACK),
        *_twice("Socket Mode", "cut, and the next address is dead", _dead_address, Where.SLACK, seconds=20.0),
        *_twice("Socket Mode", "gone for 3 seconds", _gone(3.0), Where.SLACK, seconds=15.0, wired="events"),
        *_twice("Slack as a whole", "gone for 5 seconds", _gone(5.0), Where.SLACK, seconds=15.0, wired="all"),
        *_twice("The model's server", "gone for 1 second", _gone(1.0), seconds=1.0, wired="model"),
        *_twice("The model's server", "gone for 15 seconds", _gone(15.0), seconds=15.0, wired="model"),
        *_twice("The clock, Discord", "a day forward, and back at the end", _jump(_DAY)),
        *_twice("The clock, Discord", "a day back, and forward at the end", _jump(-_DAY)),
        *_twice("The clock, Slack", "a day forward, and back at the end", _jump(_DAY), Where.SLACK),
        *_twice("The clock, Slack", "a day back, and forward at the end", _jump(-_DAY), Where.SLACK),
        *_database("The database, Discord", Where.DISCORD),
        *_database("The database, Slack", Where.SLACK),
        *_postgres("PostgreSQL, Discord", Where.DISCORD),
        *_postgres("PostgreSQL, Slack", Where.SLACK),
    ]


def _database(section: str, where: Where) -> list[Row]:
    return [
        *_twice(section, "another program writes for 3 seconds", _locked(3.0), where, seconds=3.0),
        *_twice(section, "another program writes for 24 seconds", _locked(24.0), where, seconds=24.0),
        *_twice(section, "the disk is full for 3 seconds", _full(3.0), where, seconds=3.0),
        *_twice(section, "the disk may not be written for 3 seconds", _read_only(3.0), where, seconds=3.0),
    ]


def _twice(
    section: str,
    fault: str,
    breaks: Break,
    where: Where = Where.DISCORD,
    *,
    wired: str = "",
    seconds: float = 2.0,
    apart: bool = False,
    amiss: frozenset[str] = frozenset(),
) -> list[Row]:
    """`amiss` is of the first."""
    row = Row(
        section,
        f"{fault}, {_IN_THE_GAP}",
        breaks,
        where,
        alone=True,
        spoils=False,
        wired=wired,
        seconds=seconds,
        apart=apart,
        amiss=amiss,
    )
    return [row, replace(row, fault=f"{fault}, {_IN_THE_MIDDLE}", late=1, amiss=frozenset())]


def _postgres(section: str, where: Where) -> list[Row]:
    rows: list[Row] = []
    for seconds in (2.0, 10.0):
        first, second = _twice(
            section, f"gone for {seconds:.0f} seconds", _gone(seconds), where, wired="database", seconds=seconds
        )
        end = replace(second, fault=second.fault.replace(_IN_THE_MIDDLE, _AT_THE_END), late=_ALMOST_ALL)
        rows += [first, second, end]
    return rows


def _at_once(strike: Callable[[], object]) -> Mend:
    strike()
    return lambda: None


def _after(seconds: float, mend: Callable[[], object]) -> Mend:
    """Ends by itself; the row has to tell after how many seconds."""
    asyncio.get_running_loop().call_later(seconds, mend)
    return lambda: None


def _invalid(*, resumable: bool) -> Break:
    return lambda room: _at_once(lambda: room.here.playground.discord.invalidate(resumable))


def _cut_socket(room: Room) -> Mend:
    return _at_once(room.here.playground.slack.drop)


def _dead_address(room: Room) -> Mend:
    slack = room.here.playground.slack
    dead = slack.url.replace("http", "ws") + "/socket?ticket=used"
    slack.fail("apps.connections.open", body={"ok": True, "url": dead})
    slack.drop()
    return lambda: None


def _gone(seconds: float) -> Break:
    def breaks(room: Room) -> Mend:
        assert room.stage.wire is not None
        room.stage.wire.down()
        return _after(seconds, room.stage.wire.up)

    return breaks


def _jump(seconds: float) -> Break:
    def breaks(room: Room) -> Mend:
        room.stage.clock.ahead = seconds

        def mend() -> None:
            room.stage.clock.ahead = 0.0

        return mend

    return breaks


def _locked(seconds: float) -> Break:
    def breaks(room: Room) -> Mend:
        other = sqlite3.connect(room.here.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        def mend() -> None:
            other.execute("ROLLBACK")
            other.close()

        return _after(seconds, mend)

    return breaks


def _full(seconds: float) -> Break:
    def breaks(room: Room) -> Mend:
        ours = room.stage.connection
        assert ours is not None
        with closing(sqlite3.connect(room.here.database, isolation_level=None)) as other:
            _fill(other)
        ours.execute(f"PRAGMA max_page_count = {_pages(ours)}")
        return _after(seconds, lambda: ours.execute("PRAGMA max_page_count = 1000000"))

    return breaks


def _fill(database: sqlite3.Connection) -> None:
    """Until there is no room for one more turn in the pages that there are."""
    pages, number = _pages(database), 0
    grown = False
    while True:
        number += 1
        database.execute("BEGIN IMMEDIATE")
        database.execute(_JUNK, (f"junk {number}",))
        if _pages(database) > pages:
            if grown:
                database.execute("ROLLBACK")
                return
            grown, pages = True, _pages(database)
        database.execute("COMMIT")


_JUNK = (
    "INSERT INTO turns (key, channel, room, message, thread, author_id, author_name, question, shared, status, "
    "attempts, answer, end_detail, response, created_at) "
    "VALUES (?, 'junk:', 'junk', '', '', '', '', '', 0, 'done', 1, '', '', '', '2026-01-01 00:00:00')"
)


def _pages(database: sqlite3.Connection) -> int:
    return database.execute("PRAGMA page_count").fetchone()[0]


def _read_only(seconds: float) -> Break:
    def breaks(room: Room) -> Mend:
        ours = room.stage.connection
        assert ours is not None
        ours.execute("PRAGMA query_only = ON")
        return _after(seconds, lambda: ours.execute("PRAGMA query_only = OFF"))

    return breaks
