"""How a call is read, allowed, delayed, answered and spoilt, whatever its method."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Client, Clock, error_of, refused, until


async def test_the_token_tells_who_the_bot_is_and_what_it_may_do(slack: SlackStandIn, client: Client) -> None:
    who = await client.auth_test()
    assert (who["team_id"], who["user_id"], who["url"]) == (slack.team, slack.bot_user, "https://playground.slack.com/")
    assert "chat:write" in str(who.headers["x-oauth-scopes"]).split(",")


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-another", "auth.test", "invalid_auth"),
        ("xapp-playground", "chat.postMessage", "not_allowed_token_type"),
        ("xoxb-playground", "apps.connections.open", "not_allowed_token_type"),
        ("xapp-another", "apps.connections.open", "invalid_auth"),
        ("xoxb-playground", "chat.shout", "unknown_method"),
    ],
)
async def test_the_wrong_token_or_method_is_refused(
    slack: SlackStandIn, client: Client, token: str, method: str, error: str
) -> None:
    client.token = token
    assert await error_of(client.api_call(method)) == error


async def test_a_call_may_be_a_form_or_json_or_a_query(slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
    url, said = f"{slack.url}/api/chat.postMessage", {"channel": slack.general, "text": "hello"}
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    answers = [
        await session.post(url, data={**said, "token": slack.bot_token}),
        await session.post(url, json=said, headers=bearer),
        await session.get(url, params=said, headers=bearer),
    ]
    assert [(await answer.json())["ok"] for answer in answers] == [True, True, True]
    assert list(slack.timeline.shown(slack.general).values()) == ["hello"] * 3


async def test_a_token_in_the_url_is_no_token(slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
    answer = await session.get(f"{slack.url}/api/auth.test", params={"token": slack.bot_token})
    assert (await answer.json())["error"] == "not_authed"


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        ("{", "application/json", "invalid_json"),
        ("[]", "application/json", "json_not_object"),
        ("<a/>", "application/xml", "invalid_post_type"),
    ],
)
async def test_a_body_that_is_not_understood_is_named(
    slack: SlackStandIn, session: aiohttp.ClientSession, body: str, kind: str, error: str
) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": kind}
    answer = await session.post(f"{slack.url}/api/chat.postMessage", data=body, headers=headers)
    assert (answer.status, (await answer.json())["error"]) == (200, error)


async def test_reading_methods_do_not_look_into_json(slack: SlackStandIn, client: Client) -> None:
    assert await error_of(client.api_call("users.info", json={"user": slack.ada})) == "invalid_arguments"
    assert (await client.users_info(user=slack.ada))["user"]["profile"]["display_name"] == "Ada"


async def test_a_missing_scope_is_named(slack: SlackStandIn, client: Client) -> None:
    slack.scopes.discard("chat:write")
    answer = await client.api_call("auth.test")
    assert "chat:write" not in str(answer.headers["x-oauth-scopes"]).split(",")
    assert await error_of(client.chat_postMessage(channel=slack.general, text="x")) == "missing_scope"
    slack.scopes.discard("im:history")
    dm = slack.open_dm(slack.ada)
    assert await error_of(client.conversations_history(channel=dm)) == "missing_scope"
    assert (await client.conversations_history(channel=slack.general))["ok"]


async def test_a_tier_refuses_with_429_and_whole_seconds(
    frozen: SlackStandIn, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """conversations.list is Tier 2: the 21st call in a minute is one too many, and a refused call costs nothing."""
    assert [await _listing(frozen, session) for _ in range(20)] == [(200, "", "")] * 20
    assert await _listing(frozen, session) == (429, "60", "ratelimited")
    clock.at += 59.5
    assert await _listing(frozen, session) == (429, "1", "ratelimited")
    clock.at += 0.5
    assert await _listing(frozen, session) == (200, "", "")
    assert [refusal.method for refusal in frozen.refusals] == ["conversations.list"] * 2
    assert [call.outcome for call in frozen.calls].count("ok") == 21


async def test_a_refusal_may_come_as_http_200(
    frozen: SlackStandIn, frozen_client: Client, session: aiohttp.ClientSession
) -> None:
    frozen.limits.refuse_with_200, frozen.limits.tier_2 = True, 0
    assert await _listing(frozen, session) == (200, "", "rate_limited")
    assert await error_of(frozen_client.conversations_list()) == "rate_limited"
    assert len(frozen.refusals) == 2


async def test_posts_have_a_burst_in_each_channel_then_one_a_second(
    frozen: SlackStandIn, frozen_client: Client, clock: Clock
) -> None:
    other = frozen.add_channel("random")
    for _ in range(5):
        await frozen_client.chat_postMessage(channel=frozen.general, text="x")
    assert await error_of(frozen_client.chat_postMessage(channel=frozen.general, text="x")) == "ratelimited"
    await frozen_client.chat_postMessage(channel=other, text="x")
    clock.at += 1.0
    await frozen_client.chat_postMessage(channel=frozen.general, text="x")
    assert await error_of(frozen_client.chat_postMessage(channel=frozen.general, text="x")) == "ratelimited"
    assert [(refusal.channel, refusal.retry_after) for refusal in frozen.refusals] == [(frozen.general, 1)] * 2


async def test_posts_are_counted_for_the_whole_workspace_too(frozen: SlackStandIn, frozen_client: Client) -> None:
    frozen.limits.posts_per_minute = 2
    for name in ("one", "two"):
        await frozen_client.chat_postMessage(channel=frozen.add_channel(name), text="x")
    assert await error_of(frozen_client.chat_postMessage(channel=frozen.general, text="x")) == "ratelimited"


async def test_a_scripted_answer_is_given_as_often_as_asked(slack: SlackStandIn, client: Client) -> None:
    slack.fail("chat\\.postMessage", body={"ok": False, "error": "fatal_error"}, times=2)
    slack.fail("users.*", status=503, body="down", headers={"Content-Type": "text/plain"})
    for _ in range(2):
        assert await error_of(client.chat_postMessage(channel=slack.general, text="x")) == "fatal_error"
    assert slack.timeline.shown(slack.general) == {}
    assert (await client.chat_postMessage(channel=slack.general, text="x"))["ok"]
    response = await refused(client.users_info(user=slack.ada))
    assert (response.status_code, response.data) == (503, "down")


async def test_an_answer_can_fail_after_the_effect(slack: SlackStandIn, client: Client) -> None:
    slack.fail("chat.postMessage", status=500, after_effect=True)
    assert (await refused(client.chat_postMessage(channel=slack.general, text="it is there"))).status_code == 500
    assert list(slack.timeline.shown(slack.general).values()) == ["it is there"]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_connection_can_be_dropped(slack: SlackStandIn, client: Client, after_effect: bool) -> None:
    slack.fail("chat.postMessage", drop=True, after_effect=after_effect)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel=slack.general, text="x")
    assert len(slack.timeline.shown(slack.general)) == int(after_effect)


async def test_a_call_takes_effect_half_way_through_its_latency(slack: SlackStandIn, client: Client) -> None:
    slack.latency = 0.3
    calling = asyncio.create_task(client.chat_postMessage(channel=slack.general, text="x"))
    await until(lambda: slack.timeline.moments)
    assert not calling.done()
    assert (await calling)["ok"]


async def test_a_call_whose_caller_hangs_up_still_takes_effect(slack: SlackStandIn, client: Client) -> None:
    slack.latency = 0.3
    calling = asyncio.create_task(client.chat_postMessage(channel=slack.general, text="x"))
    await asyncio.sleep(0.1)
    calling.cancel()
    await until(lambda: slack.timeline.moments)


async def test_the_default_limits_are_slacks(slack: SlackStandIn) -> None:
    assert (slack.limits.tier_2, slack.limits.tier_3, slack.limits.tier_4) == (20, 50, 100)
    assert slack.limits.redeliver_after == (0.0, 60.0, 300.0)


async def _listing(slack: SlackStandIn, session: aiohttp.ClientSession) -> tuple[int, str, str]:
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    answer = await session.get(f"{slack.url}/api/conversations.list", headers=headers)
    return answer.status, answer.headers.get("Retry-After", ""), (await answer.json()).get("error", "")


async def test_a_fault_may_be_of_one_channel_until_it_is_mended(slack: SlackStandIn, client: Client) -> None:
    other = slack.add_channel("other")
    body = {"ok": False, "error": "is_archived"}
    mend = slack.fail("chat.postMessage", body=body, times=100, channel=other)
    assert (await client.chat_postMessage(channel=slack.general, text="hello"))["ok"]
    for _ in range(2):
        assert await error_of(client.chat_postMessage(channel=other, text="hello")) == "is_archived"
    mend()
    assert (await client.chat_postMessage(channel=other, text="hello"))["ok"]


async def test_a_caller_can_be_left_without_an_answer(slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
    url, said = f"{slack.url}/api/chat.postMessage", {"channel": slack.general, "text": "hello"}
    for after_effect in (False, True):
        slack.fail("chat.postMessage", hang=True, after_effect=after_effect)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.post(url, data={**said, "token": slack.bot_token})
    assert list(slack.timeline.shown(slack.general).values()) == ["hello"]
