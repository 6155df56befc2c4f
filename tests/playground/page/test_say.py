"""What people type, and what becomes of it on the platforms."""

from __future__ import annotations

from typing import Any

import pytest

from playground.timeline import Moment
from tests.playground.page.house import House

both = pytest.mark.parametrize("platform", ["discord", "slack"])


def last(house: House) -> Moment:
    return house.timeline.moments[-1]


def mention(house: House, platform: str) -> str:
    return f"<@{house.discord.bot_user if platform == 'discord' else house.slack.bot_user}>"


@both
async def test_words_are_said_in_their_room_by_their_person(house: House, platform: str) -> None:
    stand_in = house.discord if platform == "discord" else house.slack
    assert await house.say(platform, "in general") == (204, "")
    assert await house.say(platform, "by Linus", person=stand_in.linus) == (204, "")
    assert await house.say(platform, "directly", room=stand_in.open_dm(stand_in.ada)) == (204, "")
    said = [(moment.platform, moment.room, moment.author, moment.text) for moment in house.timeline.moments]
    assert said == [
        (platform, stand_in.general, "Ada", "in general"),
        (platform, stand_in.general, "Linus", "by Linus"),
        (platform, stand_in.open_dm(stand_in.ada), "Ada", "directly"),
    ]


@both
async def test_a_mention_is_put_before_the_words(house: House, platform: str) -> None:
    await house.say(platform, "hello", mention=True)
    assert last(house).text == f"{mention(house, platform)} hello"


@both
async def test_a_typed_name_is_a_mention_and_not_doubled(house: House, platform: str) -> None:
    await house.say(platform, "hello @rivulet!", mention=True)
    assert last(house).text == f"hello {mention(house, platform)}!"


@both
async def test_markup_that_people_type_stays_what_they_typed(house: House, platform: str) -> None:
    await house.say(platform, "is `a < b` & <script>?")
    assert last(house).text == "is `a < b` & <script>?"


async def test_on_discord_one_answers_a_message(house: House) -> None:
    await house.say("discord", "first")
    first = last(house).message
    await house.say("discord", "second", reply_to=first)
    assert (last(house).text, last(house).reply_to) == ("second", first)


async def test_on_slack_one_answers_in_a_thread(house: House) -> None:
    await house.say("slack", "first")
    first = last(house).message
    await house.say("slack", "second", reply_to=first)
    assert (last(house).text, last(house).reply_to) == ("second", first)


@both
async def test_answering_what_is_not_there_says_why_it_cannot_be(house: House, platform: str) -> None:
    status, reason = await house.say(platform, "hello", reply_to="1.0")
    assert status == 400
    assert reason
    assert house.timeline.moments == []


async def test_discord_refuses_what_is_too_long(house: House) -> None:
    status, reason = await house.say("discord", "x" * 2001)
    assert (status, "2,000" in reason) == (400, True)


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("/help", {}, "/help is not a valid command"),
        ("/rivulet stop", {"reply_to": "1.0"}, "/rivulet is not supported in threads"),
    ],
)
async def test_slack_says_which_commands_it_has_and_where(
    house: House, text: str, more: dict[str, Any], reason: str
) -> None:
    status, answer = await house.say("slack", text, **more)
    assert (status, reason in answer) == (400, True)


@both
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": "  \n"}, "nothing to send"),
        ({"room": "C999"}, "no room 'C999'"),
        ({"person": "U999"}, "no person 'U999'"),
        ({"platform": "irc"}, "must be one of discord, slack"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_a_reason(
    house: House, platform: str, body: dict[str, Any], reason: str
) -> None:
    status, answer = await house.say(**{"platform": platform, "text": "hello"} | body)
    assert (status, reason in answer) == (400, True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(house: House, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with house.client.post("/page/say", data=body, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (400, "Send a JSON object.")


async def test_a_form_of_another_site_cannot_speak_here(house: House) -> None:
    """Browsers send text/plain across origins without asking, but never application/json."""
    body = f'{{"platform": "slack", "room": "{house.slack.general}", "person": "{house.slack.ada}", "text": "hello"}}'
    async with house.client.post("/page/say", data=body, headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
    assert house.timeline.moments == []
