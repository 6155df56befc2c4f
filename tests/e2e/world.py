"""The whole bot against the playground: real SDKs, real sockets, a real database, and what a reader saw."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.app import run
from bot.config import Secrets, Settings
from bot.signals import Signals
from playground.openai.script import Script
from playground.server import Playground
from playground.timeline import Moment

DEADLINE = 30.0  # seconds: for what must happen at all, not for how fast


@dataclass
class World:
    """A playground and one bot on it, which can be stopped and started again."""

    playground: Playground
    database: Path
    openai: dict[str, Any] = field(default_factory=dict[str, Any])  # settings beyond the defaults
    discord: dict[str, Any] = field(default_factory=dict[str, Any])
    slack: dict[str, Any] = field(default_factory=dict[str, Any])
    bot: dict[str, Any] = field(default_factory=dict[str, Any])
    platforms: frozenset[str] = frozenset({"discord", "slack"})  # that are on
    url: str = ""  # of another database than the file
    patience: float = DEADLINE  # for what must happen at all
    said: list[str] = field(default_factory=list[str])  # what the bot printed
    _running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the bot is ready."""
        settings = Settings.model_validate(
            {
                "openai": {"base_url": self.playground.openai_api, **self.openai},
                "discord": {"api_url": self.playground.discord_api, **self.discord},
                "slack": {"api_url": self.playground.slack_api, **self.slack},
                "database": {"url": self.url or f"sqlite:///{self.database}"},
                "bot": {"shutdown_grace": 3.0, **self.bot},
            }
        )
        discord, slack = "discord" in self.platforms, "slack" in self.platforms
        secrets = Secrets.model_validate(
            {
                "openai_api_key": self.playground.openai.api_key,
                "discord_token": self.playground.discord.token if discord else "",
                "slack_bot_token": self.playground.slack.bot_token if slack else "",
                "slack_app_token": self.playground.slack.app_token if slack else "",
            }
        )
        self.said.clear()
        self._signals = Signals()
        running = self._running = asyncio.create_task(run(settings, secrets, self.said.append, self._signals))
        await self.until(lambda: "ready" in self.said or running.done())
        if running.done():
            await running

    async def stop(self) -> None:
        """As by SIGTERM; returns when the bot has ended."""
        if self._running is not None and not self._running.done():
            self._signals.arrive()
            await self._running

    async def kill(self) -> None:
        """As by SIGKILL, for a bot that is answering nothing: what its end writes into the database is undone."""
        now = self.database.with_suffix(".now")
        with closing(sqlite3.connect(self.database)) as source, closing(sqlite3.connect(now)) as copy:
            source.backup(copy)
        await self.stop()
        for file in self.database.parent.glob(f"{self.database.name}-*"):
            file.unlink()
        now.replace(self.database)

    async def until(self, condition: Callable[[], object], *, seconds: float = 0.0) -> None:
        """Waits for something that must happen."""
        async with asyncio.timeout(seconds or self.patience):
            while not condition():  # noqa: ASYNC110  (any condition on the world's state, not one that could notify)
                await asyncio.sleep(0.01)

    def model_says(self, *answers: str | Script) -> None:
        """The model's next answers, in the order in which it is asked."""
        for answer in answers:
            self.playground.openai.script(answer)

    # What stands on the screen

    def bot_messages(self, room: str) -> list[Moment]:
        """What everybody sees of the bot in a room now, oldest first."""
        shown = self.playground.timeline.shown(room)
        posted = [m for m in self.playground.timeline.moments if m.kind == "posted" and m.message in shown]
        return [
            self.playground.timeline.states(m.message)[-1]
            for m in posted
            if m.bot and m.room == room and not m.private_to
        ]

    def texts(self, room: str) -> list[str]:
        return [moment.text for moment in self.bot_messages(room)]

    async def shows(self, room: str, *texts: str) -> None:
        """Waits until these are the bot's messages in a room, and says what stands there if they never are."""
        try:
            await self.until(lambda: self.texts(room) == list(texts))
        except TimeoutError:
            raise AssertionError(f"stands there: {self.texts(room)!r}\nexpected: {list(texts)!r}") from None

    @property
    def refusals(self) -> list[Any]:
        return [*self.playground.discord.refusals, *self.playground.slack.refusals]

    # What people do

    def ask_discord(self, text: str, *, person: str = "", room: str = "") -> str:
        discord = self.playground.discord
        return discord.say(room or discord.general, person or discord.ada, text, mentions_bot=True)

    def ask_slack(self, text: str, *, person: str = "", room: str = "") -> str:
        slack = self.playground.slack
        return slack.say(room or slack.general, person or slack.ada, f"<@{slack.bot_user}> {text}")


@asynccontextmanager
async def world(
    tmp_path: Path,
    *,
    latency: float = 0.01,
    openai: dict[str, Any] | None = None,
    slack: dict[str, Any] | None = None,
    bot: dict[str, Any] | None = None,
) -> AsyncGenerator[World]:
    """A world in which the model answers at once unless a script says otherwise; the bot is not started yet."""
    playground = Playground(latency=latency)
    playground.openai.tokens_per_second = 0
    playground.openai.first_token = 0.0
    await playground.start()
    world = World(playground, tmp_path / "rivulet.db", openai or {}, slack=slack or {}, bot=bot or {})
    try:
        yield world
    finally:
        await world.stop()
        await playground.close()
