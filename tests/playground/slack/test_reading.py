"""Reading the workspace: history, threads, channels, people; and files and the Home tab."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Bot, Client, error_of, until


async def test_history_has_roots_newest_first_and_pages(slack: SlackStandIn, client: Client) -> None:
    said = [slack.say(slack.general, slack.ada, f"{n}") for n in range(5)]
    slack.say(slack.general, slack.linus, "reply", thread_ts=said[0])
    first = await client.conversations_history(channel=slack.general, limit=2)
    assert [message["text"] for message in first["messages"]] == ["4", "3"]
    pages = [message["text"] async for page in first for message in page["messages"]]
    assert pages == ["4", "3", "2", "1", "0"]
    since = await client.conversations_history(channel=slack.general, oldest=said[2], inclusive=True)
    assert [message["text"] for message in since["messages"]] == ["4", "3", "2"]
    until_then = await client.conversations_history(channel=slack.general, latest=said[2])
    assert [message["text"] for message in until_then["messages"]] == ["1", "0"]


async def test_history_from_a_moment_on_begins_there_unless_it_ends_somewhere(
    slack: SlackStandIn, client: Client
) -> None:
    said = [slack.say(slack.general, slack.ada, f"{n}") for n in range(5)]
    onwards = await client.conversations_history(channel=slack.general, oldest=said[0], limit=2)
    pages = [[message["text"] for message in page["messages"]] async for page in onwards]
    assert pages == [["2", "1"], ["4", "3"]]
    between = await client.conversations_history(channel=slack.general, oldest=said[0], latest=said[4], limit=2)
    assert [message["text"] for message in between["messages"]] == ["3", "2"]


async def test_an_app_from_outside_of_the_marketplace_gets_short_pages(slack: SlackStandIn, client: Client) -> None:
    slack.limits.reading_page = 2
    root = slack.say(slack.general, slack.ada, "0")
    for n in range(1, 4):
        slack.say(slack.general, slack.ada, f"{n}")
        slack.say(slack.general, slack.ada, f"reply {n}", thread_ts=root)
    history = await client.conversations_history(channel=slack.general, limit=100)
    assert [message["text"] for message in history["messages"]] == ["3", "2"]
    assert history["has_more"]
    thread = await client.conversations_replies(channel=slack.general, ts=root, limit=100)
    assert [message["text"] for message in thread["messages"]] == ["0", "reply 1"]


async def test_a_group_is_a_room_of_its_own_kind(slack: SlackStandIn, client: Client) -> None:
    group = slack.open_group(slack.ada, slack.linus)
    [room] = (await client.users_conversations(types="mpim"))["channels"]
    assert (room["id"], room["is_mpim"], room["is_private"]) == (group, True, True)


async def test_a_thread_is_read_from_its_root_on(slack: SlackStandIn, client: Client) -> None:
    root = slack.say(slack.general, slack.ada, "root")
    metadata = {"event_type": "answer", "event_payload": {"nonce": "1"}}
    await client.chat_postMessage(channel=slack.general, text="reply", thread_ts=root, metadata=metadata)
    plain = await client.conversations_replies(channel=slack.general, ts=root)
    assert [message["text"] for message in plain["messages"]] == ["root", "reply"]
    assert plain["messages"][0]["reply_users"] == [slack.bot_user]
    assert "metadata" not in plain["messages"][1]
    full = await client.conversations_replies(channel=slack.general, ts=root, include_all_metadata=True)
    assert full["messages"][1]["metadata"] == metadata
    assert await error_of(client.conversations_replies(channel=slack.general, ts="1.000001")) == "thread_not_found"


async def test_channels_are_listed_by_kind_and_membership(slack: SlackStandIn, client: Client) -> None:
    other = slack.add_channel("other", bot=False)
    secret = slack.add_channel("secret", private=True)
    dm = slack.open_dm(slack.ada)
    assert [c["id"] for c in (await client.conversations_list())["channels"]] == [slack.general, other]
    mine = await client.users_conversations(types="public_channel,private_channel,im")
    assert [channel["id"] for channel in mine["channels"]] == [slack.general, secret, dm]
    assert (await client.conversations_info(channel=dm))["channel"]["user"] == slack.ada
    assert (await client.conversations_info(channel=other))["channel"]["is_member"] is False
    members = await client.conversations_members(channel=slack.general)
    assert members["members"] == [slack.bot_user, slack.ada, slack.linus]
    assert (await client.conversations_open(users=[slack.ada]))["channel"]["id"] == dm
    assert await error_of(client.conversations_info(channel="C404")) == "channel_not_found"


async def test_people_bots_and_the_team_are_known(slack: SlackStandIn, client: Client) -> None:
    assert (await client.users_info(user=slack.bot_user))["user"]["is_bot"] is True
    assert await error_of(client.users_info(user="U404")) == "user_not_found"
    who = await client.auth_test()
    assert (await client.bots_info(bot=who["bot_id"]))["bot"]["user_id"] == slack.bot_user
    assert await error_of(client.bots_info(bot="B404")) == "bot_not_found"
    assert await error_of(client.team_info()) == "missing_scope"
    slack.scopes.add("team:read")
    assert (await client.team_info())["team"]["id"] == slack.team


async def test_the_home_tab_takes_a_home_view(slack: SlackStandIn, client: Client) -> None:
    view: dict[str, Any] = {"type": "home", "blocks": []}
    assert (await client.views_publish(user_id=slack.ada, view=view))["view"]["type"] == "home"
    assert slack.homes == {slack.ada: view}
    modal = client.views_publish(user_id=slack.ada, view={"type": "modal", "blocks": []})
    assert await error_of(modal) == "invalid_arguments"


async def test_a_response_url_is_good_for_five_answers(
    slack: SlackStandIn, bot: Bot, session: aiohttp.ClientSession
) -> None:
    urls: list[str] = []

    @bot.app.command("/rivulet")
    async def _(ack: Any, command: dict[str, Any]) -> None:
        await ack()
        urls.append(command["response_url"])

    handle = slack.slash(slack.general, slack.ada, "/rivulet")
    await until(lambda: urls)
    webhook = AsyncWebhookClient(urls[0], session=session)
    empty = await webhook.send_dict({"markdown_text": "**x**"})
    assert (empty.status_code, json.loads(empty.body)["error"]) == (400, "no_text")
    answers = [await webhook.send(text=f"{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert json.loads(answers[-1].body)["error"] == "used_url"
    assert [answer["text"] for answer in slack.responses(handle)] == ["0", "1", "2", "3", "4"]
