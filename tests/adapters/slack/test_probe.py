"""What is wrong with the set-up is said in the order in which to mend it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from adapters.slack.platform import SlackPlatform
from adapters.slack.probe import SCOPES
from bot.errors import ConfigError
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import FakeInbox


async def probe(slack: SlackStandIn, bot_token: str = "", app_token: str = "") -> list[str]:
    tokens = bot_token or slack.bot_token, app_token or slack.app_token
    return await SlackPlatform(*tokens, api_url=f"{slack.url}/api/").probe()


@pytest.fixture
async def switched_off() -> AsyncIterator[str]:
    """The address of a socket that says what Slack says when Socket Mode is off."""

    async def disconnect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "disconnect", "reason": "link_disabled", "debug_info": {}})
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", disconnect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_nothing_is_wrong_with_a_good_set_up(slack: SlackStandIn):
    assert await probe(slack) == []


async def test_swapped_tokens_are_one_fault(slack: SlackStandIn):
    (fault,) = await probe(slack, slack.app_token, slack.bot_token)
    assert "swapped" in fault


async def test_both_tokens_are_tried(slack: SlackStandIn):
    bot, app = await probe(slack, "xoxb-wrong", "xapp-wrong")
    assert "SLACK_BOT_TOKEN" in bot
    assert "SLACK_APP_TOKEN" in app


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_scope_is_missed(slack: SlackStandIn, scope: str):
    slack.scopes.discard(scope)
    (fault,) = await probe(slack)
    assert f"lacks the scopes {scope} (" in fault
    assert "docs/slack-manifest.json" in fault


async def test_socket_mode_that_is_off_is_noticed(slack: SlackStandIn, switched_off: str):
    slack.fail("apps.connections.open", body={"ok": True, "url": switched_off})
    assert [fault.partition(":")[0] for fault in await probe(slack)] == ["Socket Mode is off"]


async def test_socket_mode_that_is_off_ends_the_start(slack: SlackStandIn, inbox: FakeInbox, switched_off: str):
    slack.fail("apps.connections.open", body={"ok": True, "url": switched_off}, times=100)
    platform = SlackPlatform(slack.bot_token, slack.app_token, api_url=f"{slack.url}/api/")
    with pytest.raises(ConfigError, match="Socket Mode is off"):
        await platform.connect(inbox)


async def test_a_crowded_app_is_told_from_one_without_socket_mode(slack: SlackStandIn):
    slack.limits.sockets = 0
    (fault,) = await probe(slack)
    assert "too_many_websockets" in fault


async def test_a_socket_that_cannot_be_reached_is_a_fault(slack: SlackStandIn, unused_tcp_port: int):
    slack.fail("apps.connections.open", body={"ok": True, "url": f"ws://127.0.0.1:{unused_tcp_port}/"})
    (fault,) = await probe(slack)
    assert "wss://" in fault


async def test_a_server_that_is_not_slack_is_one_fault(unused_tcp_port: int):
    platform = SlackPlatform("xoxb-1", "xapp-1", api_url=f"http://127.0.0.1:{unused_tcp_port}/api/")
    (fault,) = await platform.probe()
    assert "api_url under [slack]" in fault
