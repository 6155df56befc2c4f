"""How a question stands that was edited or deleted while nobody listened: nothing else is taken for a deletion."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.discord.platform import DiscordPlatform
from bot.core.model import Prompt
from bot.errors import PlatformError
from playground.discord.limits import Limit
from playground.discord.permissions import Permission
from playground.discord.server import DiscordStandIn
from tests.adapters.discord.inbox import Inbox, until


@pytest.fixture
async def ask(discord: DiscordStandIn) -> str:
    """An always-on channel."""
    return discord.add_channel("ask")


def another(discord: DiscordStandIn, ask: str) -> DiscordPlatform:
    return DiscordPlatform(discord.token, api_url=f"{discord.url}/api/v10", always_on=frozenset({ask}))


async def asked(discord: DiscordStandIn, ask: str, inbox: Inbox, room: str) -> Prompt:
    """A question that was received just before the bot went away."""
    before = another(discord, ask)
    await before.connect(inbox)
    discord.say(room, discord.ada, "how deep is the pont?", mentions_bot=(room == discord.general))
    await until(lambda: bool(inbox.prompts))
    await before.close()
    [question] = inbox.prompts.values()
    return question


async def reread(discord: DiscordStandIn, ask: str, inbox: Inbox, question: Prompt) -> Prompt | None:
    """As the next process sees it."""
    after = another(discord, ask)
    await after.connect(inbox)
    try:
        return await after.reread(question)
    finally:
        await after.close()


@pytest.mark.parametrize("kind", ["channel", "always on", "thread", "archived thread", "direct"])
async def test_it_is_found_unchanged_edited_and_deleted_wherever_it_stands(
    discord: DiscordStandIn, ask: str, inbox: Inbox, kind: str
) -> None:
    match kind:
        case "channel":
            room = discord.general
        case "always on":
            room = ask
        case "direct":
            room = discord.open_dm(discord.ada)
        case _:
            room = discord.create_thread(ask, "deep water")
    question = await asked(discord, ask, inbox, room)
    if kind == "archived thread":
        discord.archive_thread(room)
    assert await reread(discord, ask, inbox, question) is question
    mention = f"<@{discord.bot_user}> " if room == discord.general else ""
    discord.edit(question.place.message, f"{mention}how deep is the pond?")
    assert await reread(discord, ask, inbox, question) == replace(question, text="how deep is the pond?")
    discord.delete(question.place.message)
    assert await reread(discord, ask, inbox, question) is None
    assert discord.refusals == []


async def test_an_edit_that_leaves_no_question_counts_for_nothing(
    discord: DiscordStandIn, ask: str, inbox: Inbox
) -> None:
    question = await asked(discord, ask, inbox, discord.general)
    discord.edit(question.place.message, "never mind")
    assert await reread(discord, ask, inbox, question) is question


TROUBLES = ["no history", "no access", "bot removed", "unknown room", "server error", "long refusal"]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_cannot_be_read_is_not_taken_for_deleted(
    discord: DiscordStandIn, ask: str, inbox: Inbox, trouble: str
) -> None:
    question = await asked(discord, ask, inbox, ask)
    discord.delete(question.place.message)
    match trouble:
        case "no history":
            discord.forbid(ask, Permission.READ_MESSAGE_HISTORY)
        case "no access":
            discord.forbid(ask, Permission.VIEW_CHANNEL)
        case "bot removed":
            discord.remove_bot()
        case "unknown room":
            question = replace(question, place=replace(question.place, room="123"))
        case "server error":
            discord.fail("GET", question.place.message, status=500)
        case _:
            body = {"message": "You are being rate limited.", "retry_after": 60.0, "global": False}
            discord.fail("GET", question.place.message, status=429, body=body)
    with pytest.raises(PlatformError):
        await reread(discord, ask, inbox, question)


async def test_before_it_is_connected_nothing_can_be_looked_up(discord: DiscordStandIn, ask: str, inbox: Inbox) -> None:
    question = await asked(discord, ask, inbox, ask)
    with pytest.raises(PlatformError):
        await another(discord, ask).reread(question)


async def test_many_looks_never_take_more_calls_than_their_share(
    discord: DiscordStandIn, ask: str, inbox: Inbox
) -> None:
    question = await asked(discord, ask, inbox, ask)
    after = another(discord, ask)
    await after.connect(inbox)
    await asyncio.sleep(1.0)  # the calls for the connection are not counted any more
    discord.limits.whole_bot = Limit(5, 1.0)
    assert await asyncio.gather(*(after.reread(question) for _ in range(8))) == [question] * 8
    await after.close()
    assert discord.refusals == []
