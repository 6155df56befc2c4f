"""Socket Mode as a client without an SDK sees it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Client, until


@pytest.fixture
def app_client(slack: SlackStandIn, client: Client) -> Client:
    client.token = slack.app_token
    return client


async def _connect(app_client: Client, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    opened = await app_client.apps_connections_open(app_token=str(app_client.token))
    return await session.ws_connect(opened["url"])


async def test_a_socket_says_hello(slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession) -> None:
    first, second = await _connect(app_client, session), await _connect(app_client, session)
    hellos: list[dict[str, Any]] = [await first.receive_json(), await second.receive_json()]
    assert [hello["num_connections"] for hello in hellos] == [1, 2]
    assert hellos[0]["connection_info"] == {"app_id": slack.app_id}
    assert hellos[0]["debug_info"]["approximate_connection_time"] > 0
    await first.close()
    await second.close()


async def test_a_ticket_is_good_for_one_socket(app_client: Client, session: aiohttp.ClientSession) -> None:
    opened = await app_client.apps_connections_open(app_token=str(app_client.token))
    socket = await session.ws_connect(opened["url"])
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(opened["url"])
    await socket.close()


async def test_one_socket_too_many_is_sent_away(
    slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession
) -> None:
    slack.limits.sockets = 1
    first, second = await _connect(app_client, session), await _connect(app_client, session)
    assert (await second.receive_json())["reason"] == "too_many_websockets"
    assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
    assert (await first.receive_json())["type"] == "hello"
    await first.close()


async def test_each_event_goes_to_one_socket_until_it_is_acknowledged_on_any(
    slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession
) -> None:
    slack.limits.ack_within, slack.limits.redeliver_after = 0.1, (0.0, 0.1)
    first, second = await _connect(app_client, session), await _connect(app_client, session)
    await first.receive_json()
    await second.receive_json()
    slack.say(slack.general, slack.ada, "hello")
    once, again = await first.receive_json(), await second.receive_json()
    assert (once["retry_attempt"], once["retry_reason"]) == (0, "")
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert once["payload"] == again["payload"]
    assert once["envelope_id"] != again["envelope_id"]
    await second.send_json({"envelope_id": once["envelope_id"]})
    with pytest.raises(TimeoutError):
        await first.receive_json(timeout=0.3)
    await first.close()
    await second.close()


async def test_the_bots_own_messages_are_events_too(
    slack: SlackStandIn, client: Client, session: aiohttp.ClientSession
) -> None:
    opened = await client.apps_connections_open(app_token=slack.app_token)
    socket = await session.ws_connect(opened["url"])
    await socket.receive_json()
    private = slack.add_channel("secret", private=True)
    posted = await client.chat_postMessage(channel=private, text="x")
    await client.chat_update(channel=private, ts=posted["ts"], text="y")
    await client.chat_delete(channel=private, ts=posted["ts"])
    new, changed, deleted = [(await socket.receive_json())["payload"]["event"] for _ in range(3)]
    bot_id = (await client.auth_test())["bot_id"]
    assert (new["bot_id"], new["user"], new["channel_type"]) == (bot_id, slack.bot_user, "group")
    assert (changed["subtype"], changed["message"]["bot_id"], changed["message"]["text"]) == (
        "message_changed",
        bot_id,
        "y",
    )
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", posted["ts"])
    assert len({event["event_ts"] for event in (new, changed, deleted)}) == 3
    linked = slack.say(private, slack.ada, "https://example.com")
    slack.unfurl(private, linked)
    new, changed = [(await socket.receive_json())["payload"]["event"] for _ in range(2)]
    assert (changed["subtype"], changed["message"]["text"]) == ("message_changed", new["text"])
    assert "edited" not in changed["message"]
    await socket.close()


async def test_an_event_that_found_no_socket_arrives_as_a_retry(
    slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession
) -> None:
    slack.limits.redeliver_after = (0.0, *[0.05] * 40)
    slack.say(slack.general, slack.ada, "hello")
    socket = await _connect(app_client, session)
    await socket.receive_json()
    event = await socket.receive_json()
    assert (event["type"], event["retry_reason"]) == ("events_api", "connection_failed")
    assert event["retry_attempt"] >= 1
    await socket.close()


async def test_a_command_finds_no_socket(slack: SlackStandIn) -> None:
    handle = slack.slash(slack.general, slack.ada, "/rivulet", "help")
    await until(lambda: slack.responses(handle))
    assert slack.responses(handle) == [{"error": "dispatch_failed"}]


async def test_what_is_no_acknowledgement_does_no_harm(
    slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession
) -> None:
    socket = await _connect(app_client, session)
    await socket.receive_json()
    for nonsense in ("", "[]", "{}", '{"envelope_id": []}', '{"envelope_id": "unknown"}'):
        await socket.send_str(nonsense)
    slack.say(slack.general, slack.ada, "hello")
    assert (await socket.receive_json())["payload"]["event"]["text"] == "hello"
    await socket.close()


async def test_a_refreshed_socket_is_told_then_closed(
    slack: SlackStandIn, app_client: Client, session: aiohttp.ClientSession
) -> None:
    socket = await _connect(app_client, session)
    await socket.receive_json()
    slack.refresh("warning", grace=0.02)
    assert (await socket.receive_json())["reason"] == "warning"
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_waiting_for_a_connection_ends(slack: SlackStandIn) -> None:
    with pytest.raises(TimeoutError):
        await slack.connected(timeout=0.01)
