"""Posting, editing and deleting, as readers see it and as Slack counts it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.platform import SlackPlatform
from bot.core.files import File
from bot.core.model import Place
from bot.core.pacing import Call
from bot.errors import Gone, Refused, Rejected, Unreachable
from bot.ports import Strays
from playground.slack.server import SlackStandIn
from playground.timeline import Timeline
from tests.adapters.slack.workspace import Connect


def calls(slack: SlackStandIn, method: str) -> int:
    return [call.method for call in slack.calls].count(method)


def question(slack: SlackStandIn) -> Place:
    ts = slack.say(slack.general, slack.ada, "<@BOT> tell me")
    return Place(slack.general, message=ts, thread=ts)


def direct_question(slack: SlackStandIn) -> Place:
    room = slack.open_dm(slack.ada)
    return Place(room, message=slack.say(room, slack.ada, "tell me"))


async def test_a_page_appears_in_the_thread_changes_and_goes(
    slack: SlackStandIn, platform: SlackPlatform, timeline: Timeline
):
    place = question(slack)
    receipt = await platform.post(place, "**one**", nonce="1", first=True)
    assert receipt.quota is None
    await platform.edit(place, receipt.message, "**one two**")
    assert slack.workspace.channels[slack.general].messages[receipt.message].thread_ts == place.thread
    assert timeline.shown(slack.general)[receipt.message] == "**one two**"
    await platform.delete(place, receipt.message)
    assert receipt.message not in timeline.shown(slack.general)


async def test_a_page_of_the_full_budget_is_accepted_by_post_and_edit(slack: SlackStandIn, platform: SlackPlatform):
    place, full = question(slack), "x" * int(platform.dialect.budget)
    receipt = await platform.post(place, full, nonce="1", first=True)
    await platform.edit(place, receipt.message, full[::-1])
    with pytest.raises(Rejected, match="msg_blocks_too_long"):
        await platform.edit(place, receipt.message, full + "x")


async def test_a_notification_says_the_first_words_without_markers(
    slack: SlackStandIn, platform: SlackPlatform, timeline: Timeline
):
    place = question(slack)
    receipt = await platform.post(
        place, "## Rivers\n\nThe **Rhine** is [long](https://example.org).", nonce="1", first=True
    )
    await platform.edit(place, receipt.message, "---\n")
    first, second = timeline.states(receipt.message)
    assert (first.fallback, first.mrkdwn) == ("Rivers The Rhine is long.", False)
    assert first.text.startswith("## Rivers")
    assert second.text == "---\n"
    assert second.fallback == "…", "Slack wants some text"


@pytest.mark.parametrize("where", [question, direct_question])
async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    slack: SlackStandIn, platform: SlackPlatform, where: type
):
    """One dropped connection is one call, and the second try returns the message of the first."""
    place = where(slack)
    slack.fail("chat.postMessage", drop=True, after_effect=True)
    with pytest.raises(Unreachable):
        await platform.post(place, "once", nonce="turn7.1", first=True)
    assert calls(slack, "chat.postMessage") == 1
    receipt = await platform.post(place, "once", nonce="turn7.1", first=True)
    assert calls(slack, "chat.postMessage") == 1
    ours = [m for m in slack.workspace.channels[place.room].messages.values() if m.bot]
    assert [message.ts for message in ours] == [receipt.message]


@pytest.mark.parametrize("where", [question, direct_question])
async def test_a_post_that_never_arrived_is_made(slack: SlackStandIn, platform: SlackPlatform, where: type):
    place = where(slack)
    await platform.post(place, "another page", nonce="turn7.1", first=True)
    slack.fail("chat.postMessage", drop=True)
    with pytest.raises(Unreachable):
        await platform.post(place, "mine", nonce="turn7.2", first=False)
    receipt = await platform.post(place, "mine", nonce="turn7.2", first=False)
    assert slack.workspace.channels[place.room].messages[receipt.message].text == "mine"


async def test_a_post_that_was_cancelled_is_looked_for(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    slack.latency = 0.1
    posting = asyncio.create_task(platform.post(place, "once", nonce="1", first=True))
    await asyncio.sleep(0.03)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    await asyncio.sleep(0.05)  # it arrived all the same
    await platform.post(place, "once", nonce="1", first=True)
    assert calls(slack, "chat.postMessage") == 1


async def test_a_page_is_looked_for_beyond_the_first_hundred_replies(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    for number in range(120):
        slack.say(slack.general, slack.linus, f"and {number}", thread_ts=place.thread)
    slack.fail("chat.postMessage", drop=True, after_effect=True)
    with pytest.raises(Unreachable):
        await platform.post(place, "late", nonce="1", first=True)
    await platform.post(place, "late", nonce="1", first=True)
    assert calls(slack, "chat.postMessage") == 1
    assert calls(slack, "conversations.replies") == 2


async def test_a_process_started_later_finds_what_the_one_before_posted(slack: SlackStandIn, connect: Connect):
    """A crash between a post and its receipt; another answer's pages are none of this one."""
    place = question(slack)
    async with connect() as before:
        await before.post(place, "elsewhere", nonce="b-0", first=True)
        pages = [await before.post(place, "page", nonce=f"a-{page}", first=not page) for page in range(2)]
        first, second = [page.message for page in pages]
    async with connect() as after:
        assert await after.strays(place, "a-", []) == Strays((first, second))
        assert await after.strays(place, "a-", [first]) == Strays((second,))
        assert await after.strays(place, "a-", [first, second]) == Strays()
        assert await after.strays(place, "c-", []) == Strays()


async def test_what_an_earlier_answer_shows_below_a_later_question_is_not_the_later_ones(
    slack: SlackStandIn, connect: Connect
):
    first = question(slack)
    later = Place(first.room, slack.say(first.room, slack.ada, "and?", thread_ts=first.message), first.message)
    async with connect() as before:
        await before.post(first, "page", nonce="a-0", first=True)
        await before.attach(first, "The rest.", [File("answer.md", "more")], nonce="a-f1")
    async with connect() as after:
        assert await after.strays(later, "b-", []) == Strays()
        mine = (await after.post(later, "page", nonce="b-0", first=True)).message
        assert await after.strays(later, "b-", [mine]) == Strays()


async def test_a_process_started_later_finds_the_file_that_the_one_before_shared(slack: SlackStandIn, connect: Connect):
    place = question(slack)
    async with connect() as before:
        page = (await before.post(place, "page", nonce="a-0", first=True)).message
        file = (await before.attach(place, "The rest.", [File("answer.md", "more")], nonce="a-f1")).message
    async with connect() as after:
        assert await after.strays(place, "a-", [page]) == Strays(files=(file,))
        assert await after.strays(place, "a-", []) == Strays((page,), (file,))
        assert await after.strays(place, "a-", [page, file]) == Strays()


async def test_an_ordinary_post_is_one_call(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    slack.calls.clear()
    await platform.post(place, "hello", nonce="1", first=True)
    assert [call.method for call in slack.calls if call.method != "users.info"] == ["chat.postMessage"]


async def test_a_refusal_names_the_limit_and_the_wait(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    burst = [platform.post(place, "x", nonce=str(number), first=True) for number in range(slack.limits.post_burst)]
    await asyncio.gather(*burst)
    with pytest.raises(Refused) as refused:
        await platform.post(place, "x", nonce="one too many", first=True)
    assert refused.value.retry_after >= 1
    assert refused.value.limit == platform.limits(Call.POST, place)[0].key
    message = next(m.ts for m in slack.workspace.channels[slack.general].messages.values() if m.bot)
    slack.fail("chat.update", body={"ok": False, "error": "rate_limited"})
    with pytest.raises(Refused) as refused:
        await platform.edit(place, message, "y")
    assert refused.value.retry_after == 3
    assert refused.value.limit == platform.limits(Call.EDIT, place)[0].key


async def test_limits_are_counted_for_the_workspace_and_posts_for_the_channel_too(
    slack: SlackStandIn, platform: SlackPlatform
):
    here, there = Place("C1"), Place("C2")
    assert platform.limits(Call.EDIT, here) == platform.limits(Call.EDIT, there)
    assert platform.limits(Call.POST, here)[0] != platform.limits(Call.POST, there)[0]
    assert platform.limits(Call.POST, here)[1] == platform.limits(Call.POST, there)[1]
    assert slack.team in platform.limits(Call.DELETE, here)[0].key
    assert platform.limits(Call.TYPING, here) == platform.limits(Call.QUIET, there)


async def test_a_deleted_message_is_gone_and_only_it(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    receipt = await platform.post(place, "x", nonce="1", first=True)
    slack.delete(slack.general, receipt.message)
    for call in (platform.edit(place, receipt.message, "y"), platform.delete(place, receipt.message)):
        with pytest.raises(Gone) as gone:
            await call
        assert gone.value.message


async def test_a_lost_channel_is_gone(slack: SlackStandIn, platform: SlackPlatform):
    place = question(slack)
    receipt = await platform.post(place, "x", nonce="1", first=True)
    slack.archive(slack.general)
    for call in (platform.post(place, "z", nonce="2", first=False), platform.edit(place, receipt.message, "y")):
        with pytest.raises(Gone) as gone:
            await call
        assert not gone.value.message
    slack.remove_bot(slack.general)
    with pytest.raises(Gone, match="not_in_channel"):
        await platform.post(place, "z", nonce="3", first=False)
