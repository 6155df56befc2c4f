"""The stand-in on a socket of its own, a plain HTTP client and the real discord.py connected to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from aiohttp import web
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline

WAIT = 5.0  # seconds after which a test gives up


class Clock:
    """Runs like the real one, and skips ahead when asked."""

    skipped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timeline(clock: Clock) -> Timeline:
    return Timeline(now=clock)


@pytest.fixture
async def stand_in(timeline: Timeline) -> AsyncIterator[DiscordStandIn]:
    stand_in = DiscordStandIn(timeline, latency=0.0)
    app = web.Application()
    stand_in.mount(app)
    runner = web.AppRunner(app, shutdown_timeout=0.5, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    stand_in.url = f"http://{host}:{port}/discord"
    yield stand_in
    await stand_in.close()
    await runner.cleanup()


@dataclass
class Reply:
    """What a raw call was answered."""

    status: int
    headers: Any
    json: Any


class Http:
    """Calls the REST API with the bot's token and without any SDK."""

    def __init__(self, session: aiohttp.ClientSession, stand_in: DiscordStandIn) -> None:
        self.session = session
        self.base = f"{stand_in.url}/api/v10"
        self.token = stand_in.token

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **options: Any
    ) -> Reply:
        headers = {"Authorization": f"Bot {self.token}", **(headers or {})}
        if body is not None:
            options["data"] = json.dumps(body)
            headers["Content-Type"] = "application/json"
        async with self.session.request(method, self.base + path, headers=headers, **options) as response:
            text = await response.text()
            return Reply(response.status, response.headers, json.loads(text) if text else None)


@pytest.fixture
async def http(stand_in: DiscordStandIn) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession() as session:
        yield Http(session, stand_in)


class Bot(discord.Client):
    """Keeps what it hears; tests give it `on_question` and commands."""

    def __init__(self) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)
        none = discord.AllowedMentions.none()
        super().__init__(intents=intents, allowed_mentions=none, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deletions: list[int] = []
        self.times_ready = 0
        self.times_resumed = 0

    async def on_ready(self) -> None:
        self.times_ready += 1

    async def on_resumed(self) -> None:
        self.times_resumed += 1

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self.deletions.append(payload.message_id)

    def texts(self) -> list[str]:
        """What people said."""
        return [message.content for message in self.heard if not message.author.bot]


@pytest.fixture
async def bot(stand_in: DiscordStandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    monkeypatch.setattr(Route, "BASE", f"{stand_in.url}/api/v10")
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws{stand_in.url[4:]}/gateway"))
    client = Bot()
    running = asyncio.create_task(client.start(stand_in.token))
    await stand_in.connected(WAIT)
    await asyncio.wait_for(client.wait_until_ready(), WAIT)
    yield client
    await client.close()
    await asyncio.wait_for(running, WAIT)


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; raises TimeoutError if that never happens."""
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110  # the condition lies in a program that has no event to offer
            await asyncio.sleep(0.005)


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], bool]], Any]:
    return until
