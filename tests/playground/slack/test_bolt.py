"""The unmodified slack-bolt, over sockets."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.server import SlackStandIn
from tests.playground.slack.harness import Bot, Client, until


async def test_a_mention_arrives_twice_with_different_event_ids_and_one_ts(slack: SlackStandIn, bot: Bot) -> None:
    ts = slack.say(slack.general, slack.ada, "<@BOT> is a < b?")
    await until(lambda: len(bot.bodies) == 2)
    assert {body["event"]["type"] for body in bot.bodies} == {"app_mention", "message"}
    assert len({body["event_id"] for body in bot.bodies}) == 2
    for event in (body["event"] for body in bot.bodies):
        assert (event["channel"], event["ts"], event["user"]) == (slack.general, ts, slack.ada)
        assert event["text"] == f"<@{slack.bot_user}> is a &lt; b?"


async def test_without_a_subscription_there_is_no_event(slack: SlackStandIn, bot: Bot) -> None:
    slack.subscriptions.discard("message.channels")
    slack.say(slack.general, slack.ada, "nobody hears this")
    slack.say(slack.general, slack.ada, "<@BOT> but this")
    await until(lambda: bot.bodies)
    assert [body["event"]["type"] for body in bot.bodies] == ["app_mention"]


async def test_a_direct_message_is_no_mention(slack: SlackStandIn, bot: Bot) -> None:
    channel = slack.open_dm(slack.ada)
    slack.say(channel, slack.ada, "<@BOT> hello")
    slack.say(channel, slack.ada, "are you there?")
    await until(lambda: len(bot.bodies) == 2)
    assert [event["channel_type"] for event in bot.events("message")] == ["im", "im"]
    assert bot.bodies[0]["authorizations"][0]["user_id"] == slack.bot_user


async def test_an_answer_in_a_thread_is_posted_updated_and_seen(slack: SlackStandIn, bot: Bot, client: Client) -> None:
    question = slack.say(slack.general, slack.ada, "<@BOT> tell me")
    posted = await client.chat_postMessage(channel=slack.general, markdown_text="**Once**", thread_ts=question)
    ts = str(posted["ts"])
    await client.chat_update(channel=slack.general, ts=ts, markdown_text="**Once** upon")
    reply = slack.say(slack.general, slack.linus, "go on", thread_ts=question)
    await until(lambda: len(bot.bodies) == 3)
    states = [(m.kind, m.text, m.reply_to, m.author, m.bot) for m in slack.timeline.states(ts)]
    assert states == [
        ("posted", "**Once**", question, "Rivulet", True),
        ("edited", "**Once** upon", question, "Rivulet", True),
    ]
    heard = bot.events("message")[-1]
    assert (heard["ts"], heard["thread_ts"], heard["parent_user_id"]) == (reply, question, slack.ada)


async def test_changes_and_deletions_of_people_arrive(slack: SlackStandIn, bot: Bot) -> None:
    ts = slack.say(slack.general, slack.ada, "one")
    slack.edit(slack.general, ts, "<@BOT> two")
    slack.delete(slack.general, ts)
    await until(lambda: len(bot.bodies) == 4)
    kinds = [(event["type"], event.get("subtype", "")) for event in (body["event"] for body in bot.bodies)]
    assert sorted(kinds) == [
        ("app_mention", ""),
        ("message", ""),
        ("message", "message_changed"),
        ("message", "message_deleted"),
    ]
    changed = next(event for event in bot.events("message") if event.get("subtype") == "message_changed")
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("one", f"<@{slack.bot_user}> two")


async def test_a_slash_command_is_acknowledged_with_text_and_answered_later(slack: SlackStandIn, bot: Bot) -> None:
    @bot.app.command("/rivulet")
    async def _(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await ack(f"{command['text']}, {command['user_name']}?")
        await respond(text="done", response_type="in_channel")

    handle = slack.slash(slack.general, slack.ada, "/rivulet", "stop")
    await until(lambda: len(slack.responses(handle)) == 2)
    assert {answer["text"] for answer in slack.responses(handle)} == {"stop, ada?", "done"}
    seen = {(moment.text, moment.private_to) for moment in slack.timeline.moments}
    assert seen == {("stop, ada?", slack.ada), ("done", "")}


async def test_a_command_that_nobody_acknowledges_fails_for_the_person(slack: SlackStandIn, bot: Bot) -> None:
    slack.limits.ack_within = 0.1
    handle = slack.slash(slack.general, slack.ada, "/unknown")
    await until(lambda: slack.responses(handle))
    assert slack.responses(handle) == [{"error": "operation_timeout"}]
    assert slack.timeline.moments[-1].private_to == slack.ada
    assert bot.bodies == []


async def test_a_click_reaches_its_listener(slack: SlackStandIn, bot: Bot, client: Client) -> None:
    @bot.app.action("again")
    async def _(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        await respond(text=f"{body['user']['name']} {body['actions'][0]['value']}")

    button = {"type": "button", "action_id": "again", "value": "7", "text": {"type": "plain_text", "text": "Again"}}
    posted = await client.chat_postMessage(
        channel=slack.general, text="Shall I?", blocks=[{"type": "actions", "elements": [button]}]
    )
    handle = slack.click(slack.general, slack.linus, str(posted["ts"]), "again")
    await until(lambda: slack.responses(handle))
    assert slack.responses(handle)[0]["text"] == "linus 7"


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_a_refresh_loses_nothing(slack: SlackStandIn, bot: Bot, reason: str) -> None:
    slack.limits.ack_within, slack.limits.redeliver_after = 0.3, (0.1, *[0.3] * 9)
    slack.refresh(reason, grace=0.05)
    sent = {slack.say(slack.general, slack.ada, f"during {n}") for n in range(10)}
    await until(lambda: {event["ts"] for event in bot.events("message")} == sent)
    opened = [call for call in slack.calls if call.method == "apps.connections.open"]
    assert len(opened) >= 2


async def test_an_event_that_nobody_acknowledges_comes_again_and_then_no_more(slack: SlackStandIn, bot: Bot) -> None:
    """slack-bolt does not acknowledge what no listener matches, so each of its four deliveries is seen."""
    slack.limits.ack_within, slack.limits.redeliver_after = 0.05, (0.0, 0.02, 0.02)
    attempts: list[tuple[str, str, str]] = []

    @bot.app.middleware
    async def _(body: dict[str, Any], request: Any, next: Any) -> None:
        headers = request.headers
        attempts.append((body["event_id"], headers["x-slack-retry-num"][0], headers["x-slack-retry-reason"][0]))
        await next()

    slack.open_home(slack.ada)
    await until(lambda: len(attempts) == 4)
    assert [(number, reason) for _, number, reason in attempts] == [
        ("0", ""),
        ("1", "timeout"),
        ("2", "timeout"),
        ("3", "timeout"),
    ]
    assert len({event_id for event_id, _, _ in attempts}) == 1


async def test_the_events_of_a_message_can_be_delivered_twice(slack: SlackStandIn, bot: Bot) -> None:
    ts = slack.say(slack.general, slack.ada, "once")
    await until(lambda: bot.bodies)
    slack.redeliver(ts)
    await until(lambda: len(bot.bodies) == 2)
    assert bot.bodies[0]["event_id"] == bot.bodies[1]["event_id"]
    assert bot.retries == ["0", "1"]


async def test_what_was_said_while_the_connection_was_cut_arrives_as_a_retry(slack: SlackStandIn, bot: Bot) -> None:
    slack.limits.ack_within, slack.limits.redeliver_after = 0.2, (0.1, *[0.3] * 9)
    slack.drop()
    ts = slack.say(slack.general, slack.ada, "anybody?")
    await until(lambda: bot.bodies)
    assert bot.events("message")[0]["ts"] == ts
    assert bot.retries[0] != "0"
