"""What the tests of Slack's stand-in share: a clock, a bot, and ways to connect and to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.slack.server import SlackStandIn
from playground.timeline import Timeline

Client: TypeAlias = Any  # slack_sdk's AsyncWebClient, whose own types are incomplete


class Clock:
    """Time that stands still until it is set."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Bot:
    """A bot made of the real slack-bolt, which keeps what it was sent."""

    app: Any  # slack-bolt's AsyncApp, whose own types are incomplete
    handler: AsyncSocketModeHandler
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    retries: list[str] = field(default_factory=list[str])

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [body["event"] for body in self.bodies if body["event"]["type"] == kind]


def web_client(slack: SlackStandIn, session: aiohttp.ClientSession) -> Client:
    return AsyncWebClient(token=slack.bot_token, base_url=f"{slack.url}/api/", session=session, retry_handlers=[])


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Returns when the condition holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (conditions of many kinds, none of which tells when it changes)
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(timeline: Timeline) -> AsyncGenerator[SlackStandIn]:
    """The stand-in alone on a loopback server."""
    stand_in = SlackStandIn(timeline, latency=0.0)
    app = web.Application()
    stand_in.mount(app)
    runner = web.AppRunner(app, shutdown_timeout=0.5, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    stand_in.url = f"http://{host}:{port}/slack"
    yield stand_in
    await stand_in.close()
    await runner.cleanup()


async def error_of(call: Awaitable[Any]) -> str:
    """Slack's error code for a call that it does not accept."""
    return str((await refused(call))["error"])


async def refused(call: Awaitable[Any]) -> Any:
    """The response to a call that does not end well."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return cast(Any, caught.value).response  # untyped in slack_sdk
