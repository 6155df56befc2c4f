"""The status under a thread, in the newer way, in the older one, or not at all; and the Stop button beside it."""

from __future__ import annotations

import pytest

from adapters.slack.platform import SlackPlatform
from bot.core.model import Channel, Place
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


def question(slack: SlackStandIn) -> Place:
    ts = slack.say(slack.general, slack.ada, "<@BOT> tell me")
    return Place(slack.general, message=ts, thread=ts)


def direct_question(slack: SlackStandIn) -> Place:
    room = slack.open_dm(slack.ada)
    return Place(room, message=slack.say(room, slack.ada, "tell me"))


@pytest.mark.parametrize("where", [question, direct_question])
async def test_a_session_is_processing_until_it_is_quiet(slack: SlackStandIn, platform: SlackPlatform, where: type):
    place = where(slack)
    assert await platform.typing(place) == 0.0, "it lasts"
    assert slack.shown_status(place.room, place.message) == "processing"
    await platform.quiet(place)
    assert slack.shown_status(place.room, place.message) == ""


@pytest.mark.parametrize("word", ["unknown_method", "feature_disabled"])
async def test_the_older_status_is_shown_where_sessions_are_not_known(
    slack: SlackStandIn, platform: SlackPlatform, word: str
):
    slack.features.sessions = word
    place = question(slack)
    assert 0 < await platform.typing(place) < slack.limits.status_seconds, "it goes away by itself"
    assert slack.shown_status(place.room, place.message) == "is thinking…"
    await platform.quiet(place)
    assert slack.shown_status(place.room, place.message) == ""
    assert [call.method for call in slack.calls].count("agents.sessions.setStatus") == 1


async def test_nothing_is_tried_where_both_are_refused(slack: SlackStandIn, platform: SlackPlatform):
    slack.features.sessions = slack.features.assistant = "unknown_method"
    place = question(slack)
    for _ in range(3):
        assert await platform.typing(place) == 0.0
    await platform.quiet(place)
    assert len([call for call in slack.calls if call.method.endswith("setStatus")]) == 2


async def test_without_a_thread_there_is_no_status(slack: SlackStandIn, platform: SlackPlatform):
    """A slash command has no message."""
    assert await platform.typing(Place(slack.general)) == 0.0
    assert not [call for call in slack.calls if call.method.endswith("setStatus")]


async def test_the_stop_button_is_a_command_for_the_channel_of_its_thread(
    slack: SlackStandIn, connect: Connect, inbox: FakeInbox
):
    async with connect(conversation_scope="thread") as platform:
        place = question(slack)
        await until(lambda: inbox.prompts)
        await platform.typing(place)
        slack.stop_session(place.room, slack.linus, place.message)
        await until(lambda: inbox.obeyed)
        assert inbox.obeyed == [("stop", Channel("slack", f"{slack.team}:{place.room}:{place.message}"))]
        await until(lambda: slack.shown_status(place.room, place.message) == "")


async def test_the_stop_button_counts_in_a_thread_that_people_began(
    slack: SlackStandIn, platform: SlackPlatform, inbox: FakeInbox
):
    root = slack.say(slack.general, slack.linus, "has anybody seen my keys?")
    asked = slack.say(slack.general, slack.ada, "<@BOT> have you?", thread_ts=root)
    await until(lambda: inbox.prompts)
    await platform.typing(Place(slack.general, asked, root))
    slack.stop_session(slack.general, slack.linus, root)
    await until(lambda: inbox.obeyed)
    await until(lambda: slack.shown_status(slack.general, root) == "")


async def test_a_stop_button_where_the_bot_was_never_asked_stops_nothing(
    slack: SlackStandIn, platform: SlackPlatform, inbox: FakeInbox
):
    """As `!stop` there would not; but the status goes."""
    ts = slack.say(slack.general, slack.ada, "no question")
    await platform.typing(Place(slack.general, ts, ts))
    slack.stop_session(slack.general, slack.linus, ts)
    await until(lambda: slack.shown_status(slack.general, ts) == "")
    assert inbox.obeyed == []


async def test_a_stop_that_is_delivered_again_stops_once(
    slack: SlackStandIn, platform: SlackPlatform, inbox: FakeInbox
):
    """The next answer of the channel may be running by then."""
    place = direct_question(slack)
    await platform.typing(place)
    slack.latency = 0.5  # the acknowledgement waits for the status, for longer than Slack does
    slack.stop_session(place.room, slack.ada, place.message)
    await until(lambda: slack.shown_status(place.room, place.message) == "")
    said = slack.say(place.room, slack.ada, "next")
    await until(lambda: said in {prompt.place.message for prompt in inbox.prompts})
    assert len(inbox.obeyed) == 1


async def test_it_is_said_once_that_the_app_does_not_hear_of_the_stop_button(
    slack: SlackStandIn, platform: SlackPlatform, caplog: pytest.LogCaptureFixture
):
    slack.subscriptions.discard("agent_session_stopped")
    for _ in range(3):
        await platform.typing(question(slack))
    assert [record.message for record in caplog.records].count("slack.stop_button.missing") == 1
