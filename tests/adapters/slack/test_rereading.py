"""How a question stands that was edited or deleted while nobody listened: nothing else is taken for a deletion."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.model import Place, Prompt
from bot.errors import PlatformError
from playground.slack.server import SlackStandIn
from tests.adapters.slack.workspace import Connect, FakeInbox, until


@pytest.fixture(autouse=True)
def _nothing_is_delivered_again(slack: SlackStandIn):
    slack.limits.redeliver_after = ()


async def asked(slack: SlackStandIn, connect: Connect, inbox: FakeInbox, kind: str) -> Prompt:
    """A question that was received just before the bot went away, somewhere after other posts."""
    room, thread = slack.general, None
    match kind:
        case "direct":
            room = slack.open_dm(slack.ada)
        case "direct thread":
            room = slack.open_dm(slack.ada)
            thread = slack.say(room, slack.ada, "earlier")
        case "thread":
            thread = slack.say(room, slack.linus, "has anybody seen my keys?")
            slack.say(room, slack.linus, "no?", thread_ts=thread)
        case "private":
            room = slack.add_channel("secret", private=True)
        case _:
            pass
    slack.say(room, slack.linus if room == slack.general else slack.ada, "before that", thread_ts=thread)
    async with connect():
        ts = slack.say(room, slack.ada, "<@BOT> how deep is the pont?", thread_ts=thread)
        await until(lambda: inbox.prompts and inbox.prompts[-1].place.message == ts)
    return inbox.prompts[-1]


def edit(slack: SlackStandIn, prompt: Prompt, text: str) -> None:
    slack.edit(prompt.place.room, prompt.place.message, text)


KINDS = ["channel", "thread", "private", "direct", "direct thread"]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_found_unchanged_edited_and_deleted_wherever_it_stands(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, kind: str
):
    question = await asked(slack, connect, inbox, kind)
    async with connect() as platform:
        before = len(slack.calls)
        assert await platform.reread(question) is question
        assert len(slack.calls) == before + 1
    edit(slack, question, "<@BOT> how deep is the pond?")
    async with connect() as platform:
        assert await platform.reread(question) == replace(question, text="how deep is the pond?")
    slack.delete(question.place.room, question.place.message)
    async with connect() as platform:
        assert await platform.reread(question) is None
    assert slack.refusals == []


async def test_a_root_whose_replies_are_still_there_is_deleted_all_the_same(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    question = await asked(slack, connect, inbox, "channel")
    slack.say(slack.general, slack.linus, "a metre?", thread_ts=question.place.message)
    slack.delete(slack.general, question.place.message)
    async with connect() as platform:
        assert await platform.reread(question) is None


async def test_an_edit_that_leaves_no_question_counts_for_nothing(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    question = await asked(slack, connect, inbox, "channel")
    edit(slack, question, "never mind")
    async with connect() as platform:
        assert await platform.reread(question) is question


async def test_a_reply_in_a_thread_in_which_the_bot_was_asked_needs_no_mention_any_more(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect
):
    question = await asked(slack, connect, inbox, "thread")
    edit(slack, question, "how deep is the pond?")
    async with connect() as platform:
        assert await platform.reread(question) == replace(question, text="how deep is the pond?")


@pytest.mark.parametrize("kind", ["channel", "thread"])
async def test_a_preview_of_a_link_is_no_edit(slack: SlackStandIn, inbox: FakeInbox, connect: Connect, kind: str):
    question = await asked(slack, connect, inbox, kind)
    slack.unfurl(question.place.room, question.place.message)
    async with connect() as platform:
        assert await platform.reread(question) is question


TROUBLES = ["no scope", "not a member", "unknown room", "unknown thread", "server error", "nothing shown"]


@pytest.mark.parametrize("kind", ["channel", "thread"])
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_cannot_be_read_is_not_taken_for_deleted(
    slack: SlackStandIn, inbox: FakeInbox, connect: Connect, kind: str, trouble: str
):
    question = await asked(slack, connect, inbox, kind)
    slack.delete(slack.general, question.place.message)
    match trouble:
        case "no scope":
            slack.scopes.discard("channels:history")
        case "not a member":
            slack.remove_bot(slack.general)
        case "unknown room":
            question = replace(question, place=replace(question.place, room="C404"))
        case "unknown thread":
            question = replace(question, place=replace(question.place, thread="1.000001"))
        case "server error":
            slack.fail(r"conversations\..*", status=503)
        case _:
            room = slack.add_channel("empty")
            question = replace(question, place=Place(room, question.place.message))
    async with connect() as platform:
        with pytest.raises(PlatformError):
            await platform.reread(question)


async def test_looking_shares_its_calls_with_what_else_reads(slack: SlackStandIn, inbox: FakeInbox, connect: Connect):
    """Of many questions the later ones wait, and Slack does not refuse."""
    question = await asked(slack, connect, inbox, "channel")
    slack.limits.tier_3 = 15
    async with connect() as platform:
        looks = [asyncio.create_task(platform.reread(question)) for _ in range(20)]
        await until(lambda: sum(look.done() for look in looks) == 15)
        await asyncio.sleep(0.1)
        assert sum(look.done() for look in looks) == 15
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
    assert slack.refusals == []
