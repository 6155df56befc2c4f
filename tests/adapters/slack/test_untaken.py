"""A database that does not take questions: what is lost, and what people read."""

from __future__ import annotations

import pytest

from adapters.slack.platform import SlackPlatform
from adapters.slack.untaken import LATER
from bot.core.endings import NOT_STORED
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


@pytest.fixture(autouse=True)
def _three_redeliveries(slack: SlackStandIn):
    """As Slack does it, but sooner."""
    slack.limits.redeliver_after = (0.0, 0.2, 0.2)


def said(slack: SlackStandIn, room: str) -> list[tuple[str, str]]:
    """The bot's messages in a room, each with the thread it stands in."""
    messages = slack.workspace.channels[room].messages.values()
    return [(message.shown or message.text, message.thread_ts) for message in messages if message.bot]


def read(slack: SlackStandIn, room: str) -> list[str]:
    """Every text that the bot's messages have had in a room."""
    return [moment.text for moment in slack.timeline.moments if moment.room == room and moment.bot and moment.text]


async def test_a_short_trouble_passes_without_a_word(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    inbox.failures = 1
    room = slack.open_dm(slack.ada)
    slack.say(room, slack.ada, "hello")
    await until(lambda: inbox.texts == ["hello"])
    assert not read(slack, room)


async def test_a_longer_one_is_told_until_the_question_is_taken(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    inbox.failures = 2
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "hello")
    await until(lambda: said(slack, room) == [(LATER, "")])
    assert inbox.until < float(ts)
    await until(lambda: inbox.texts == ["hello"])
    await until(lambda: not said(slack, room))
    await until(lambda: inbox.until == float(ts))
    assert read(slack, room) == [LATER]


async def test_after_the_last_delivery_one_sentence_says_that_it_was_not_taken(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    """A mention is two events, each of them delivered four times."""
    inbox.failures = 8
    ts = slack.say(slack.general, slack.ada, "<@BOT> hello")
    await until(lambda: inbox.failures == 0)
    await until(lambda: said(slack, slack.general) == [(NOT_STORED, ts)])
    await until(lambda: inbox.until == float(ts))  # given up: it is not answered after an absence either
    assert read(slack, slack.general) == [LATER, NOT_STORED]
    assert not inbox.prompts


async def test_a_question_that_is_taken_after_all_is_not_told_otherwise(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    inbox.failures = 4
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "hello")
    await until(lambda: said(slack, room) == [(NOT_STORED, "")])
    slack.redeliver(ts)
    await until(lambda: inbox.texts == ["hello"])
    await until(lambda: not said(slack, room))


async def test_nothing_is_said_of_a_question_that_was_taken_by_an_earlier_delivery(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "hello")
    await until(lambda: inbox.texts == ["hello"])
    inbox.failures = 1
    slack.redeliver(ts)
    await until(lambda: inbox.failures == 0)
    slack.say(room, slack.ada, "and now?")
    await until(lambda: inbox.texts == ["hello", "and now?"])
    assert not read(slack, room)


@pytest.mark.parametrize("failures", [2, 4])
async def test_the_next_process_takes_it_back_where_it_finds_the_question(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, failures: int
):
    slack.subscriptions.discard("message.channels")  # a mention is one event, too
    slack.limits.redeliver_after = (0.0, 0.2, 0.2)[: failures - 1]
    async with connect():
        inbox.failures = 2 * failures
        since = slack.workspace.new_ts()
        room = slack.open_dm(slack.ada)
        slack.say(room, slack.ada, "one")
        slack.say(slack.general, slack.ada, "<@BOT> two")
        await until(lambda: inbox.failures == 0)
        await until(lambda: said(slack, room) and said(slack, slack.general))
    async with connect() as platform:
        async for prompt in platform.missed(float(since), []):
            await inbox.receive(prompt)
    assert inbox.texts == ["two", "one"]
    assert said(slack, room) == said(slack, slack.general) == []


async def test_with_its_question_the_sentence_goes_away(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    inbox.failures = 4
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "hello")
    await until(lambda: said(slack, room) == [(NOT_STORED, "")])
    slack.delete(room, ts)
    await until(lambda: not said(slack, room))


async def test_a_thread_that_cannot_be_looked_up_is_told_only_where_the_bot_was_asked(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    ours = slack.say(slack.general, slack.ada, "<@BOT> begin")
    theirs = slack.say(slack.general, slack.ada, "has anybody seen my keys?")
    await until(lambda: inbox.until == float(theirs))
    inbox.failures = 8
    slack.say(slack.general, slack.linus, "no", thread_ts=theirs)
    slack.say(slack.general, slack.ada, "go on", thread_ts=ours)
    await until(lambda: inbox.failures == 0)
    await until(lambda: said(slack, slack.general) == [(NOT_STORED, ours)])
    assert read(slack, slack.general) == [LATER, NOT_STORED]


async def test_a_sentence_that_cannot_be_posted_hurts_nobody(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform, caplog: pytest.LogCaptureFixture
):
    inbox.failures = 3
    room = slack.open_dm(slack.ada)
    slack.fail("chat.postMessage", body={"ok": False, "error": "restricted_action"}, times=2)
    slack.say(room, slack.ada, "hello")
    await until(lambda: inbox.texts == ["hello"])
    assert not read(slack, room)
    assert "slack.not_told" in caplog.messages
