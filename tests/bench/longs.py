"""Long answers on every way in which they can be shown: what they cost, how late they are, whether they are whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from playground.openai.answers import answer
from playground.openai.record import Said, Stream
from playground.openai.script import Script
from playground.timeline import Moment
from tests.bench.limits import on_discord
from tests.bench.report import Report, Target, ratio, seconds
from tests.bench.rig import TRIP, Rig, rig
from tests.cursor import without_cursor
from tests.visible import faults, reached, readable, screens

_PACE = 60.0  # tokens a second
_NAMES = ("400 lines", "60 rows", "japanese", "one line", "book")
_PATIENCE = 400.0  # seconds; the book takes 173
_QUIET = 3.0  # seconds without a new state, the model having ended: longer than any answer waits here


@dataclass(frozen=True, slots=True)
class Whole:
    """What a reader saw of one answer. Characters are those that `readable` keeps."""

    duration: float  # seconds, from the model's first delta to its last
    mean: float  # seconds from writing to seeing, over all characters that were seen
    lag: float  # seconds from the last delta to the last state
    longest: float  # seconds without anything new on the screen, from the first delta to the last state
    pages: int
    broken: int  # states that look so
    lost: int  # characters that cannot be read at the end
    vanished: float  # characters times seconds: what had been seen and was not there for a while


def whole(deltas: Sequence[tuple[float, str]], moments: Sequence[Moment]) -> Whole:
    """The whole record of an answer; `moments` are those of the bot's messages in its room."""
    written = [at for at, piece in deltas for _ in readable(piece)]
    source = readable("".join(piece for _, piece in deltas))
    steps = [(at, _reached(source, messages)) for at, messages in screens(moments)]
    shown, late, vanished, longest, new_at = 0, 0.0, 0.0, 0.0, deltas[0][0]
    for (at, now), (until, _) in pairwise([*steps, (steps[-1][0], 0)]):
        late += sum(at - begin for begin in written[shown:now])
        if now > shown:
            longest, new_at = max(longest, at - new_at), at
        shown = max(shown, now)
        vanished += (shown - now) * (until - at)
    begin, end = deltas[0][0], deltas[-1][0]
    last = screens(moments)[-1][1]
    return Whole(
        duration=end - begin,
        mean=late / max(shown, 1),
        lag=steps[-1][0] - end,
        longest=longest,
        pages=sum(not moment.files for moment in last),
        broken=sum(bool(faults(moment)) for moment in moments if moment.kind in ("posted", "edited")),
        lost=len(source) - steps[-1][1],
        vanished=vanished,
    )


def _reached(source: str, messages: Sequence[Moment]) -> int:
    return reached(source, (without_cursor(moment.text) for moment in messages if not moment.files))


async def report() -> Report:
    """Two bots at once: one edits on Slack, the other streams."""
    async with rig(max_pages=0) as edits, rig(max_pages=0, slack='streaming = "native"') as streams:
        measured = await asyncio.gather(
            _measured(edits, {"Discord": "discord", "Slack, edits": "slack"}),
            _measured(streams, {"Slack, streams": "slack"}),
        )
        late = max(edits.late, streams.late)
    answers = [answer for _, seen, _ in measured for answer in seen]
    return Report(
        title="longs: long answers, whole",
        method=f"The playground's own long answers at {_PACE:g} tokens a second; a call takes {TRIP} s. All five at\n"
        "once, in rooms of their own; on Slack they share a workspace's calls. `max_pages` is 0. `least`: of one\n"
        "message on Discord, which knows no posts of further pages. `vanished`: characters times seconds.",
        columns=(
            *("", "characters", "pages", "calls", "4xx", "mean delay", "least", "/ least", "final lag", "longest wait"),
            *("lost", "broken", "vanished"),
        ),
        rows=[row for rows, _, _ in measured for row in rows],
        late=late,
        targets=[
            Target("calls that were not taken", sum(refused for _, _, refused in measured), 0, unit=""),
            Target("characters lost", sum(answer.lost for answer in answers), 0, unit=""),
            Target("broken states", sum(answer.broken for answer in answers), 0, unit=""),
            Target("characters that had been seen and vanished", sum(a.vanished for a in answers), 0, unit=" · s"),
        ],
    )


async def _measured(here: Rig, ways: dict[str, str]) -> tuple[list[list[str]], list[Whole], int]:
    """Asks everything on each of these ways at once: rows, what was seen, and how many calls were not taken."""
    here.playground.openai.answer = _paced
    rooms = {(way, name): _ask(here, platform, way, name) for way, platform in ways.items() for name in _NAMES}
    await _shown(here, list(rooms.values()))
    rows: list[list[str]] = []
    answers: list[Whole] = []
    refused = 0
    for (way, name), room in rooms.items():
        stream = _stream(here, room)
        seen = whole(stream.deltas, _moments(here, room))
        calls = _calls(here, room)
        least = on_discord(seen.duration).least if way == "Discord" else 0.0
        rows.append(
            [
                f"{way}, {name}",
                f"{len(stream.text):,}",
                str(seen.pages),
                str(len(calls)),
                str(calls.count(False)),
                seconds(seen.mean),
                seconds(least) if least else "",
                ratio(seen.mean / least) if least else "",
                seconds(seen.lag),
                seconds(seen.longest),
                str(seen.lost),
                str(seen.broken),
                f"{seen.vanished:.1f}",
            ]
        )
        answers.append(seen)
        refused += calls.count(False)
    return rows, answers, refused


def _paced(said: Sequence[Said]) -> Script:
    return replace(answer(said), tokens_per_second=_PACE)


def _ask(here: Rig, platform: str, way: str, name: str) -> str:
    """The room, whose name is in the question, so that its stream is found."""
    discord, slack = here.playground.discord, here.playground.slack
    if platform == "discord":
        room = discord.add_channel(f"{way}-{name}".replace(" ", "-"))
        discord.say(room, discord.ada, f"{name}, please ({room})", mentions_bot=True)
    else:
        room = slack.add_channel(f"{way}-{name}".replace(" ", "-"))
        slack.say(room, slack.ada, f"<@{slack.bot_user}> {name}, please ({room})")
    return room


def _stream(here: Rig, room: str) -> Stream:
    [stream] = [stream for stream in here.playground.openai.streams if f"({room})" in stream.request.question]
    return stream


def _moments(here: Rig, room: str) -> list[Moment]:
    return [moment for moment in here.playground.timeline.moments if moment.room == room and moment.bot]


def _calls(here: Rig, room: str) -> list[bool]:
    """Whether each call of an answer was taken."""
    discord, slack = here.playground.discord, here.playground.slack
    return [
        *(call.status < 400 for call in discord.calls if call.path.startswith(f"/channels/{room}/")),
        *(call.outcome == "ok" for call in slack.calls if call.channel == room),
    ]


async def _shown(here: Rig, rooms: Sequence[str]) -> None:
    """Returns when the model has said all of it and nothing changes any more. Raises RuntimeError."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        streams = [stream for stream in here.playground.openai.streams if stream.request.at]
        asked = [stream for stream in streams if any(f"({room})" in stream.request.question for room in rooms)]
        ended = [stream.finished_at for stream in asked if stream.finished_at is not None]
        latest = max([*ended, *(moment.at for moment in here.playground.timeline.moments[-1:])], default=0.0)
        if len(ended) == len(rooms) and time.monotonic() - latest > _QUIET:
            return
    raise RuntimeError("the answers have not ended in time")
