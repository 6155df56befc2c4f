"""Slack's own streams, as readers see them, and what each refusal of Slack's becomes."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.platform import SlackPlatform
from adapters.slack.streams import Way
from bot.core.model import Place
from bot.core.pacing import Call
from bot.errors import Gone, PlatformError, Refused, Rejected, StreamEnded, Unreachable
from bot.ports import Strays, Streaming
from playground.slack.server import SlackStandIn
from playground.timeline import Timeline
from tests.adapters.slack.workspace import Connect


def direct_question(slack: SlackStandIn) -> Place:
    room = slack.open_dm(slack.ada)
    return Place(room, message=slack.say(room, slack.ada, "tell me"))


def question(slack: SlackStandIn) -> Place:
    ts = slack.say(slack.general, slack.ada, "<@BOT> tell me")
    return Place(slack.general, message=ts, thread=ts)


def streaming(platform: SlackPlatform, place: Place) -> Streaming:
    found = platform.streaming(place)
    assert found is not None
    return found


def calls(slack: SlackStandIn, method: str) -> int:
    return [call.method for call in slack.calls].count(method)


async def test_a_stream_grows_in_the_thread_of_the_question_and_ends(
    slack: SlackStandIn, platform: SlackPlatform, timeline: Timeline
):
    place = direct_question(slack)
    stream = streaming(platform, place)
    assert stream.place == Place(place.room, place.message, thread=place.message)
    message = (await stream.start("One ", person=slack.ada, nonce="1")).message
    await stream.append(message, "two ")
    await stream.stop(message, "three", more=False)
    states = timeline.states(message)
    assert [(state.text, state.live) for state in states] == [
        ("One ", True),
        ("One two ", True),
        ("One two three", False),
    ]
    assert states[0].reply_to == place.message
    await platform.edit(stream.place, message, "Four")
    assert timeline.shown(place.room)[message] == "Four"


@pytest.mark.parametrize(
    ("way", "direct", "channel"), [("auto", True, False), ("edit", False, False), ("native", True, True)]
)
async def test_where_answers_are_streamed(slack: SlackStandIn, connect: Connect, way: Way, direct: bool, channel: bool):
    """In a channel the others would not see an answer grow; without a question there is no thread to stream into."""
    async with connect(streaming=way) as platform:
        assert (platform.streaming(direct_question(slack)) is not None) is direct
        assert (platform.streaming(question(slack)) is not None) is channel
        assert platform.streaming(Place(slack.open_dm(slack.ada))) is None


@pytest.mark.parametrize("word", ["unknown_method", "feature_not_enabled", "method_deprecated"])
async def test_a_workspace_that_refuses_streams_is_not_asked_again(slack: SlackStandIn, connect: Connect, word: str):
    async with connect(streaming="native") as platform:
        stream = streaming(platform, question(slack))
        slack.features.streams = word
        with pytest.raises(Rejected, match=word):
            await stream.start("One ", person=slack.ada, nonce="1")
        assert platform.streaming(question(slack)) is None
        assert platform.streaming(direct_question(slack)) is None


async def test_streams_may_be_refused_in_channels_alone(slack: SlackStandIn, connect: Connect):
    async with connect(streaming="native") as platform:
        slack.features.streams = "channel_type_not_supported"
        with pytest.raises(Rejected):
            await streaming(platform, question(slack)).start("One ", person=slack.ada, nonce="1")
        assert platform.streaming(question(slack)) is None
        assert await streaming(platform, direct_question(slack)).start("One ", person=slack.ada, nonce="2")


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("message_not_in_streaming_state", StreamEnded),
        ("stopped_by_user", StreamEnded),
        ("streaming_mode_mismatch", Rejected),
        ("cannot_provide_both_markdown_text_and_chunks", Rejected),
        ("msg_too_long", Rejected),
        ("msg_blocks_too_long", Rejected),
        ("msg_blocks_too_many", Rejected),
        ("invalid_chunks", Rejected),
        ("missing_recipient_user_id", Rejected),
        ("missing_recipient_team_id", Rejected),
        ("not_supported", Rejected),
        ("no_text", Rejected),
        ("message_not_owned_by_app", Rejected),
        ("not_in_channel", Gone),
        ("channel_not_found", Gone),
        ("is_archived", Gone),
        ("restricted_action", Gone),
        ("messages_tab_disabled", Gone),
        ("message_not_found", Gone),
        ("rate_limited", Refused),
        ("internal_error", Unreachable),
    ],
)
async def test_slacks_words_are_translated(
    slack: SlackStandIn, platform: SlackPlatform, word: str, error: type[PlatformError]
):
    stream = streaming(platform, direct_question(slack))
    message = (await stream.start("One ", person=slack.ada, nonce="1")).message
    slack.fail("chat.(append|stop)Stream", body={"ok": False, "error": word}, times=2)
    for call in (stream.append(message, "two "), stream.stop(message, "", more=False)):
        with pytest.raises(error) as caught:
            await call
        if isinstance(caught.value, StreamEnded):
            assert caught.value.by_person is (word == "stopped_by_user")


async def test_a_refusal_names_its_limit(slack: SlackStandIn, platform: SlackPlatform):
    slack.limits.tier_2 = 1
    place = direct_question(slack)
    stream = streaming(platform, place)
    message = (await stream.start("One ", person=slack.ada, nonce="1")).message
    slack.limits.tier_4 = 0
    for call, kind in (
        (stream.start("x", person=slack.ada, nonce="2"), Call.START),
        (stream.append(message, "y"), Call.APPEND),
    ):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.limit == platform.limits(kind, place)[0].key
        assert refused.value.retry_after >= 1


async def test_each_kind_has_a_budget_of_its_own(platform: SlackPlatform):
    keys = [platform.limits(call, Place("D1"))[0] for call in (Call.START, Call.STOP, Call.APPEND)]
    assert len({limit.key for limit in keys}) == 3
    assert [limit.calls for limit in keys] == [20, 20, 100]


async def test_a_start_whose_answer_was_lost_is_found_and_not_repeated(slack: SlackStandIn, platform: SlackPlatform):
    stream = streaming(platform, direct_question(slack))
    slack.fail("chat.startStream", drop=True, after_effect=True)
    with pytest.raises(Unreachable):
        await stream.start("One ", person=slack.ada, nonce="1")
    message = (await stream.start("One two ", person=slack.ada, nonce="1")).message
    assert calls(slack, "chat.startStream") == 1
    await stream.stop(message, "", more=False)
    again = await stream.start("Another ", person=slack.ada, nonce="2")
    assert again.message != message


async def test_a_start_that_never_arrived_is_made(slack: SlackStandIn, platform: SlackPlatform):
    """The pages before it are none of its own."""
    stream = streaming(platform, direct_question(slack))
    first = (await stream.start("One ", person=slack.ada, nonce="1")).message
    slack.fail("chat.startStream", drop=True)
    with pytest.raises(Unreachable):
        await stream.start("Two ", person=slack.ada, nonce="2")
    assert (await stream.start("Two ", person=slack.ada, nonce="2")).message != first


async def test_a_start_that_was_cancelled_is_looked_for(slack: SlackStandIn, platform: SlackPlatform):
    stream = streaming(platform, direct_question(slack))
    slack.latency = 0.1
    starting = asyncio.create_task(stream.start("One ", person=slack.ada, nonce="1"))
    await asyncio.sleep(0.03)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await asyncio.sleep(0.05)  # it arrived all the same
    await stream.start("One ", person=slack.ada, nonce="1")
    assert calls(slack, "chat.startStream") == 1


async def test_a_process_started_later_ends_and_fills_the_stream_that_the_one_before_left(
    slack: SlackStandIn, connect: Connect, timeline: Timeline
):
    """A crash between the start and its receipt."""
    place = direct_question(slack)
    async with connect() as before:
        message = (await streaming(before, place).start("One ", person=slack.ada, nonce="a-0")).message
    async with connect() as after:
        where = streaming(after, place).place
        assert await after.strays(where, "a-", []) == Strays((message,))
        await after.edit(where, message, "One two three")
    assert timeline.shown(place.room)[message] == "One two three"
    assert not timeline.states(message)[-1].live


async def test_a_finished_stream_of_another_answer_is_not_taken_for_a_lost_one(slack: SlackStandIn, connect: Connect):
    """Two questions in one thread, and a crash in the second answer."""
    first = direct_question(slack)
    second = Place(first.room, slack.say(first.room, slack.ada, "and?", thread_ts=first.message), first.message)
    async with connect() as before:
        stream = streaming(before, first)
        message = (await stream.start("One ", person=slack.ada, nonce="1")).message
        await stream.stop(message, "two", more=False)
    async with connect() as after:
        assert await after.strays(second, "b-", []) == Strays()


async def test_nothing_acts_in_a_stream(slack: SlackStandIn, platform: SlackPlatform):
    stream = streaming(platform, direct_question(slack))
    grow, whole = stream.dialect.grow, stream.dialect.render
    first = grow("hey <!chan")
    message = (await stream.start(first, person=slack.ada, nonce="1")).message
    await stream.stop(message, whole("hey <!channel> <@U1> <https://example.org|x>").removeprefix(first), more=False)
    assert slack.pings == []
