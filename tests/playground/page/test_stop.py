"""The button that Slack puts beside a bot at work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.page.house import House


async def press(house: House, **more: Any) -> tuple[int, str]:
    body = {"platform": "slack", "room": house.slack.general, "person": house.slack.ada, "thread": "1.0"} | more
    async with house.client.post("/page/stop", json=body) as answer:
        return answer.status, await answer.text()


async def test_it_stops_what_is_processing(house: House) -> None:
    thread = house.slack.say(house.slack.general, house.slack.ada, "go")
    headers = {"Authorization": f"Bearer {house.slack.bot_token}"}
    stream = {
        "channel": house.slack.general,
        "thread_ts": thread,
        "recipient_user_id": house.slack.ada,
        "recipient_team_id": house.slack.team,
        "markdown_text": "x",
    }
    await house.client.post("/slack/api/chat.startStream", json=stream, headers=headers)
    assert house.timeline.moments[-2].live
    assert await press(house, thread=thread) == (204, "")
    assert not house.timeline.moments[-1].live


@pytest.mark.parametrize("wrong", [{}, {"platform": "discord"}, {"platform": "irc"}, {"person": "U404"}])
async def test_what_cannot_be_stopped_is_said(house: House, wrong: dict[str, str]) -> None:
    status, reason = await press(house, **wrong)
    assert (status, bool(reason)) == (400, True)


async def test_another_site_cannot_press_it(house: House) -> None:
    async with house.client.post("/page/stop", data="{}", headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
