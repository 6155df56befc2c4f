"""REST as raw calls: what is accepted, what is refused and in which words."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from playground.discord.payloads import guild_create_json
from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from playground.discord.snowflakes import created
from playground.timeline import Timeline


@pytest.fixture
def room(stand_in: DiscordStandIn) -> str:
    return f"/channels/{stand_in.general}/messages"


async def test_json_is_answered_with_exactly_its_content_type(http: Any) -> None:
    """With a charset behind it discord.py would take the body for text."""
    answer = await http("GET", "/users/@me")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Via"] == "1.1 google"
    assert answer.json["username"] == "rivulet"


@pytest.mark.parametrize("authorization", ["", "Bot wrong", "Bearer playground-discord-token"])
async def test_only_the_bots_own_token_is_let_in(http: Any, room: str, authorization: str) -> None:
    answer = await http("POST", room, {"content": "x"}, headers={"Authorization": authorization})
    assert (answer.status, answer.json) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_the_gateways_address_is_told(http: Any, stand_in: DiscordStandIn) -> None:
    url = stand_in.url.replace("http", "ws") + "/gateway"
    assert (await http("GET", "/gateway")).json == {"url": url}
    answer = (await http("GET", "/gateway/bot")).json
    limit = answer["session_start_limit"]
    assert (answer["url"], answer["shards"]) == (url, 1)
    assert (limit["total"], limit["remaining"], limit["max_concurrency"]) == (1000, 1000, 1)


async def test_what_is_not_there_has_a_code_of_its_own(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    calls = [
        ("GET", "/nowhere", 404, 0),
        ("GET", "/channels/1", 404, 10003),
        ("POST", "/channels/1/messages", 404, 10003),
        ("GET", "/guilds/1", 404, 10004),
        ("GET", room + "/1", 404, 10008),
        ("PATCH", room + "/1", 404, 10008),
        ("DELETE", room + "/1", 404, 10008),
    ]
    for method, path, status, code in calls:
        answer = await http(method, path, {"content": "x"})
        assert (answer.status, answer.json["code"]) == (status, code), (method, path)
    assert (await http("GET", f"/guilds/{stand_in.guild}")).json["name"] == "Rivulet Playground"
    assert (await http("GET", f"/channels/{stand_in.general}")).json["name"] == "general"


async def test_two_thousand_code_points_fit_and_one_more_does_not(http: Any, room: str) -> None:
    """Code points, not bytes or UTF-16 units."""
    accepted = await http("POST", room, {"content": "𝄞" * 2000})
    assert accepted.json["content"] == "𝄞" * 2000
    refused = await http("POST", room, {"content": "x" * 2001})
    assert refused.status == 400
    assert refused.json == {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {
            "content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}
        },
    }
    edited = await http("PATCH", f"{room}/{accepted.json['id']}", {"content": "x" * 2001})
    assert edited.json["code"] == 50035


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n\t"}, {"content": None}])
async def test_an_empty_message_is_refused(http: Any, room: str, body: Any, timeline: Timeline) -> None:
    answer = await http("POST", room, body)
    assert (answer.status, answer.json["code"]) == (400, 50006)
    assert timeline.moments == []


async def test_a_message_cannot_be_emptied_by_an_edit(http: Any, room: str) -> None:
    sent = (await http("POST", room, {"content": "something"})).json
    answer = await http("PATCH", f"{room}/{sent['id']}", {"content": " "})
    assert (answer.status, answer.json["code"]) == (400, 50006)
    assert (await http("GET", f"{room}/{sent['id']}")).json["content"] == "something"


async def test_whitespace_around_a_text_is_trimmed(http: Any, room: str) -> None:
    sent = (await http("POST", room, {"content": "\n  a\n b \n"})).json
    assert sent["content"] == "a\n b"
    edited = await http("PATCH", f"{room}/{sent['id']}", {"content": " c "})
    assert edited.json["content"] == "c"


@pytest.mark.parametrize(
    ("data", "content_type", "code"),
    [("{", "application/json", 50109), ("[]", "application/json", 50035), ("a=b", "text/plain", 50035)],
)
async def test_a_body_that_is_no_json_object_is_refused(
    http: Any, room: str, data: str, content_type: str, code: int
) -> None:
    answer = await http("POST", room, headers={"Content-Type": content_type}, data=data)
    assert (answer.status, answer.json["code"]) == (400, code)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ["x"]),
        ("nonce", "n" * 26),
        ("embeds", [{"description": "d" * 4097}]),
        ("embeds", [{"title": str(number)} for number in range(11)]),
        ("embeds", [{"description": "d" * 4000}, {"description": "d" * 2001}]),
        ("allowed_mentions", {"parse": ["people"]}),
        ("allowed_mentions", {"parse": ["users"], "users": ["1"]}),
        ("allowed_mentions", {"parse": 3}),
        ("allowed_mentions", {"parse": ["users", "everybody"]}),
        ("allowed_mentions", {"users": ["ada"]}),
        ("allowed_mentions", {"roles": [str(number) for number in range(101)]}),
        ("allowed_mentions", {"replied_user": "no"}),
        ("allowed_mentions", []),
        ("attachments", [{"id": 0}]),
        ("attachments", [{"id": "first"}]),
        ("attachments", [{"id": 0, "description": "d" * 1025}]),
        ("message_reference", "1"),
        ("flags", "4"),
    ],
)
async def test_a_wrong_field_is_named_in_the_refusal(http: Any, room: str, field: str, value: Any) -> None:
    answer = await http("POST", room, {"content": "x", field: value})
    assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (400, 50035, [field])


async def test_a_reply_to_a_message_that_is_gone_fails_unless_told_otherwise(
    http: Any, room: str, stand_in: DiscordStandIn
) -> None:
    question = stand_in.say(stand_in.general, stand_in.ada, "?")
    stand_in.delete(question)
    body: dict[str, Any] = {"content": "x", "message_reference": {"message_id": question}}
    refused = await http("POST", room, body)
    assert refused.json["errors"]["message_reference"]["_errors"][0]["code"] == "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"
    body["message_reference"]["fail_if_not_exists"] = False
    accepted = await http("POST", room, body)
    assert accepted.status == 200
    assert accepted.json["type"] == 0
    assert "message_reference" not in accepted.json


async def test_a_reply_carries_what_it_answers(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    question = stand_in.say(stand_in.general, stand_in.ada, "?")
    body = {"content": "!", "message_reference": {"message_id": question}}
    answer = (await http("POST", room, body)).json
    assert (answer["type"], answer["referenced_message"]["content"]) == (19, "?")
    stand_in.delete(question)
    assert (await http("GET", f"{room}/{answer['id']}")).json["referenced_message"] is None


async def test_an_enforced_nonce_shows_a_message_once(http: Any, room: str, clock: Any, timeline: Timeline) -> None:
    body = {"content": "x", "nonce": "turn-1", "enforce_nonce": True}
    first, second = (await http("POST", room, body)).json, (await http("POST", room, body)).json
    assert first["id"] == second["id"]
    assert first["nonce"] == "turn-1"
    assert len(timeline.moments) == 1
    clock.skip(600)
    assert (await http("POST", room, body)).json["id"] != first["id"], "it is remembered for a few minutes only"


async def test_a_nonce_that_is_not_enforced_is_only_echoed(http: Any, room: str) -> None:
    body = {"content": "x", "nonce": "n"}
    first, second = (await http("POST", room, body)).json, (await http("POST", room, body)).json
    assert first["id"] != second["id"]


async def test_the_messages_of_others_are_not_the_bots_to_change(
    http: Any, room: str, stand_in: DiscordStandIn
) -> None:
    message = stand_in.say(stand_in.general, stand_in.ada, "mine")
    edited = await http("PATCH", f"{room}/{message}", {"content": "yours"})
    deleted = await http("DELETE", f"{room}/{message}")
    assert (edited.status, edited.json["code"]) == (403, 50005)
    assert (deleted.status, deleted.json["code"]) == (403, 50013)


async def test_a_deleted_message_is_gone(http: Any, room: str, timeline: Timeline, stand_in: DiscordStandIn) -> None:
    sent = (await http("POST", room, {"content": "x"})).json
    answer = await http("DELETE", f"{room}/{sent['id']}")
    assert (answer.status, answer.json) == (204, None)
    assert (await http("PATCH", f"{room}/{sent['id']}", {"content": "y"})).json["code"] == 10008
    assert timeline.shown(stand_in.general) == {}
    assert [moment.kind for moment in timeline.states(sent["id"])] == ["posted", "deleted"]


async def test_permissions_are_refused_in_discords_words(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    sent = (await http("POST", room, {"content": "x"})).json["id"]
    channel = f"/channels/{stand_in.general}"

    stand_in.forbid(stand_in.general, Permission.VIEW_CHANNEL)
    for call in (("GET", channel), ("POST", room), ("PATCH", f"{room}/{sent}"), ("POST", channel + "/typing")):
        answer = await http(*call, {"content": "y"})
        assert (answer.status, answer.json["code"]) == (403, 50001), call

    stand_in.forbid(stand_in.general, Permission.SEND_MESSAGES, Permission.CREATE_PUBLIC_THREADS)
    for call in (("POST", room), ("POST", channel + "/typing"), ("POST", f"{room}/{sent}/threads")):
        answer = await http(*call, {"content": "y", "name": "n"})
        assert (answer.status, answer.json["code"]) == (403, 50013), call

    stand_in.forbid(stand_in.general, Permission.READ_MESSAGE_HISTORY)
    assert (await http("GET", room)).json == []
    answer = await http("POST", room, {"content": "y", "message_reference": {"message_id": sent}})
    assert answer.json["code"] == 160002

    stand_in.forbid(stand_in.general)
    assert (await http("POST", room, {"content": "y"})).status == 200


async def test_history_is_answered_newest_first_in_pages(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    ids = [stand_in.say(stand_in.general, stand_in.ada, str(number)) for number in range(60)]

    async def texts(query: str) -> list[int]:
        return [int(message["content"]) for message in (await http("GET", f"{room}?{query}")).json]

    assert await texts("") == list(range(59, 9, -1))
    assert await texts(f"limit=3&before={ids[10]}") == [9, 8, 7]
    assert await texts(f"limit=3&after={ids[10]}") == [13, 12, 11]
    assert await texts(f"limit=5&around={ids[10]}") == [12, 11, 10, 9, 8]
    for wrong in ("limit=0", "limit=101", "limit=x", "before=x"):
        assert (await http("GET", f"{room}?{wrong}")).json["code"] == 50035


async def test_a_thread_has_the_id_of_the_message_that_it_starts_from(
    http: Any, room: str, stand_in: DiscordStandIn
) -> None:
    message = stand_in.say(stand_in.general, stand_in.ada, "let us go aside")
    answer = await http("POST", f"{room}/{message}/threads", {"name": "aside"})
    assert (answer.status, answer.json["id"], answer.json["type"]) == (201, message, 11)
    assert (await http("POST", f"{room}/{message}/threads", {"name": "aside"})).json["code"] == 160004
    unnamed = await http("POST", f"{room}/{message}/threads", {"name": ""})
    assert unnamed.json["errors"]["name"]
    assert (await http("POST", f"/channels/{message}/messages", {"content": "here"})).status == 200
    assert [each["type"] for each in (await http("GET", room)).json] == [18, 0], "the parent tells of the thread"


async def test_a_locked_thread_can_be_read_and_not_written_in(http: Any, stand_in: DiscordStandIn) -> None:
    thread = stand_in.create_thread(stand_in.general, "aside")
    path = f"/channels/{thread}/messages"
    sent = (await http("POST", path, {"content": "here"})).json["id"]
    stand_in.lock_thread(thread)
    assert (await http("POST", path, {"content": "and here"})).json["code"] == 50083
    assert (await http("PATCH", f"{path}/{sent}", {"content": "there"})).json["code"] == 50083
    assert (await http("POST", f"/channels/{thread}/typing")).json["code"] == 50083
    assert (await http("GET", path)).status == 200
    assert (await http("GET", f"/channels/{thread}")).json["thread_metadata"]["locked"]


async def test_an_archived_thread_is_listed_no_more_until_somebody_writes_in_it(
    http: Any, stand_in: DiscordStandIn
) -> None:
    thread = stand_in.create_thread(stand_in.general, "aside")
    path = f"/channels/{thread}/messages"
    sent = (await http("POST", path, {"content": "here"})).json["id"]
    stand_in.archive_thread(thread)
    metadata = (await http("GET", f"/channels/{thread}")).json["thread_metadata"]
    assert (metadata["archived"], metadata["locked"]) == (True, False)
    assert guild_create_json(stand_in.state, members=False)["threads"] == []
    assert (await http("PATCH", f"{path}/{sent}", {"content": "there"})).json["code"] == 50083
    assert (await http("POST", path, {"content": "and here"})).status == 200
    assert [each["id"] for each in guild_create_json(stand_in.state, members=False)["threads"]] == [thread]


async def test_a_message_may_have_been_posted_before(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    old = [stand_in.say(stand_in.general, stand_in.ada, text, ago=3600.0) for text in ("one", "two")]
    assert created(old[0]) == pytest.approx(time.time() - 3600, abs=5)
    new = stand_in.say(stand_in.general, stand_in.ada, "three")
    assert [each["id"] for each in (await http("GET", room)).json] == [new, old[1], old[0]]
    assert (await http("GET", f"/channels/{stand_in.general}")).json["last_message_id"] == new
    with pytest.raises(ValueError, match="newer"):
        stand_in.say(stand_in.general, stand_in.ada, "zero", ago=7200.0)


async def test_a_bot_that_was_removed_sees_direct_messages_only(http: Any, room: str, stand_in: DiscordStandIn) -> None:
    stand_in.remove_bot()
    assert (await http("GET", room)).json["code"] == 50001
    direct = stand_in.open_dm(stand_in.ada)
    assert (await http("POST", f"/channels/{direct}/messages", {"content": "hello"})).status == 200


async def test_a_dm_is_opened_once(http: Any, stand_in: DiscordStandIn) -> None:
    first, second = [await http("POST", "/users/@me/channels", {"recipient_id": stand_in.ada}) for _ in range(2)]
    assert first.json["id"] == second.json["id"] == stand_in.open_dm(stand_in.ada)
    assert (await http("POST", "/users/@me/channels", {"recipient_id": "1"})).json["code"] == 50033


async def test_a_call_has_its_effect_half_way(http: Any, room: str, stand_in: DiscordStandIn, until: Any) -> None:
    """The message is there before its answer is."""
    stand_in.latency = 0.2
    call = asyncio.create_task(http("POST", room, {"content": "x"}))
    await until(lambda: stand_in.state.channels[stand_in.general].messages)
    assert not call.done()
    assert (await call).status == 200
