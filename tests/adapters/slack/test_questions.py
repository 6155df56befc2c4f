"""What people write in Slack reaches the inbox once, in order, and is acknowledged only when it is stored."""

from __future__ import annotations

import pytest

from adapters.slack.platform import SlackPlatform
from bot.core.model import Place
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


def unacknowledged(slack: SlackStandIn) -> int:
    """How many envelopes wait for their acknowledgement."""
    return len(slack._service.sockets._waiting)  # pyright: ignore[reportPrivateUsage] a server keeps this to itself


async def settled(slack: SlackStandIn) -> None:
    """Everything that was sent has been acknowledged, well before it would be given up."""
    slack.limits.ack_within = 30
    await until(lambda: unacknowledged(slack) == 0)


async def test_a_mention_is_one_question_though_it_comes_as_two_events(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    ts = slack.say(slack.general, slack.ada, "<@BOT> what is <b>?")
    await until(lambda: inbox.attempts == 2)
    (prompt,) = inbox.prompts
    assert prompt.key == f"slack:{slack.team}:{slack.general}:{ts}"
    assert prompt.place == Place(slack.general, message=ts, thread=ts)
    assert (prompt.author.id, prompt.author.name) == (slack.ada, "Ada")
    assert prompt.text == "what is <b>?"
    assert prompt.shared


@pytest.mark.parametrize("subscription", ["app_mention", "message.channels"])
async def test_a_mention_is_heard_whichever_event_is_subscribed(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform, subscription: str
):
    slack.subscriptions.intersection_update({subscription})
    slack.say(slack.general, slack.ada, "<@BOT> hello")
    await until(lambda: inbox.texts == ["hello"])


async def test_a_thread_goes_on_without_a_mention_and_other_talk_is_left_alone(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    root = slack.say(slack.general, slack.ada, "<@BOT> begin")
    elsewhere = slack.say(slack.general, slack.ada, "I was not talking to anybody")
    slack.say(slack.general, slack.linus, "nor was I", thread_ts=elsewhere)
    slack.say(slack.general, slack.linus, "!stop")
    slack.say(slack.general, slack.linus, "go on", thread_ts=root)
    slack.say(slack.general, slack.linus, "!stop", thread_ts=root)
    await until(lambda: len(inbox.prompts) == 3)
    assert inbox.texts == ["begin", "go on", "!stop"]
    assert {prompt.place.thread for prompt in inbox.prompts} == {root}
    await settled(slack)
    assert len(inbox.prompts) == 3


async def test_every_post_of_an_always_on_channel_is_a_question(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    async with connect(always_on=frozenset({slack.general})):
        ts = slack.say(slack.general, slack.ada, "anybody there?")
        slack.say(slack.general, slack.linus, "I am", thread_ts=ts)
        await until(lambda: inbox.texts == ["anybody there?", "I am"])


async def test_direct_messages_are_questions(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "hello")
    slack.say(room, slack.ada, "and here?", thread_ts=ts)
    await until(lambda: len(inbox.prompts) == 2)
    assert [prompt.place.thread for prompt in inbox.prompts] == ["", ts]
    assert {str(prompt.channel) for prompt in inbox.prompts} == {f"slack:{slack.team}:{room}"}
    assert not any(prompt.shared for prompt in inbox.prompts)


async def test_threads_have_conversations_of_their_own_where_that_is_set(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    async with connect(conversation_scope="thread"):
        root = slack.say(slack.general, slack.ada, "<@BOT> one")
        slack.say(slack.general, slack.ada, "two", thread_ts=root)
        await until(lambda: len(inbox.prompts) == 2)
        assert {str(prompt.channel) for prompt in inbox.prompts} == {f"slack:{slack.team}:{slack.general}:{root}"}


async def test_the_bots_own_words_are_no_questions(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    room = slack.open_dm(slack.ada)
    message = (await platform.post(Place(room), "ask me anything", nonce="1", first=True)).message
    await platform.edit(Place(room), message, f"<@{slack.bot_user}> talks to itself")
    await platform.delete(Place(room), message)
    await settled(slack)
    assert inbox.attempts == 0


async def test_edited_and_deleted_posts_are_no_further_questions_but_changes_of_them(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    room = slack.open_dm(slack.ada)
    ts = slack.say(room, slack.ada, "helo")
    await until(lambda: inbox.prompts)
    slack.edit(room, ts, "hello")
    slack.delete(room, ts)
    key = inbox.prompts[0].key
    await until(lambda: inbox.changes == [(key, "hello"), (key, "")])
    await settled(slack)
    assert inbox.texts == ["helo"]


@pytest.mark.parametrize("scope", ["channel", "thread"])
async def test_a_deleted_post_with_replies_leaves_a_tombstone_and_counts_as_deleted(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, scope: str
):
    """Slack tells it as a change: an answer in the thread is such a reply."""
    async with connect(conversation_scope=scope) as platform:
        root = slack.say(slack.general, slack.ada, f"<@BOT> ask <@{slack.linus}>")
        await until(lambda: inbox.prompts)
        [prompt] = inbox.prompts
        await platform.post(prompt.place, "Yes.", nonce="1", first=True)
        slack.edit(slack.general, root, f"<@BOT> tell <@{slack.linus}>")
        slack.delete(slack.general, root)
        await until(lambda: inbox.changes == [(prompt.key, "tell @Linus"), (prompt.key, "")])
    assert inbox.texts == ["ask @Linus"]


async def test_edits_of_what_was_said_to_others_and_of_the_bots_own_words_are_none_of_its_business(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    ts = slack.say(slack.general, slack.ada, "nobody asked")
    message = (await platform.post(Place(slack.general), "I say", nonce="1", first=True)).message
    await platform.edit(Place(slack.general), message, f"<@{slack.bot_user}> I say so")
    slack.edit(slack.general, ts, "nobody asked you")
    direct = slack.open_dm(slack.ada)
    question = slack.say(direct, slack.ada, "https://example.com")
    slack.unfurl(direct, question)
    slack.edit(direct, question, "the last thing that happens")
    await until(lambda: inbox.changes)
    assert [text for _, text in inbox.changes] == ["the last thing that happens"]


async def test_a_deletion_that_could_not_be_stored_is_delivered_again(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    ts = slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
    await until(lambda: inbox.prompts)
    await settled(slack)
    inbox.failures = 1
    slack.limits.ack_within = 0.3
    slack.delete(slack.open_dm(slack.ada), ts)
    await until(lambda: inbox.changes == [(inbox.prompts[0].key, "")])


async def test_a_question_that_could_not_be_stored_is_delivered_again(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform, caplog: pytest.LogCaptureFixture
):
    """An envelope whose listener raised is not acknowledged."""
    slack.subscriptions.discard("message.channels")
    inbox.failures = 1
    slack.say(slack.general, slack.ada, "<@BOT> remember me")
    await until(lambda: inbox.prompts)
    assert inbox.attempts == 2
    assert "slack.event.failed" in caplog.messages
    assert "remember me" not in caplog.text


async def test_slack_is_told_only_when_the_question_is_stored(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.limits.ack_within = 30
    inbox.open.clear()
    slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
    await until(lambda: inbox.attempts)
    assert unacknowledged(slack) == 1
    inbox.open.set()
    await until(lambda: unacknowledged(slack) == 0)
    assert inbox.texts == ["hello"]


async def test_a_second_delivery_is_processed_and_gives_the_same_prompt(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    """A retry may be the first that arrives, so it is not dropped."""
    ts = slack.say(slack.open_dm(slack.ada), slack.ada, "hello")
    await until(lambda: inbox.attempts == 1)
    slack.redeliver(ts)
    await until(lambda: inbox.attempts == 2)
    assert inbox.texts == ["hello"]


async def test_questions_of_one_room_keep_their_order_while_names_are_looked_up(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.say(slack.general, slack.ada, "<@BOT> zero")
    await until(lambda: inbox.attempts == 2)
    slack.latency = 0.1  # Linus is unknown, so his name takes a call; Ada's does not
    slack.say(slack.general, slack.linus, "<@BOT> one")
    slack.say(slack.general, slack.ada, "<@BOT> two")
    await until(lambda: len(inbox.prompts) == 3)
    assert inbox.texts == ["zero", "one", "two"]


async def test_names_are_asked_for_once(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    for number in range(3):
        slack.say(slack.general, slack.ada, f"<@BOT> {number} for <@{slack.linus}>")
    await until(lambda: len(inbox.prompts) == 3)
    assert inbox.texts[2] == "2 for @Linus"
    assert [call.method for call in slack.calls].count("users.info") == 2


async def test_a_name_that_cannot_be_read_is_the_id(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    slack.scopes.discard("users:read")
    slack.say(slack.general, slack.ada, "<@BOT> hello")
    slack.say(slack.general, slack.ada, "<@BOT> again")
    await until(lambda: len(inbox.prompts) == 2)
    assert {prompt.author.name for prompt in inbox.prompts} == {slack.ada}
    assert [call.method for call in slack.calls].count("users.info") == 1


async def test_events_that_nobody_listens_to_are_acknowledged(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.limits.ack_within = 30
    slack.open_home(slack.ada)
    slack.say(slack.open_dm(slack.ada), slack.ada, "and then")
    await until(lambda: inbox.prompts)
    await until(lambda: unacknowledged(slack) == 0)
