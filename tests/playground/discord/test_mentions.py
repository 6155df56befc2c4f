"""Who is pinged: allowed_mentions as Discord reads it."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn


@pytest.fixture
def room(stand_in: DiscordStandIn) -> str:
    return f"/channels/{stand_in.general}/messages"


def pinged(stand_in: DiscordStandIn) -> list[str]:
    return [ping.target for ping in stand_in.pings]


async def test_without_the_field_everybody_named_is_pinged(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    crew = stand_in.add_role("crew")
    content = f"@everyone <@{stand_in.ada}> <@!{stand_in.linus}> <@&{crew}> <@1>"
    answer = (await http("POST", room, {"content": content})).json
    assert pinged(stand_in) == [stand_in.ada, stand_in.linus, crew, "everyone"]
    assert [user["id"] for user in answer["mentions"]] == [stand_in.ada, stand_in.linus]
    assert answer["mention_everyone"] is True
    assert answer["mention_roles"] == [crew]


async def test_an_empty_parse_pings_nobody(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    question = stand_in.say(stand_in.general, stand_in.ada, "?")
    body: dict[str, Any] = {
        "content": f"@everyone @here <@{stand_in.ada}>",
        "allowed_mentions": {"parse": []},
        "message_reference": {"message_id": question},
    }
    answer = (await http("POST", room, body)).json
    assert stand_in.pings == []
    assert (answer["mentions"], answer["mention_everyone"]) == ([], False)


async def test_only_the_listed_are_pinged(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    both = f"@everyone <@{stand_in.ada}> <@{stand_in.linus}>"
    await http("POST", room, {"content": both, "allowed_mentions": {"users": [stand_in.linus]}})
    assert pinged(stand_in) == [stand_in.linus]


async def test_a_reply_pings_unless_told_otherwise(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    question = stand_in.say(stand_in.general, stand_in.ada, "?")
    body: dict[str, Any] = {"content": "!", "message_reference": {"message_id": question}}
    await http("POST", room, body)
    assert pinged(stand_in) == [stand_in.ada]
    await http("POST", room, {**body, "allowed_mentions": {"parse": ["users"]}})
    assert pinged(stand_in) == [stand_in.ada], "with the field, replied_user is false unless it says otherwise"
    await http("POST", room, {**body, "allowed_mentions": {"parse": [], "replied_user": True}})
    assert pinged(stand_in) == [stand_in.ada, stand_in.ada]


async def test_an_edit_without_the_field_pings_again(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    """What the post allowed holds for the post only."""
    quiet: dict[str, Any] = {"content": "@everyone", "allowed_mentions": {"parse": []}}
    sent = (await http("POST", room, quiet)).json["id"]
    await http("PATCH", f"{room}/{sent}", quiet)
    assert stand_in.pings == []
    await http("PATCH", f"{room}/{sent}", {"content": "@everyone"})
    assert pinged(stand_in) == ["everyone"]


@pytest.mark.parametrize(
    "content", ["`@everyone`", "```\n@everyone <@{ada}>\n```", "``<@{ada}>``", "me@everyones.example"]
)
async def test_code_pings_nobody(http: Any, room: str, stand_in: DiscordStandIn, content: str) -> None:
    await http("POST", room, {"content": content.replace("{ada}", stand_in.ada)})
    assert stand_in.pings == []


async def test_everyone_is_pinged_by_permission_only(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    stand_in.forbid(stand_in.general, Permission.MENTION_EVERYONE)
    await http("POST", room, {"content": f"@everyone <@&{stand_in.add_role('crew')}> <@{stand_in.ada}>"})
    assert pinged(stand_in) == [stand_in.ada]


async def test_text_in_components_pings_like_content(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    text = {"type": 10, "content": f"<@{stand_in.ada}>"}
    await http("POST", room, {"flags": 1 << 15, "components": [{"type": 17, "components": [text]}]})
    assert pinged(stand_in) == [stand_in.ada]


async def test_what_people_mention_is_no_ping_of_the_bots(stand_in: DiscordStandIn) -> None:
    stand_in.say(stand_in.general, stand_in.ada, f"<@{stand_in.linus}> @everyone", mentions_bot=True)
    assert stand_in.pings == []
