"""The playground in this process, the bot as `rivulet run` in another, and questions from one to the other.

All that is measured is recorded on the playground's side, by one clock; the bot knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from playground.openai.record import Stream
from playground.openai.script import Script
from playground.server import Playground
from playground.timeline import Moment
from tests.bench.answers import Answer
from tests.bench.measure import Figures, characters_shown, figures
from tests.cursor import without_cursor

TRIP = 0.08  # seconds that a call to Discord or Slack takes; its effect is visible half way
_START = 30.0  # seconds that the bot may take to be ready
_PATIENCE = 90.0  # seconds after the model's last word: longer than Slack's minute


@dataclass(frozen=True, slots=True)
class Question:
    """One question, in a room of its own unless it is asked in Discord's `shared` one."""

    platform: Literal["discord", "slack"]
    answer: Answer
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked at this time (seconds, monotonic)."""

    number: int
    answer: Answer
    room: str
    at: float
    message: str = ""  # in a shared room: to which the answer replies


@dataclass
class Rig:
    """A bot that is ready. `refusals` and `late` are of the whole time since."""

    playground: Playground
    late: float = 0.0  # seconds by which this process was late at worst; recorded times may be that wrong
    _numbers: Iterator[int] = field(default_factory=count)
    _scripts: dict[int, Script] = field(default_factory=dict[int, Script])

    def __post_init__(self) -> None:
        self.playground.openai.answer = lambda seen: self._scripts[_number(seen[-1].text)]

    @property
    def refusals(self) -> int:
        """429s, of both platforms."""
        return len(self.playground.discord.refusals) + len(self.playground.slack.refusals)

    async def ask(self, questions: Sequence[Question]) -> list[Figures]:
        """Asks all of them at once; returns when all are answered. Raises ValueError if not with the model's words,
        and RuntimeError if not in time."""
        return await self.answered(self.begin(questions))

    def begin(self, questions: Sequence[Question]) -> list[Asked]:
        return [self._ask(question) for question in questions]

    async def answered(self, asked: Sequence[Asked]) -> list[Figures]:
        """As `ask`, for questions that were asked before."""
        longest = max(each.answer.seconds + (each.answer.stall or (0, 0))[1] for each in asked)
        deadline = asked[0].at + longest + _PATIENCE
        while unanswered := self._unanswered(asked):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{unanswered} of {len(asked)} questions were not answered in time")
            await asyncio.sleep(0.2)
        streams, moments = self.streams(), self._by_room()
        return [figures(streams[each.number].deltas, _of(each, moments)) for each in asked]

    def streams(self) -> dict[int, Stream]:
        """What the model said to each question, by the question's number."""
        return {_number(stream.request.question): stream for stream in self.playground.openai.streams}

    def moments(self, asked: Asked) -> list[Moment]:
        """What a reader saw of the answer."""
        return _of(asked, self._by_room())

    async def watch(self) -> None:
        """Keeps `late`."""
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.late = max(self.late, time.monotonic() - due)

    def _ask(self, question: Question) -> Asked:
        number = next(self._numbers)
        self._scripts[number] = question.answer.script(seed=number)
        words = f"Question {number}"
        at = time.monotonic()
        if question.platform == "discord":
            discord = self.playground.discord
            room = discord.general if question.shared else discord.add_channel(f"room-{number}")
            message = discord.say(room, discord.ada, words, mentions_bot=True)
        else:
            slack = self.playground.slack
            room = slack.add_channel(f"room-{number}")
            message = slack.say(room, slack.ada, f"<@{slack.bot_user}> {words}")
        return Asked(number, question.answer, room, at, message if question.shared else "")

    def _unanswered(self, asked: Sequence[Asked]) -> int:
        """How many; while the model is still writing they are not looked at, for that takes time."""
        streams = self.streams()
        writing = sum(each.number not in streams or streams[each.number].finished_at is None for each in asked)
        if writing:
            return writing
        moments = self._by_room()
        return sum(not self._answered(each, _of(each, moments)) for each in asked)

    def _answered(self, asked: Asked, moments: Sequence[Moment]) -> bool:
        text = self._scripts[asked.number].text
        shown = {moment.message: moment.text for moment in moments if moment.kind in ("posted", "edited")}
        in_full = characters_shown(text, shown.values()) == len(text)
        return in_full and all(page == without_cursor(page) for page in shown.values())

    def _by_room(self) -> dict[str, list[Moment]]:
        """The bot's."""
        rooms: dict[str, list[Moment]] = defaultdict(list)
        for moment in self.playground.timeline.moments:
            if moment.bot:
                rooms[moment.room].append(moment)
        return rooms


@asynccontextmanager
async def rig(
    playground: Playground | None = None, *, jitter: float = 0.0, bot: str = "bot", slack: str = "", max_pages: int = 8
) -> AsyncGenerator[Rig]:
    """Starts both, asks one short question on each platform so that everything is loaded, and ends both.

    `playground` may have other limits and another latency. With `jitter` of 0.5 each half of each call takes between
    half and one and a half times as long. `bot` is the module that is run; `slack` are more lines for that table of its
    configuration.
    """
    playground = playground or Playground(latency=TRIP)
    await playground.start()
    here = Rig(playground)
    try:
        with tempfile.TemporaryDirectory() as directory:
            config = _config(playground, Path(directory) / "rivulet.db", slack, max_pages)
            async with _bot(bot, playground, Path(directory), config):
                await here.ask([Question("discord", Answer(0.05)), Question("slack", Answer(0.05))])
                background = [asyncio.create_task(here.watch())]
                if jitter:
                    background.append(asyncio.create_task(_redraw(playground, jitter)))
                try:
                    yield here
                finally:
                    for task in background:
                        task.cancel()
    finally:
        await playground.close()


async def _redraw(playground: Playground, jitter: float) -> None:
    """Draws the latency anew all the time; each half of a call takes the one of its moment."""
    choose, trip = random.Random(1).uniform, playground.latency
    while True:
        playground.discord.latency = trip * choose(1 - jitter, 1 + jitter)
        playground.slack.latency = trip * choose(1 - jitter, 1 + jitter)
        await asyncio.sleep(0.002)


@asynccontextmanager
async def _bot(module: str, playground: Playground, directory: Path, settings: str) -> AsyncGenerator[None]:
    """`rivulet run`, ready. What it has to complain about goes to the standard error stream."""
    config = directory / "config.toml"
    config.write_text(settings)
    secrets = {
        "OPENAI_API_KEY": playground.openai.api_key,
        "DISCORD_TOKEN": playground.discord.token,
        "SLACK_BOT_TOKEN": playground.slack.bot_token,
        "SLACK_APP_TOKEN": playground.slack.app_token,
    }
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "run", "--config", str(config)),
        env={**os.environ, **secrets},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(_START):
            while (line := await bot.stdout.readline()) != b"ready\n":
                if not line:
                    raise RuntimeError("the bot has ended instead of becoming ready")
        yield
    finally:
        if bot.returncode is None:
            bot.terminate()
        try:
            async with asyncio.timeout(20):
                await bot.communicate()
        except TimeoutError:
            bot.kill()
            await bot.communicate()


def _config(playground: Playground, database: Path, slack: str, max_pages: int) -> str:
    return f"""\
[openai]
base_url = {json.dumps(playground.openai_api)}
[discord]
api_url = {json.dumps(playground.discord_api)}
[slack]
api_url = {json.dumps(playground.slack_api)}
{slack}
[database]
url = {json.dumps(f"sqlite:///{database}")}
[bot]
max_pages = {max_pages}
"""


def _of(asked: Asked, by_room: dict[str, list[Moment]]) -> list[Moment]:
    moments = by_room.get(asked.room, [])
    if asked.message:
        replies = {moment.message for moment in moments if moment.reply_to == asked.message}
        moments = [moment for moment in moments if moment.message in replies]
    return moments


def _number(question: str) -> int:
    return int(question.rsplit(maxsplit=1)[-1])
