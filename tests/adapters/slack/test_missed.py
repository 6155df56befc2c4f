"""What was said while nobody listened is found, and nothing else, and it becomes the same questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import aiohttp
import pytest

from adapters.slack.calls import made, web_client
from adapters.slack.listener import Listener
from adapters.slack.missed import Missed
from adapters.slack.people import People
from adapters.slack.platform import SlackPlatform
from adapters.slack.reading import Reading
from adapters.slack.sign_in import sign_in
from adapters.slack.socket import SDK_LOG
from adapters.slack.untaken import Untaken
from bot.core.model import Place, Prompt
from bot.errors import Unreachable
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


@pytest.fixture(autouse=True)
def _nothing_is_delivered_again(slack: SlackStandIn):
    """So whatever was said before somebody listened can only be looked up."""
    slack.limits.redeliver_after = ()


def now(slack: SlackStandIn) -> float:
    return float(slack.workspace.new_ts())


async def catch_up(platform: SlackPlatform, inbox: FakeInbox, since: float, places: Sequence[Place] = ()) -> list[str]:
    """The texts of what was missed, each received before the next is asked for."""
    texts: list[str] = []
    async for prompt in platform.missed(since, places):
        await inbox.receive(prompt)
        texts.append(prompt.text)
    return texts


def talk(slack: SlackStandIn) -> None:
    """A bit of everything."""
    always_on = next(room.id for room in slack.workspace.channels.values() if room.name == "help")
    secret = slack.add_channel("secret", private=True)
    group, direct = slack.open_group(slack.ada, slack.linus), slack.open_dm(slack.ada)
    root = slack.say(slack.general, slack.ada, "<@BOT> what is <b>?")
    slack.say(slack.general, slack.linus, f"and what does <@{slack.ada}> say?", thread_ts=root)
    theirs = slack.say(slack.general, slack.linus, "has anybody seen my keys?")
    slack.say(slack.general, slack.ada, "no", thread_ts=theirs)
    slack.say(slack.general, slack.ada, "<@BOT> have you?", thread_ts=theirs)
    slack.say(slack.general, slack.linus, "it will not know", thread_ts=theirs)
    slack.say(always_on, slack.ada, "anybody there?")
    slack.say(secret, slack.ada, "<@BOT> between us")
    slack.say(secret, slack.ada, "just us")
    slack.say(group, slack.linus, "<@BOT> the three of us")
    slack.say(group, slack.linus, "is it awake?")
    question = slack.say(direct, slack.ada, "hello")
    slack.say(direct, slack.ada, "and here?", thread_ts=question)
    slack.say(direct, slack.ada, "!stop")
    slack.say(slack.general, slack.ada, "<@BOT>")


@pytest.mark.parametrize("scope", ["channel", "thread"])
async def test_it_makes_the_questions_that_the_events_would_have_made(
    slack: SlackStandIn, connect: Connect, scope: str
):
    settings: dict[str, Any] = {
        "conversation_scope": scope,
        "always_on": frozenset({slack.add_channel("help")}),
    }
    since = now(slack)
    live, late = FakeInbox(), FakeInbox()
    async with connect(live, **settings):
        talk(slack)
        last = slack.say(slack.open_dm(slack.linus), slack.linus, "the last word")
        await until(lambda: live.until == float(last))
    async with connect(late, **settings) as platform:
        await catch_up(platform, late, since)
    expected = [prompt for prompt in live.prompts if not prompt.text.startswith("!")]
    assert len(expected) == 10
    assert by_room(late.prompts) == by_room(expected)
    assert late.attempts == len(expected)


def by_room(prompts: Sequence[Prompt]) -> dict[str, list[Prompt]]:
    rooms: dict[str, list[Prompt]] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.place.room):
        rooms.setdefault(prompt.place.room, []).append(prompt)
    return rooms


async def test_what_was_said_before_is_left_alone(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    room = slack.open_dm(slack.ada)
    root = slack.say(room, slack.ada, "before")
    slack.say(room, slack.ada, "before that, too", thread_ts=root)
    since = now(slack)
    slack.say(room, slack.ada, "after", thread_ts=root)
    gone = slack.say(room, slack.ada, "never mind")
    slack.edit(room, slack.say(room, slack.ada, "helo"), "hello")
    slack.delete(room, gone)
    async with connect() as platform:
        assert await catch_up(platform, inbox, since) == ["after", "hello"]


async def test_pages_are_read_from_the_newest_and_asked_from_the_oldest(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    """An app that is sold outside of Slack's Marketplace gets few posts at a time."""
    slack.limits.reading_page = 2
    room = slack.open_dm(slack.ada)
    for number in range(3):
        slack.say(room, slack.ada, f"old {number}")
    since = now(slack)
    root = slack.say(room, slack.ada, "0")
    for number in range(1, 6):
        slack.say(room, slack.ada, str(number), thread_ts=root if number % 2 else None)
    async with connect() as platform:
        assert await catch_up(platform, inbox, since) == ["0", "1", "2", "3", "4", "5"]


async def test_an_old_thread_is_looked_into_where_the_bot_was_asked_or_the_root_is_near(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    slack.limits.reading_page = 3
    engaged, unknown, near = (slack.say(slack.general, slack.ada, text) for text in ("<@BOT> one", "two", "three"))
    async with connect() as platform:
        assert await catch_up(platform, inbox, 0.0) == ["one"]
    slack.say(slack.general, slack.ada, "four")
    since = now(slack)
    slack.say(slack.general, slack.ada, "five")
    slack.say(slack.general, slack.ada, "<@BOT> nobody sees this", thread_ts=unknown)
    slack.say(slack.general, slack.ada, "go on", thread_ts=engaged)
    slack.say(slack.general, slack.ada, "<@BOT> near", thread_ts=near)
    async with connect() as platform:
        place = Place(slack.general, message=engaged, thread=engaged)
        assert await catch_up(platform, inbox, since, [place]) == ["go on", "near"]


async def test_the_rooms_where_it_was_asked_lately_come_first_and_direct_messages_last(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    since = now(slack)
    first, last = slack.open_dm(slack.linus), slack.open_dm(slack.ada)
    other = slack.add_channel("other")
    for room in (last, slack.general, other, first):
        slack.say(room, slack.ada if room != first else slack.linus, f"<@BOT> {room}")
    async with connect(always_on=frozenset({other})) as platform:
        assert await catch_up(platform, inbox, since, [Place(first)]) == [first, other, slack.general, last]


async def test_without_the_scopes_to_list_rooms_it_looks_where_it_was_asked(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, caplog: pytest.LogCaptureFixture
):
    slack.scopes.difference_update({"channels:read", "groups:read", "im:read", "mpim:read"})
    since = now(slack)
    direct, help = slack.open_dm(slack.ada), slack.add_channel("help")
    slack.say(direct, slack.ada, "hello")
    slack.say(help, slack.ada, "anybody there?")
    slack.say(slack.general, slack.ada, "<@BOT> nobody sees this")
    async with connect(always_on=frozenset({help})) as platform:
        assert await catch_up(platform, inbox, since, [Place(direct)]) == ["hello", "anybody there?"]
    assert "slack.missed.unlisted" in caplog.messages


async def test_with_some_of_them_it_lists_what_it_may(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    slack.scopes.difference_update({"groups:read", "im:read", "mpim:read"})
    since = now(slack)
    slack.say(slack.general, slack.ada, "<@BOT> hello")
    async with connect() as platform:
        assert await catch_up(platform, inbox, since) == ["hello"]


async def test_a_room_that_cannot_be_read_is_skipped_with_a_line(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, caplog: pytest.LogCaptureFixture
):
    slack.scopes.difference_update({"groups:history", "im:read"})
    since = now(slack)
    secret, left = slack.add_channel("secret", private=True), slack.add_channel("left")
    slack.say(secret, slack.ada, "<@BOT> between us")
    slack.remove_bot(left)
    slack.say(slack.general, slack.ada, "<@BOT> hello")
    async with connect() as platform:
        assert await catch_up(platform, inbox, since, [Place(left), Place("C404")]) == ["hello"]
    skipped = [record for record in caplog.records if record.message == "slack.missed.skipped"]
    assert sorted(vars(record)["room"] for record in skipped) == sorted([secret, left, "C404"])


async def test_a_room_for_which_slack_does_not_answer_is_looked_at_later(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    since = now(slack)
    slack.say(slack.general, slack.ada, "<@BOT> one")
    slack.say(slack.open_dm(slack.ada), slack.ada, "two")
    async with connect() as platform:
        slack.fail("conversations.history", status=503)
        assert await catch_up(platform, inbox, since) == ["two", "one"]


async def test_a_slack_that_does_not_answer_at_all_is_unreachable(
    slack: SlackStandIn, inbox: FakeInbox, platform: SlackPlatform
):
    slack.fail("users.conversations", status=503)
    with pytest.raises(Unreachable):
        await catch_up(platform, inbox, now(slack))


async def test_it_waits_as_long_as_slack_tells_it_to(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    since = now(slack)
    slack.say(slack.general, slack.ada, "<@BOT> one")
    slack.say(slack.open_dm(slack.ada), slack.ada, "two")
    slack.limits.tier_3, slack.limits.minute = 1, 0.5
    async with connect() as platform:
        assert await catch_up(platform, inbox, since) == ["one", "two"]
    assert [refusal.method for refusal in slack.refusals] == ["conversations.history"]


async def test_what_is_said_meanwhile_in_the_room_comes_after_what_was_missed_there(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    since = now(slack)
    slack.limits.ack_within = 30
    room, elsewhere = slack.open_dm(slack.ada), slack.open_dm(slack.linus)
    slack.say(room, slack.ada, "one")
    slack.say(room, slack.ada, "two")
    async with connect() as platform:
        missed = platform.missed(since, [Place(room)])
        first = await anext(missed)
        slack.say(room, slack.ada, "three")
        slack.say(elsewhere, slack.linus, "not here")
        await until(lambda: inbox.texts == ["not here"])
        await inbox.receive(first)
        async for prompt in missed:
            await inbox.receive(prompt)
        await until(lambda: len(inbox.prompts) == 4)
    assert inbox.texts == ["not here", "one", "two", "three"]


async def test_a_look_that_is_given_up_lets_go_of_the_room(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    since = now(slack)
    room = slack.open_dm(slack.ada)
    slack.say(room, slack.ada, "one")
    async with connect() as platform:
        missed = platform.missed(since, [])
        await anext(missed)
        await missed.aclose()
        slack.say(room, slack.ada, "two")
        await until(lambda: inbox.texts == ["two"])


# Patience


@pytest.fixture
async def listener(slack: SlackStandIn, inbox: FakeInbox) -> AsyncGenerator[Listener]:
    """Nothing is delivered to it, and its client is also the test's."""
    client = web_client(f"{slack.url}/api/", slack.bot_token, SDK_LOG)
    async with aiohttp.ClientSession() as client.session:
        yield Listener(
            await sign_in(client),
            People(client),
            inbox,
            scope="channel",
            direct_threads=False,
            always_on=frozenset(),
            command="/rivulet",
            quiet=lambda place: asyncio.sleep(0),
            untaken=Untaken(client, made),
        )


def looking(slack: SlackStandIn, listener: Listener, **patience: float) -> Missed:
    client = web_client(f"{slack.url}/api/", slack.bot_token, SDK_LOG)
    return Missed(Reading(client, made), listener, None, **patience)


async def test_it_gives_up_after_a_while(slack: SlackStandIn, listener: Listener, caplog: pytest.LogCaptureFixture):
    since = now(slack)
    slack.say(slack.general, slack.ada, "<@BOT> one")
    slack.say(slack.open_dm(slack.ada), slack.ada, "two")
    slack.limits.tier_3 = 1
    questions = looking(slack, listener, patience=0.5).questions(since, [])
    assert [prompt.text async for prompt in questions] == ["one"]
    [given_up] = [record for record in caplog.records if record.message == "slack.missed.given_up"]
    assert vars(given_up)["left"] == 1


async def test_it_says_so_if_it_could_read_nothing_by_then(slack: SlackStandIn, listener: Listener):
    slack.limits.tier_3 = 0
    with pytest.raises(Unreachable):
        await anext(looking(slack, listener, patience=0.2).questions(now(slack), []))


async def test_people_do_not_wait_long_for_a_slow_look(slack: SlackStandIn, listener: Listener):
    since = now(slack)
    slack.say(slack.general, slack.ada, "<@BOT> one")
    slack.latency = 0.4
    questions = looking(slack, listener, held_back=0.05).questions(since, [])
    first = asyncio.ensure_future(anext(questions))
    await until(lambda: listener.turn_of(slack.general).locked() and slack.calls[-1].method == "users.conversations")
    async with asyncio.timeout(5), listener.turn_of(slack.general):
        assert not first.done()
    assert (await first).text == "one"
    await questions.aclose()
