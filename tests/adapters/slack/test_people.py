"""Names are remembered for a while, and for so many people."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.slack.calls import TIMEOUT, WebClient, web_client
from adapters.slack.people import People
from playground.slack.server import SlackStandIn


@pytest.fixture
async def client(slack: SlackStandIn) -> AsyncIterator[WebClient]:
    client = web_client(f"{slack.url}/api/", slack.bot_token, logging.getLogger("test"))
    async with aiohttp.ClientSession(timeout=TIMEOUT) as client.session:
        yield client


async def test_a_name_is_asked_for_again_after_an_hour(slack: SlackStandIn, client: WebClient):
    now = 100.0
    people = People(client, now=lambda: now)
    assert await people.names([slack.ada]) == {slack.ada: "Ada"}
    now += 3500
    await people.names([slack.ada])
    assert len(slack.calls) == 1
    now += 200
    await people.names([slack.ada])
    assert len(slack.calls) == 2


async def test_a_known_name_outlives_a_failed_look_up(slack: SlackStandIn, client: WebClient):
    now = 100.0
    people = People(client, now=lambda: now)
    await people.names([slack.ada])
    now += 4000
    slack.fail("users.info", status=500)
    assert await people.names([slack.ada]) == {slack.ada: "Ada"}
    now += 61
    await people.names([slack.ada])
    assert len(slack.calls) == 3


async def test_only_so_many_people_are_remembered(slack: SlackStandIn, client: WebClient):
    people = People(client, remembered=1)
    await people.names([slack.ada])
    await people.names([slack.linus])
    await people.names([slack.linus])
    assert len(slack.calls) == 2
    await people.names([slack.ada])
    assert len(slack.calls) == 3


async def test_whoever_cannot_be_named_in_time_is_missing(slack: SlackStandIn, client: WebClient):
    slack.latency = 0.2
    assert await People(client, patience=0.05).names([slack.ada]) == {}
