"""What came of a run, in figures; and of what went wrong all that helps to find out why."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from playground.timeline import Moment
from tests.crash.answers import numbered
from tests.crash.verdict import Asked, Fate, Verdict, judge
from tests.crash.world import World

_BAD = (Fate.LOST, Fate.DOUBLED, Fate.BROKEN)
_MOST = 60  # moments of a story


@dataclass(frozen=True, slots=True)
class Outcome:
    """One world at its end."""

    name: str
    kills: int
    in_time: int  # kills whose instant had come
    verdicts: Mapping[int, Verdict]
    wrong: Sequence[str]  # beyond single questions
    refusals: int  # calls that a platform has refused
    stories: Sequence[str]

    def count(self, *fates: Fate) -> int:
        return sum(verdict.fate in fates for verdict in self.verdicts.values())

    @property
    def good(self) -> bool:
        return not self.wrong and not self.count(*_BAD)


def outcome(world: World) -> Outcome:
    """Judges a world that stands still."""
    verdicts, wrong = judge(world.asked, world.shown())
    playground = world.playground
    left = ["\n".join(_left(world, moment)) for moment in world.busy()]
    pings = [f"somebody was pinged: {ping}" for ping in [*playground.discord.pings, *playground.slack.pings]]
    bad = [asked for asked in world.asked if verdicts[asked.number].fate in _BAD]
    return Outcome(
        name=f"{world.plan.api}, seed {world.plan.seed}",
        kills=len(world.killed),
        in_time=sum(killed.in_time for killed in world.killed),
        verdicts=verdicts,
        wrong=[*world.wrong, *wrong, *left, *pings, *_database(world)],
        refusals=len(playground.discord.refusals) + len(playground.slack.refusals),
        stories=["\n".join(_story(world, asked, verdicts[asked.number])) for asked in bad],
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each world, and one for all."""
    columns = ("world", "kills", "questions", *(fate.value for fate in Fate), "other faults", "429s")
    rows = [[outcome.name, *map(str, _figures([outcome]))] for outcome in outcomes]
    rows.append(["all", *map(str, _figures(outcomes))])
    widths = [max(len(row[column]) for row in [columns, *rows]) for column in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [columns, *rows]]
    return "\n".join(lines)


def failures(outcomes: Sequence[Outcome]) -> str:
    """How the answers that failed visibly said so."""
    said = Counter(
        verdict.why for outcome in outcomes for verdict in outcome.verdicts.values() if verdict.fate is Fate.FAILED
    )
    return "\n".join(f"{times:4} x {why}" for why, times in said.most_common())


def faults(outcome: Outcome) -> str:
    """What went wrong in a world, and how it came to it."""
    return "\n\n".join([f"=== {outcome.name}", *outcome.wrong, *outcome.stories])


def _figures(outcomes: Sequence[Outcome]) -> list[int]:
    return [
        sum(outcome.kills for outcome in outcomes),
        sum(len(outcome.verdicts) for outcome in outcomes),
        *(sum(outcome.count(fate) for outcome in outcomes) for fate in Fate),
        sum(len(outcome.wrong) for outcome in outcomes),
        sum(outcome.refusals for outcome in outcomes),
    ]


def _database(world: World) -> list[str]:
    """What is wrong with the database."""
    try:
        return list(_database_faults(world))
    except sqlite3.DatabaseError as error:
        return [f"the database: {error}"]


def _database_faults(world: World) -> Iterator[str]:
    integrity = [row[0] for row in world.rows("PRAGMA integrity_check")]
    if integrity != ["ok"]:
        yield f"integrity_check: {integrity or 'there is no database'}"
    for row in world.rows("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {row}"
    for turn, status in world.rows("SELECT id, status FROM turns WHERE status NOT IN ('done', 'stopped', 'failed')"):
        yield f"turn {turn} is {status}"
    for room, message, times in world.rows("SELECT room, message, count(*) FROM turns GROUP BY 1, 2"):
        if int(times) > 1:
            yield f"message {message} in {room} has {times} turns"


def _story(world: World, asked: Asked, verdict: Verdict) -> Iterator[str]:
    """All that was seen of it and may have to do with it, with the kills, and what the database has of it."""
    began = world.asked_at[asked.number]
    yield f"--- q{asked.number} is {verdict.fate}: {verdict.why}"
    yield f"room {asked.room} thread {asked.thread or '-'} message {asked.message}"
    with suppress(sqlite3.DatabaseError):
        for row in world.rows(f"SELECT * FROM turns WHERE message = '{asked.message}'"):
            yield "turn " + " | ".join(str(value)[:60] for value in row)
        ids = f"SELECT id FROM turns WHERE message = '{asked.message}'"
        messages = world.rows(f"SELECT message FROM messages WHERE turn_id IN ({ids})")
        yield f"its messages: {[row[0] for row in messages]}"
    moments = world.playground.timeline.moments
    its = {moment.message for moment in moments if moment.message and asked.number in _owners(moment)}
    seen = [moment for moment in moments if _concerns(moment, asked, its)]
    until = max((moment.at for moment in seen if moment.message in its), default=began + 30.0) + 5.0
    yield from _events(world, seen, began, until)


def _left(world: World, left: Moment) -> Iterator[str]:
    """Who seems to be at work for ever, and what was seen in that place around it."""
    yield f"{left.kind} {left.text!r} is left in {left.room} {left.reply_to}".rstrip()
    moments = world.playground.timeline.moments
    seen = [moment for moment in moments if (moment.room, moment.reply_to) == (left.room, left.reply_to)]
    yield from _events(world, seen, left.at - 3.0, left.at + 5.0)


def _events(world: World, moments: Sequence[Moment], begin: float, end: float) -> Iterator[str]:
    """What was seen, and what became of the bot."""
    events = [(moment.at, _line(moment)) for moment in moments]
    events += [(killed.at, f"KILLED {killed.kill}") for killed in world.killed]
    events += [(at, "the bot is ready") for at in world.ready]
    lines = [f"{at - begin:8.3f} {text}" for at, text in sorted(events) if begin <= at <= end]
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"... {len(lines) - _MOST} more"


def _owners(moment: Moment) -> set[int]:
    return {number for number, _ in numbered(moment.text)}


def _concerns(moment: Moment, asked: Asked, its: set[str]) -> bool:
    """Whether it is about the question's own messages, or may be: what nobody's words are in."""
    if moment.message in its or moment.message == asked.message:
        return True
    return moment.room == asked.room and moment.bot and not _owners(moment)


def _line(moment: Moment) -> str:
    text = moment.text if len(moment.text) < 100 else f"{moment.text[:40]} … {moment.text[-50:]}"
    files = f" files {[file.name for file in moment.files]}" if moment.files else ""
    live = " live" if moment.live else ""
    return f"{moment.kind:8} {moment.message or moment.reply_to} {text!r}{files}{live}"
