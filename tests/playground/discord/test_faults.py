"""Faults on request hit the calls that they were meant for, before or after the effect."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline


@pytest.fixture
def room(stand_in: DiscordStandIn) -> str:
    return f"/channels/{stand_in.general}/messages"


async def test_a_fault_hits_so_many_calls_and_nothing_else(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    stand_in.fail("POST", r"/messages$", status=503, times=2)
    assert (await http("GET", room)).status == 200
    assert [(await http("POST", room, {"content": "x"})).status for _ in range(3)] == [503, 503, 200]


async def test_every_call_is_on_record_with_its_answer(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    await http("POST", room, {"content": "x"})
    await http("POST", room, {"content": "x" * 2001})
    stand_in.fail("POST", r"/messages$", status=503)
    await http("POST", room, {"content": "x"})
    assert [(call.method, call.path, call.status) for call in stand_in.calls] == [
        ("POST", room, 200),
        ("POST", room, 400),
        ("POST", room, 503),
    ]


async def test_a_fault_comes_before_the_effect_or_after_it(
    http: Any, room: str, stand_in: DiscordStandIn, timeline: Timeline
) -> None:
    stand_in.fail("POST", room, status=500)
    await http("POST", room, {"content": "unseen"})
    stand_in.fail("POST", room, status=500, after_effect=True)
    answer = await http("POST", room, {"content": "seen"})
    assert answer.status == 500
    assert [moment.text for moment in timeline.moments] == ["seen"]


async def test_a_scripted_refusal_is_written_as_discord_writes_it(
    http: Any, room: str, stand_in: DiscordStandIn
) -> None:
    stand_in.fail("POST", room, status=429)
    answer = await http("POST", room, {"content": "x"})
    assert answer.json == {"message": "You are being rate limited.", "retry_after": 1.0, "global": False}
    assert answer.headers["Retry-After"] == "1"
    assert len(stand_in.refusals) == 1


async def test_a_text_is_a_proxys_answer(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    """discord.py tells Cloudflare's ban from Discord's refusal by that."""
    url = f"{stand_in.url}/api/v10{room}"
    stand_in.fail("GET", room, status=429, body="error code: 1015", headers={"Retry-After": "60"})
    async with http.session.get(url) as response:
        assert (response.status, await response.text()) == (429, "error code: 1015")
        assert "Via" not in response.headers
        assert response.headers["Retry-After"] == "60"


async def test_a_connection_can_be_dropped(http: Any, room: str, stand_in: DiscordStandIn, timeline: Timeline) -> None:
    for after_effect in (False, True):
        stand_in.fail("POST", room, drop=True, after_effect=after_effect)
        with pytest.raises(aiohttp.ClientConnectionError):
            await http("POST", room, {"content": f"after effect: {after_effect}"})
    assert [moment.text for moment in timeline.moments] == ["after effect: True"]


async def test_a_caller_can_be_left_without_an_answer(
    http: Any, room: str, stand_in: DiscordStandIn, timeline: Timeline
) -> None:
    for after_effect in (False, True):
        stand_in.fail("POST", room, hang=True, after_effect=after_effect)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http("POST", room, {"content": f"after effect: {after_effect}"})
    assert [moment.text for moment in timeline.moments] == ["after effect: True"]
    assert [call.status for call in stand_in.calls] == [0, 0]


async def test_a_fault_that_lasts_is_mended(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    mend = stand_in.fail("GET", room, status=500, times=100)
    assert [(await http("GET", room)).status for _ in range(3)] == [500] * 3
    mend()
    assert (await http("GET", room)).status == 200
    mend()
