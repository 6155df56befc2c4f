"""Signing in, staying connected, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import gc

import pytest

from adapters.slack.platform import SlackPlatform
from bot.core.model import Place
from bot.errors import ConfigError, Unreachable
from bot.ports import Platform
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


def platform_of(
    slack: SlackStandIn, bot_token: str = "", app_token: str = "", *, heartbeat: float = 5.0
) -> SlackPlatform:
    return SlackPlatform(
        bot_token or slack.bot_token, app_token or slack.app_token, api_url=f"{slack.url}/api/", heartbeat=heartbeat
    )


async def test_it_says_as_whom_and_where(
    slack: SlackStandIn, inbox: FakeInbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """And nothing else: Bolt finds the tokens in the environment too, and would warn of them."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", slack.app_token)
    platform = platform_of(slack)
    assert await platform.connect(inbox) == "connected as rivulet in Playground"
    await slack.connected()
    await platform.close()
    assert not [record.message for record in caplog.records if "slack" in record.name and "adapters" not in record.name]


@pytest.mark.parametrize(
    ("bot_token", "app_token", "named"),
    [
        ("xoxb-wrong", "", "SLACK_BOT_TOKEN: Slack says invalid_auth"),
        ("", "xapp-wrong", "SLACK_APP_TOKEN: Slack says invalid_auth"),
        ("xapp-1", "xoxb-1", "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped"),
        ("xapp-1", "", "SLACK_BOT_TOKEN holds an app-level token"),
        ("xoxp-1", "", "SLACK_BOT_TOKEN holds a person's token"),
        ("", "xoxb-1", "SLACK_APP_TOKEN holds a token of another kind"),
    ],
)
async def test_a_wrong_token_is_named(
    slack: SlackStandIn, inbox: FakeInbox, bot_token: str, app_token: str, named: str
):
    with pytest.raises(ConfigError, match=named) as error:
        await platform_of(slack, bot_token, app_token).connect(inbox)
    assert "https://api.slack.com/apps" in str(error.value) or "swapped" in str(error.value)


async def test_an_app_token_without_its_scope_is_named(slack: SlackStandIn, inbox: FakeInbox):
    slack.fail("apps.connections.open", body={"ok": False, "error": "missing_scope", "needed": "connections:write"})
    with pytest.raises(ConfigError, match=r"SLACK_APP_TOKEN.*connections:write"):
        await platform_of(slack).connect(inbox)


async def test_a_slack_that_does_not_answer_is_unreachable(slack: SlackStandIn, inbox: FakeInbox):
    slack.fail("auth.test", status=503)
    platform = platform_of(slack)
    with pytest.raises(Unreachable):
        await platform.connect(inbox)
    await platform.connect(inbox)  # and may be tried again
    serving = asyncio.create_task(platform.run())
    await asyncio.sleep(0)
    assert not serving.done()
    await platform.close()
    await serving


async def test_nothing_is_lost_when_slack_refreshes_the_connection(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    room = slack.open_dm(slack.ada)
    slack.say(room, slack.ada, "before")
    slack.refresh(grace=0.1)
    slack.say(room, slack.ada, "meanwhile")
    await until(lambda: len(inbox.prompts) == 2)
    await slack.connected()
    slack.say(room, slack.ada, "after")
    await until(lambda: inbox.texts == ["before", "meanwhile", "after"])


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_refreshed_connection_has_no_gap(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform, reason: str
):
    for times in (2, 3):
        slack.refresh(reason, grace=0.1)
        await until(lambda: [call.method for call in slack.calls].count("apps.connections.open") == times)  # noqa: B023
        ts = slack.say(slack.general, slack.ada, "meanwhile")
        await until(lambda: inbox.until == float(ts))  # noqa: B023 (both are waited for at once)
    assert "back" not in inbox.story


async def test_a_cut_connection_comes_back(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    async with connect(heartbeat=0.2):
        slack.drop()
        slack.say(slack.open_dm(slack.ada), slack.ada, "still there?")
        await until(lambda: inbox.texts == ["still there?"])


async def test_after_a_gap_the_inbox_is_told_before_anything_else(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    """Slack cannot be reached for a while, longer than it delivers again what was said at the beginning."""
    slack.limits.redeliver_after = (0.0, 0.1)
    slack.limits.ack_within = 0.1
    async with connect(heartbeat=0.1):
        slack.fail("apps.connections.open", status=503, times=8)
        slack.drop()
        slack.say(slack.open_dm(slack.ada), slack.ada, "lost")
        opened = "apps.connections.open", "ok"
        await until(lambda: [(call.method, call.outcome) for call in slack.calls].count(opened) == 2)
        await slack.connected()
        slack.say(slack.open_dm(slack.ada), slack.ada, "back again")
        await until(lambda: inbox.texts == ["back again"])
    assert inbox.story == ["back", "back again"]


async def test_a_dead_address_is_given_up_for_another(slack: SlackStandIn, inbox: FakeInbox):
    """An address works once; the SDK alone would try a refused one for ever."""
    dead = slack.url.replace("http", "ws") + "/socket?ticket=used"
    slack.fail("apps.connections.open", body={"ok": True, "url": dead})
    platform = platform_of(slack, heartbeat=0.2)
    await platform.connect(inbox)
    slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
    await until(lambda: inbox.texts == ["hello"])
    await platform.close()


async def test_a_dead_address_later_on_is_a_gap(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    dead = slack.url.replace("http", "ws") + "/socket?ticket=used"
    async with connect(heartbeat=0.1):
        slack.fail("apps.connections.open", body={"ok": True, "url": dead}, times=3)
        slack.drop()
        await until(lambda: "back" in inbox.story)
        slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
        await until(lambda: inbox.texts == ["hello"])


async def test_connecting_at_first_is_no_return(slack: SlackStandIn, inbox: FakeInbox):
    dead = slack.url.replace("http", "ws") + "/socket?ticket=used"
    slack.fail("apps.connections.open", body={"ok": True, "url": dead}, times=3)
    platform = platform_of(slack, heartbeat=0.1)
    await platform.connect(inbox)
    slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
    await until(lambda: inbox.texts == ["hello"])
    await platform.close()
    assert "back" not in inbox.story


async def test_a_ticket_is_not_logged(slack: SlackStandIn, inbox: FakeInbox, caplog: pytest.LogCaptureFixture):
    dead = slack.url.replace("http", "ws") + "/socket?ticket=secret"
    slack.fail("apps.connections.open", body={"ok": True, "url": dead})
    platform = platform_of(slack, heartbeat=0.2)
    await platform.connect(inbox)
    await platform.close()
    assert "ticket=…" in caplog.text
    assert "secret" not in caplog.text


async def test_closing_lets_a_question_in_work_be_stored_and_acknowledged(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.limits.ack_within = 30
    room = slack.open_dm(slack.ada)
    inbox.open.clear()
    slack.say(room, slack.ada, "just in time")
    await until(lambda: inbox.attempts)
    closing = asyncio.create_task(platform.close())
    await asyncio.sleep(0.02)
    assert not closing.done()
    slack.say(room, slack.ada, "too late")
    inbox.open.set()
    await closing
    assert inbox.texts == ["just in time"]
    waiting = slack._service.sockets._waiting.values()  # pyright: ignore[reportPrivateUsage] a server keeps this to itself
    await until(lambda: [delivery.payload["event"]["text"] for delivery in waiting] in ([], ["too late"]))


async def test_closing_lets_running_calls_finish(slack: SlackStandIn, platform: SlackPlatform):
    slack.latency = 0.1
    posting = asyncio.create_task(platform.post(Place(slack.general), "last words", nonce="1", first=True))
    await asyncio.sleep(0.02)
    await platform.close()
    assert (await posting).message in slack.workspace.channels[slack.general].messages


async def test_closing_leaves_no_task_behind(slack: SlackStandIn, inbox: FakeInbox):
    before = asyncio.all_tasks()
    platform = platform_of(slack, heartbeat=0.2)
    await platform.connect(inbox)
    ours = {task for task in asyncio.all_tasks() - before if "playground" not in repr(task)}
    assert ours
    slack.refresh(grace=0.0)
    await asyncio.sleep(0.02)
    await platform.close()
    await platform.close()
    left = {task for task in asyncio.all_tasks() - before if "slack_" in repr(task) or "adapters" in repr(task)}
    assert not left
    gc.collect()  # an unclosed session would warn


async def test_closing_before_connecting_is_no_error(slack: SlackStandIn):
    platform: Platform = platform_of(slack)  # the type checker holds it to the port
    await platform.close()
