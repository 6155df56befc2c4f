"""The engine on a clock that jumps: the same figures on every machine and in every run.

Gate, pacer, reply and relay are the real ones; platform, model and database are those of the engine's tests. So what is
left out is the processor's time, and what is left is the pacer's choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from bot.core.dialects import SLACK
from bot.core.model import Channel, Delta, Place
from bot.core.pacing import Call, Limit
from bot.relay import Relay
from playground.timeline import Moment
from tests.bench.least import even_delay, least_delay
from tests.bench.measure import Figures, figures
from tests.bench.report import Report, ratio, seconds
from tests.engine.fake_backend import COMPLETED, Step
from tests.engine.fake_platform import FakePlatform
from tests.engine.stage import Stage, prompt
from tests.jumping_loop import run

_CALLS, _SECONDS = 5, 5.0  # Discord's edits
_TRIP = 0.08
_LENGTHS = [1.0 * 60 ** (step / 60) for step in range(61)]  # seconds, as many short ones as long ones: 1 to 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of which the model writes the answer for so many seconds."""

    at: float
    room: str
    seconds: float = 10.0
    pace: float = 30.0  # tokens a second


class Workspace(FakePlatform):
    """Slack's limits: nothing tells what is left, and updates are counted for all channels together."""

    def __init__(self, latency: float) -> None:
        super().__init__(name="slack", dialect=SLACK, headers=False, latency=latency)

    def limits(self, call: Call, place: Place) -> Sequence[Limit]:
        if call is Call.POST:
            return (Limit(f"post:{place.room}", 1, 1.2), Limit("post", 300, 60.0))
        return (Limit(call.value, 50, 60.0),)


@dataclass(frozen=True, slots=True)
class Outcome:
    answers: Sequence[Figures]
    refused: int


async def report() -> Report:
    return await asyncio.to_thread(_report)  # which has a loop of its own


def _report() -> Report:
    rows = [_alone(trip) for trip in (0.02, 0.08, 0.3)]
    rows += [
        _together("Discord, 3 in one channel", _discord, [Asked(0.0, "r")] * 3),
        _together("Discord, 3 in one channel, 3 s apart", _discord, [Asked(3.0 * n, "r") for n in range(3)]),
        _together("Discord, 60 at once", _discord, [Asked(0.0, f"r{n}") for n in range(60)]),
        _together("Discord, 60 within 6 s", _discord, [Asked(n / 10, f"r{n}") for n in range(60)]),
        _together("Discord, 100 of 20 s at once", _discord, [Asked(0.0, f"r{n}", 20.0, 15.0) for n in range(100)]),
        _together("Slack, 1", Workspace, [Asked(0.0, "r")]),
        _together("Slack, 5", Workspace, [Asked(0.0, f"r{n}") for n in range(5)]),
        _together("Slack, 20", Workspace, [Asked(0.0, f"r{n}") for n in range(20)]),
        _together("Slack, 1 of 60 s", Workspace, [Asked(0.0, "r", 60.0)]),
        _together("Slack, 5 of 30 s", Workspace, [Asked(0.0, f"r{n}", 30.0) for n in range(5)]),
        _together("Slack, 5 of 60 s", Workspace, [Asked(0.0, f"r{n}", 60.0) for n in range(5)]),
        _together("Slack, 4 waves of 10, 15 s apart", Workspace, [Asked(n // 10 * 15.0, f"r{n}") for n in range(40)]),
        _together("Slack, one every 3 s, 40", Workspace, [Asked(3.0 * n, f"r{n}") for n in range(40)]),
        _together("Slack, one a second, 60", Workspace, [Asked(1.0 * n, f"r{n}") for n in range(60)]),
    ]
    return Report(
        title="simulated: the pacer's choice alone, on a clock that jumps",
        method=f"Answers of 10 s unless said otherwise; a call takes {_TRIP} s unless said otherwise. Mean and worst "
        "of all answers of a row, in seconds.\n"
        f"The first rows: {len(_LENGTHS)} answers of 1 to 60 s on Discord, each alone; their mean delay is given as a "
        "multiple of the least\nthat any schedule could reach, and of even spacing (see above).",
        columns=(
            *("", "first text", "worst", "mean delay", "worst", "/ least", "/ even"),
            *("final lag", "worst", "longest wait", "429s"),
        ),
        rows=rows,
        late=0.0,
    )


def _discord(latency: float) -> FakePlatform:
    return FakePlatform(latency=latency)


def _alone(trip: float) -> list[str]:
    outcomes = [_run(_discord, [Asked(0.0, "r", length)], trip) for length in _LENGTHS]
    answers = [answer for outcome in outcomes for answer in outcome.answers]
    least = fmean(a.mean / least_delay(a.duration, calls=_CALLS, seconds=_SECONDS, trip=trip) for a in answers)
    even = fmean(a.mean / even_delay(a.duration, calls=_CALLS, seconds=_SECONDS, trip=trip) for a in answers)
    refused = sum(outcome.refused for outcome in outcomes)
    return _row(f"Discord, 1 alone, {1000 * trip:.0f} ms a call", answers, refused, ratio(least), ratio(even))


def _together(name: str, platform: Callable[[float], FakePlatform], questions: Sequence[Asked]) -> list[str]:
    outcome = _run(platform, questions, _TRIP)
    return _row(name, outcome.answers, outcome.refused)


def _row(name: str, answers: Sequence[Figures], refused: int, least: str = "", even: str = "") -> list[str]:
    first = [answer.first for answer in answers]
    means = [answer.mean for answer in answers]
    lags = [answer.lag for answer in answers]
    return [
        *(name, seconds(fmean(first)), seconds(max(first)), seconds(fmean(means)), seconds(max(means)), least, even),
        *(seconds(fmean(lags)), seconds(max(lags)), seconds(max(answer.longest for answer in answers)), str(refused)),
    ]


def _run(platform: Callable[[float], FakePlatform], questions: Sequence[Asked], trip: float) -> Outcome:
    async def main() -> Outcome:
        stage = Stage(platform(trip))
        answers = await asyncio.gather(*(_answer(stage, f"q{n}", asked) for n, asked in enumerate(questions)))
        return Outcome(answers, len(stage.platform.refused))

    return run(main)


async def _answer(stage: Stage, key: str, asked: Asked) -> Figures:
    """Each question has a conversation of its own, so that answers in one room need not wait for each other."""
    await asyncio.sleep(asked.at)
    channel = Channel(stage.platform.name, key)
    await stage.store.accept(replace(prompt(key, room=asked.room), channel=channel))
    running = await stage.store.begin(channel, stage.backend.name)
    assert running is not None
    begin = asyncio.get_running_loop().time()
    deltas = [(begin + at, word) for at, word in _words(asked)]
    stage.backend.script(_says(deltas))
    relay = Relay(
        running,
        platform=stage.platform,
        backend=stage.backend,
        store=stage.store,
        gate=stage.gate,
        rules=stage.rules,
    )
    await relay.run()
    return figures(deltas, _seen(stage.platform, key))


def _words(asked: Asked) -> list[tuple[float, str]]:
    """As many tokens as fit one message of Discord at most, evenly over the time."""
    count = min(round(asked.seconds * asked.pace), 600)
    return [(asked.seconds * number / count, "we " if number < count else "us") for number in range(count + 1)]


def _says(deltas: Sequence[tuple[float, str]]) -> list[Step]:
    steps: list[Step] = []
    for number, (at, word) in enumerate(deltas):
        steps += [at - deltas[max(0, number - 1)][0], Delta(word)]
    return [*steps, COMPLETED]


def _seen(platform: FakePlatform, key: str) -> list[Moment]:
    """What a reader saw of one answer, in order."""
    return sorted(
        (
            Moment(state.at, "discord", "", "edited" if number else "posted", message.id, text=state.text)
            for message in platform.messages
            if message.place.message == key
            for number, state in enumerate(message.states)
        ),
        key=lambda moment: moment.at,
    )
