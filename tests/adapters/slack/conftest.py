"""A workspace on loopback, and the platform connected to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.slack.platform import SlackPlatform
from playground.slack.server import SlackStandIn
from playground.timeline import Timeline
from tests.adapters.slack.workspace import Connect, FakeInbox


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
async def slack(timeline: Timeline) -> AsyncIterator[SlackStandIn]:
    stand_in = SlackStandIn(timeline, latency=0.0)
    stand_in.limits.ack_within = 0.3
    stand_in.limits.redeliver_after = (0.0,) + (0.1,) * 30  # a busy machine may miss some
    app = web.Application()
    stand_in.mount(app)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack"
    yield stand_in
    await stand_in.close()
    await runner.cleanup()


@pytest.fixture
def inbox() -> FakeInbox:
    return FakeInbox()


@pytest.fixture
def connect(slack: SlackStandIn, inbox: FakeInbox) -> Connect:
    """`async with connect(conversation_scope="thread") as platform:` connects, and closes at the end.

    Another inbox than `inbox` may be named first.
    """

    @asynccontextmanager
    async def connected(to: FakeInbox = inbox, **settings: Any) -> AsyncGenerator[SlackPlatform]:
        platform = SlackPlatform(slack.bot_token, slack.app_token, api_url=f"{slack.url}/api/", **settings)
        await platform.connect(to)
        try:
            yield platform
        finally:
            await platform.close()

    return connected


@pytest.fixture
async def platform(connect: Connect) -> AsyncIterator[SlackPlatform]:
    async with connect() as platform:
        yield platform
