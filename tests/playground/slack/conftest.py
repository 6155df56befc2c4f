"""Slack's stand-in alone on a loopback server, and Slack's own libraries connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from playground.slack.server import SlackStandIn
from playground.timeline import Timeline
from tests.playground.slack.harness import Bot, Client, Clock, serving, web_client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    async with serving(Timeline()) as stand_in:
        yield stand_in


@pytest.fixture
async def frozen(clock: Clock) -> AsyncIterator[SlackStandIn]:
    """The same with a clock that tests move."""
    async with serving(Timeline(now=clock)) as stand_in:
        yield stand_in


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(slack: SlackStandIn, session: aiohttp.ClientSession) -> Client:
    return web_client(slack, session)


@pytest.fixture
def frozen_client(frozen: SlackStandIn, session: aiohttp.ClientSession) -> Client:
    return web_client(frozen, session)


@pytest.fixture
async def bot(slack: SlackStandIn, client: Client) -> AsyncIterator[Bot]:
    """Connected, and listening to messages and mentions."""
    app = AsyncApp(client=client, request_verification_enabled=False)
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.2)
    bot = Bot(app, handler)

    async def keep(body: dict[str, Any], request: Any) -> None:
        bot.bodies.append(body)
        bot.retries.append(request.headers.get("x-slack-retry-num", ["0"])[0])

    for event in ("message", "app_mention"):
        bot.app.event(event)(keep)
    await handler.connect_async()
    await slack.connected()
    yield bot
    await handler.close_async()
