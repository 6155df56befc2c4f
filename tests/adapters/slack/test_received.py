"""Until when everything was received, whatever order it came in and whatever failed."""

from __future__ import annotations

import pytest

from adapters.slack.platform import SlackPlatform
from adapters.slack.received import Received
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import FakeInbox, until

ROOM, ELSEWHERE = "C1", "C2"
MOMENT = pytest.approx  # a microsecond more or less


def test_what_is_received_was_heard():
    told: list[float] = []
    received = Received(told.append)
    for ts in ("10.000001", "12.000001"):
        received.begin(ROOM, ts)
        received.end(ROOM, ts)
    assert told == [10.000001, 12.000001]


def test_a_post_that_waits_holds_the_time_back_until_it_is_received():
    told: list[float] = []
    received = Received(told.append)
    received.begin(ROOM, "10.000000")
    received.begin(ELSEWHERE, "11.000000")
    received.begin(ROOM, "12.000000")
    received.end(ROOM, "12.000000")
    assert told == [MOMENT(10, abs=1e-5)]
    assert told[0] < 10
    received.end(ROOM, "10.000000")
    assert told[1] == MOMENT(11, abs=1e-5)
    received.end(ELSEWHERE, "11.000000")
    assert told[2] == 12


def test_it_never_goes_back():
    told: list[float] = []
    received = Received(told.append)
    received.end(ROOM, "12.000000")
    received.begin(ROOM, "10.000000")  # delivered late
    received.end(ROOM, "10.000000")
    assert told == [12]


def test_what_is_no_ts_does_no_harm():
    told: list[float] = []
    Received(told.append).end(ROOM, "None")
    assert not told


async def test_talk_that_is_no_question_is_heard_too(slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform):
    ts = slack.say(slack.general, slack.ada, "nobody asked")
    await until(lambda: inbox.until == float(ts))
    slack.edit(slack.general, ts, "nobody asked you")
    await until(lambda: inbox.until > float(ts))
    assert not inbox.prompts


async def test_a_question_that_could_not_be_stored_is_not_heard_though_later_ones_are(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.limits.redeliver_after = (60.0,)
    inbox.failures = 1
    lost = slack.say(slack.open_dm(slack.ada), slack.ada, "one")
    await until(lambda: inbox.attempts == 1)
    slack.say(slack.open_dm(slack.linus), slack.linus, "two")
    await until(lambda: inbox.texts == ["two"])
    slack.say(slack.general, slack.linus, "<@BOT> three")
    await until(lambda: inbox.texts == ["two", "three"])
    assert inbox.until < float(lost)
    slack.redeliver(lost)
    await until(lambda: inbox.until > float(lost))
    assert inbox.texts == ["two", "three", "one"]
