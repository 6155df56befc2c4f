"""The bot's own part of the delay: from a question to the model, and from the model's words to the platform."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import median, quantiles

from playground.server import Playground
from tests.bench.answers import Answer
from tests.bench.loopback import Loopback, loopback
from tests.bench.report import Report, Target, milliseconds
from tests.bench.rig import Asked, Question, Rig, rig

_SAMPLES = 40
_CROWD = 100
_BACKGROUND = Answer(32.0, pace=20.0)  # 100 of them are 2,000 tokens a second
_PAUSE = 0.4  # seconds between two samples
_BEGINNING = 5.0  # seconds in which all of the crowd's answers begin


@dataclass(slots=True)
class _Samples:
    """Seconds."""

    first_request: list[float] = field(default_factory=list[float])
    request: list[float] = field(default_factory=list[float])
    post: list[float] = field(default_factory=list[float])
    loopback: list[float] = field(default_factory=list[float])


async def report() -> Report:
    async with rig(Playground(latency=0.0)) as here, loopback() as path:
        one = await _sample(here, path)
        crowd = here.begin([Question("discord", _BACKGROUND)] * (_CROWD - 1))
        await asyncio.sleep(_BEGINNING)
        begin = time.monotonic()
        many = await _sample(here, path)
        await here.answered(crowd)
        streams = [here.streams()[each.number] for each in crowd]
        to_model = [stream.request.at - each.at for each, stream in zip(crowd, streams, strict=True)]
        ended = min(stream.finished_at or 0.0 for stream in streams)
        late, refused = here.late, here.refusals
    if ended < begin + _SAMPLES * _PAUSE:
        raise RuntimeError("some of the crowd's answers ended before the last question was asked")
    return Report(
        title="latency: what the bot itself adds, with platforms that answer at once",
        method=f"Milliseconds, {_SAMPLES} questions on Discord one after the other, each in a new channel and a new "
        "conversation, while no other answer or 99 others\nare live. The model says a whole sentence at once, so that "
        "the first message waits for no more words. Times are those of the stand-ins:\nthe event sent, the request "
        "arrived, the first delta sent, the post arrived; so each has the way over loopback and the stand-in's own\n"
        "work in it. `loopback`: the same way (WebSocket, another process, HTTP POST) through a program that does "
        f"nothing else.\nRefused calls (429): {refused}.",
        columns=(
            *("live answers", "to OpenAI at all", "p95", "to the request", "p95"),
            *("first delta to post", "p95", "loopback", "p95"),
        ),
        rows=[
            _row("1", one),
            _row(str(_CROWD), many),
            ["the 99 themselves, asked at once", "", "", *_cells(to_model), "", "", "", ""],
        ],
        late=late,
        targets=[
            Target("question to model request, 1 live: median", 1000 * median(one.request), 15, unit=" ms"),
            Target(f"question to model request, {_CROWD} live: median", 1000 * median(many.request), 50, unit=" ms"),
        ],
    )


async def _sample(here: Rig, path: Loopback) -> _Samples:
    samples = _Samples()
    questions: list[Asked] = []
    for _ in range(_SAMPLES):
        questions += here.begin([Question("discord", Answer(0.0))])
        await asyncio.sleep(_PAUSE)  # in which it is answered
        samples.loopback.append(await path.measure())
    await here.answered(questions)
    for asked in questions:
        _add(samples, here, asked)
    return samples


def _add(samples: _Samples, here: Rig, asked: Asked) -> None:
    stream = here.streams()[asked.number]
    first = next(request.at for request in here.playground.openai.requests if request.at >= asked.at)
    posted = next(moment.at for moment in here.moments(asked) if moment.kind == "posted")
    samples.first_request.append(first - asked.at)
    samples.request.append(stream.request.at - asked.at)
    samples.post.append(posted - stream.deltas[0][0])


def _row(name: str, samples: _Samples) -> list[str]:
    columns = (samples.first_request, samples.request, samples.post, samples.loopback)
    return [name, *(cell for values in columns for cell in _cells(values))]


def _cells(values: list[float]) -> list[str]:
    """Median and p95."""
    return [milliseconds(median(values)), milliseconds(quantiles(values, n=20)[-1])]
