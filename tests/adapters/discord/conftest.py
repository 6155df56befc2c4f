"""The whole adapter against Discord's stand-in: the real discord.py and our REST client over loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from adapters.discord.platform import DiscordPlatform
from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline
from tests.adapters.discord.inbox import Inbox


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
async def discord(timeline: Timeline) -> AsyncIterator[DiscordStandIn]:
    discord = DiscordStandIn(timeline, latency=0.004)
    app = web.Application()
    discord.mount(app)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    discord.url = f"http://127.0.0.1:{runner.addresses[0][1]}/discord"
    yield discord
    await discord.close()
    await runner.cleanup()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def bot(discord: DiscordStandIn, inbox: Inbox) -> AsyncIterator[DiscordPlatform]:
    bot = DiscordPlatform(
        discord.token, api_url=f"{discord.url}/api/v10", always_on=frozenset({discord.add_channel("ask")})
    )
    await bot.connect(inbox)
    running = asyncio.create_task(bot.run())
    yield bot
    assert not running.done()
    await bot.close()
    await running
