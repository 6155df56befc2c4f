"""The page over a real socket, with both stand-ins behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from playground.discord.server import DiscordStandIn
from playground.page.server import Page
from playground.slack.server import SlackStandIn
from playground.timeline import Kind, Moment, Timeline

Json = dict[str, Any]


@dataclass
class House:
    timeline: Timeline
    discord: DiscordStandIn
    slack: SlackStandIn
    page: Page
    client: TestClient[web.Request, web.Application]

    async def say(self, platform: str, text: str, **more: Any) -> tuple[int, str]:
        """As Ada in #general, unless told otherwise; returns the answer's status and text."""
        stand_in = self.discord if platform == "discord" else self.slack
        body = {"platform": platform, "room": stand_in.general, "person": stand_in.ada, "text": text, **more}
        async with self.client.post("/page/say", json=body) as answer:
            return answer.status, await answer.text()

    def bot_did(self, kind: Kind, message: str = "", text: str = "", **more: Any) -> None:
        """Something of the bot's becomes visible in Slack's #general."""
        now = self.timeline.now()
        self.timeline.add(Moment(now, "slack", self.slack.general, kind, message, "Rivulet", text, bot=True, **more))


@asynccontextmanager
async def open_house() -> AsyncGenerator[House]:
    timeline = Timeline()
    discord, slack = DiscordStandIn(timeline, latency=0), SlackStandIn(timeline, latency=0)
    page = Page(timeline, discord, slack)
    app = web.Application()
    for part in (discord, slack, page):
        part.mount(app)
    async with TestClient(TestServer(app)) as client:
        yield House(timeline, discord, slack, page, client)
        for part in (discord, slack, page):
            await part.close()


async def events(feed: ClientResponse) -> AsyncIterator[tuple[str, Json]]:
    """The server-sent events of a feed, until it ends."""
    event = ""
    async for line in feed.content:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            event = value
        elif field == "data":
            yield event, json.loads(value)


async def next_event(feed: AsyncIterator[tuple[str, Json]], wanted: str = "moment") -> Json:
    async for event, data in feed:
        if event == wanted:
            return data
    raise AssertionError("the feed has ended")
