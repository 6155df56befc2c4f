"""Application commands and interactions as raw calls."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord.limits import Limit
from playground.discord.server import DiscordStandIn
from playground.timeline import Timeline


@pytest.fixture
async def pressed(http: Any, stand_in: DiscordStandIn) -> str:
    """A command that Ada has used and nobody has answered."""
    commands = f"/applications/{stand_in.application}/commands"
    await http("POST", commands, {"name": "new", "description": "Forget"})
    return stand_in.press_command(stand_in.general, stand_in.ada, "new")


def callback(stand_in: DiscordStandIn, interaction: str) -> str:
    return f"/interactions/{interaction}/{stand_in.state.interactions[interaction].token}/callback"


def webhook(stand_in: DiscordStandIn, interaction: str) -> str:
    return f"/webhooks/{stand_in.application}/{stand_in.state.interactions[interaction].token}"


async def test_commands_are_replaced_as_a_whole_and_keep_their_ids(http: Any, stand_in: DiscordStandIn) -> None:
    path = f"/applications/{stand_in.application}/commands"
    first = (await http("PUT", path, [{"name": "new", "description": "a"}, {"name": "stop", "description": "b"}])).json
    second = (await http("PUT", path, [{"name": "stop", "description": "c"}])).json
    assert [command["name"] for command in second] == ["stop"]
    assert second[0]["id"] == first[1]["id"]
    assert (await http("GET", path)).json == second
    changed = await http("PATCH", f"{path}/{second[0]['id']}", {"description": "d"})
    assert changed.json["description"] == "d"
    assert (await http("DELETE", f"{path}/{second[0]['id']}")).status == 204
    assert (await http("GET", f"{path}/{second[0]['id']}")).json["code"] == 10063


async def test_a_command_must_be_named_as_discord_likes_it(http: Any, stand_in: DiscordStandIn) -> None:
    path = f"/applications/{stand_in.application}/commands"
    for wrong in ({"name": "New", "description": "x"}, {"name": "new", "description": ""}, {"name": "a b"}, {}):
        assert (await http("POST", path, wrong)).json["code"] == 50035, wrong
    answer = await http("PUT", path, [{"name": "ok", "description": "x"}, {"name": "NO", "description": "x"}])
    assert list(answer.json["errors"]) == ["1"]
    assert (await http("GET", path)).json == []


async def test_other_applications_and_guilds_are_out_of_bounds(http: Any, stand_in: DiscordStandIn) -> None:
    assert (await http("GET", "/applications/1/commands")).json["code"] == 20012
    answer = await http("GET", f"/applications/{stand_in.application}/guilds/1/commands")
    assert answer.json["code"] == 50001


async def test_nobody_can_use_a_command_that_is_not_there(stand_in: DiscordStandIn, pressed: str) -> None:
    with pytest.raises(ValueError, match="no command /old"):
        stand_in.press_command(stand_in.general, stand_in.ada, "old")
    with pytest.raises(ValueError, match="no option 'x'"):
        stand_in.press_command(stand_in.general, stand_in.ada, "new", {"x": 1})


async def test_an_answer_is_shown_and_told(http: Any, stand_in: DiscordStandIn, pressed: str) -> None:
    body = {"type": 4, "data": {"content": "done", "flags": 64}}
    answer = await http("POST", callback(stand_in, pressed) + "?with_response=1", body)
    assert answer.json["interaction"]["response_message_ephemeral"] is True
    assert answer.json["resource"]["message"]["content"] == "done"
    assert [response.content for response in stand_in.responses(pressed)] == ["done"]


async def test_without_with_response_the_callback_answers_nothing(
    http: Any, stand_in: DiscordStandIn, pressed: str
) -> None:
    answer = await http("POST", callback(stand_in, pressed), {"type": 5})
    assert (answer.status, answer.json) == (204, None)


async def test_an_interaction_needs_no_bot_token(http: Any, stand_in: DiscordStandIn, pressed: str) -> None:
    body = {"type": 4, "data": {"content": "x"}}
    answer = await http("POST", callback(stand_in, pressed), body, headers={"Authorization": ""})
    assert answer.status == 204


async def test_an_interaction_is_answered_once(http: Any, stand_in: DiscordStandIn, pressed: str) -> None:
    await http("POST", callback(stand_in, pressed), {"type": 5})
    again = await http("POST", callback(stand_in, pressed), {"type": 4, "data": {"content": "x"}})
    assert (again.status, again.json["code"]) == (400, 40060)


async def test_an_answer_after_three_seconds_comes_too_late(
    http: Any, stand_in: DiscordStandIn, pressed: str, clock: Any
) -> None:
    clock.skip(3.1)
    late = await http("POST", callback(stand_in, pressed), {"type": 5})
    assert (late.status, late.json["code"]) == (404, 10062)


async def test_a_command_takes_no_update_of_a_message(http: Any, stand_in: DiscordStandIn, pressed: str) -> None:
    for kind in (6, 7, 99, None):
        answer = await http("POST", callback(stand_in, pressed), {"type": kind})
        assert list(answer.json["errors"]) == ["type"]


async def test_the_token_works_from_the_answer_on_for_a_quarter_of_an_hour(
    http: Any, stand_in: DiscordStandIn, pressed: str, clock: Any
) -> None:
    original = webhook(stand_in, pressed) + "/messages/@original"
    assert (await http("PATCH", original, {"content": "x"})).json["code"] == 10015
    await http("POST", callback(stand_in, pressed), {"type": 5})
    assert (await http("PATCH", original, {"content": "x"})).json["content"] == "x"
    clock.skip(901)
    expired = await http("PATCH", original, {"content": "y"})
    assert (expired.status, expired.json["code"]) == (401, 50027)
    wrong = await http("PATCH", f"/webhooks/{stand_in.application}/wrong/messages/@original", {"content": "y"})
    assert (wrong.status, wrong.json["code"]) == (401, 50027)


async def test_the_first_follow_up_after_a_deferral_takes_its_place(
    http: Any, stand_in: DiscordStandIn, pressed: str, timeline: Timeline
) -> None:
    await http("POST", callback(stand_in, pressed), {"type": 5})
    for text in ("first", "second"):
        await http("POST", webhook(stand_in, pressed), {"content": text})
    assert [response.content for response in stand_in.responses(pressed)] == ["first", "second"]
    assert [moment.kind for moment in timeline.moments] == ["posted", "edited", "posted"]
    await http("DELETE", webhook(stand_in, pressed) + "/messages/@original")
    assert [response.content for response in stand_in.responses(pressed)] == ["second"]


async def test_what_only_one_person_sees_is_hidden_from_the_channel(
    http: Any, stand_in: DiscordStandIn, pressed: str
) -> None:
    await http("POST", callback(stand_in, pressed), {"type": 4, "data": {"content": "x", "flags": 64}})
    response = stand_in.responses(pressed)[0]
    answer = await http("PATCH", f"/channels/{stand_in.general}/messages/{response.id}", {"content": "y"})
    assert answer.json["code"] == 10008


async def test_an_interaction_pings_people_only(http: Any, stand_in: DiscordStandIn, pressed: str) -> None:
    content = f"@everyone <@{stand_in.linus}>"
    await http("POST", callback(stand_in, pressed), {"type": 4, "data": {"content": content}})
    assert [ping.target for ping in stand_in.pings] == [stand_in.linus]


async def test_an_interactions_calls_are_counted_on_their_own(
    http: Any, stand_in: DiscordStandIn, pressed: str
) -> None:
    """Five in two seconds, and none of them as a call of the bot."""
    stand_in.limits.whole_bot = Limit(2, 60.0)  # one was used to register the command
    await http("POST", callback(stand_in, pressed), {"type": 5})
    path = webhook(stand_in, pressed) + "/messages/@original"
    answers = [await http("PATCH", path, {"content": str(number)}) for number in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert float(answers[0].headers["X-RateLimit-Reset-After"]) <= 2
    assert (await http("GET", "/users/@me")).status == 200
