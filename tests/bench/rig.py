"""The playground in this process, the bot as `rivulet run` in another, and questions from one to the other.

All that is measured is recorded on the playground's side, by one clock; the bot knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
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

TRIP = 0.08  # seconds that a call to Discord or Slack takes; its effect is visible half way
_START = 30.0  # seconds that the bot may take to be ready
_PATIENCE = 90.0  # seconds after the model's last word: longer than Slack's minute


@dataclass(frozen=True, slots=True)
class Question:
    """One question in a room of its own."""

    platform: Literal["discord", "slack"]
    answer: Answer


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
        asked = [self._ask(question) for question in questions]
        deadline = time.monotonic() + max(question.answer.seconds for question in questions) + _PATIENCE
        while unanswered := [number for number, room in asked if not self._answered(number, room)]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(unanswered)} of {len(asked)} questions were not answered in time")
            await asyncio.sleep(0.2)
        return [figures(self._streams()[number].deltas, self._moments(room)) for number, room in asked]

    async def watch(self) -> None:
        """Keeps `late`."""
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.late = max(self.late, time.monotonic() - due)

    def _ask(self, question: Question) -> tuple[int, str]:
        number = next(self._numbers)
        self._scripts[number] = question.answer.script(seed=number)
        words = f"Question {number}"
        if question.platform == "discord":
            discord = self.playground.discord
            room = discord.add_channel(f"room-{number}")
            discord.say(room, discord.ada, words, mentions_bot=True)
        else:
            slack = self.playground.slack
            room = slack.add_channel(f"room-{number}")
            slack.say(room, slack.ada, f"<@{slack.bot_user}> {words}")
        return number, room

    def _answered(self, number: int, room: str) -> bool:
        text = self._scripts[number].text
        shown = self.playground.timeline.shown(room)
        answer = [shown[moment.message] for moment in self._moments(room) if moment.kind == "posted"]
        return characters_shown(text, answer) == len(text)

    def _moments(self, room: str) -> list[Moment]:
        return [moment for moment in self.playground.timeline.moments if moment.bot and moment.room == room]

    def _streams(self) -> dict[int, Stream]:
        return {_number(stream.request.question): stream for stream in self.playground.openai.streams}


@asynccontextmanager
async def rig() -> AsyncGenerator[Rig]:
    """Starts both, asks one short question on each platform so that everything is loaded, and ends both."""
    playground = Playground(latency=TRIP)
    await playground.start()
    here = Rig(playground)
    try:
        with tempfile.TemporaryDirectory() as directory:
            async with _bot(playground, Path(directory)):
                await here.ask([Question("discord", Answer(0.05)), Question("slack", Answer(0.05))])
                watching = asyncio.create_task(here.watch())
                try:
                    yield here
                finally:
                    watching.cancel()
    finally:
        await playground.close()


@asynccontextmanager
async def _bot(playground: Playground, directory: Path) -> AsyncGenerator[None]:
    """`rivulet run`, ready. What it has to complain about goes to the standard error stream."""
    config = directory / "config.toml"
    config.write_text(_config(playground, directory / "rivulet.db"))
    secrets = {
        "OPENAI_API_KEY": playground.openai.api_key,
        "DISCORD_TOKEN": playground.discord.token,
        "SLACK_BOT_TOKEN": playground.slack.bot_token,
        "SLACK_APP_TOKEN": playground.slack.app_token,
    }
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run", "--config", str(config)),
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


def _config(playground: Playground, database: Path) -> str:
    return f"""\
[openai]
base_url = {json.dumps(playground.openai_api)}
[discord]
api_url = {json.dumps(playground.discord_api)}
[slack]
api_url = {json.dumps(playground.slack_api)}
[database]
url = {json.dumps(f"sqlite+aiosqlite:///{database}")}
"""


def _number(question: str) -> int:
    return int(question.rsplit(maxsplit=1)[-1])
