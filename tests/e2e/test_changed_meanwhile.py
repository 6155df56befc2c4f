"""What people edit and delete while the bot is away counts when it is back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from playground.openai.script import Script
from tests.e2e.world import World, world

LONG = Script(" ".join(f"word{number}" for number in range(300)), tokens_per_second=60, first_token=0.0)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    """Whatever nobody heard is not told again."""
    async with world(tmp_path, bot={"shutdown_grace": 0.1}) as found:
        found.playground.slack.limits.redeliver_after = ()
        await found.start()
        yield found


def questions(here: World) -> list[str]:
    """What the model was asked since this was asked for the last time."""
    streams = here.playground.openai.streams
    asked = [stream.request.question.rpartition(": ")[2] for stream in streams]
    streams.clear()
    return asked


async def test_on_discord(here: World):
    discord = here.playground.discord
    here.model_says(LONG)
    begun, edited, deleted = (here.ask_discord(text) for text in ("Begun?", "How deep is the pont?", "Deleted?"))
    await here.until(lambda: here.texts(discord.general))
    await here.stop()
    assert questions(here) == ["Begun?"]
    discord.delete(begun)
    discord.edit(edited, f"<@{discord.bot_user}> How deep is the pond?")
    discord.delete(deleted)
    here.model_says("It is deep.")
    await here.start()
    await here.shows(discord.general, "It is deep.")
    here.model_says(LONG)
    begun = here.ask_discord("Where is the pont?")
    await here.until(lambda: len(here.texts(discord.general)) == 2)
    [_, message] = here.bot_messages(discord.general)
    await here.stop()
    assert questions(here) == ["How deep is the pond?", "Where is the pont?"]
    discord.edit(begun, f"<@{discord.bot_user}> Where is the pond?")
    here.model_says("Behind the house.")
    await here.start()
    await here.shows(discord.general, "It is deep.", "Behind the house.")
    assert here.bot_messages(discord.general)[1].message == message.message
    assert questions(here) == ["Where is the pond?"]
    assert here.refusals == []


@pytest.mark.parametrize("direct", [False, True], ids=["edited", "streamed"])
async def test_on_slack(here: World, direct: bool):
    slack = here.playground.slack
    room, mention = (slack.open_dm(slack.ada), "") if direct else (slack.general, "<@BOT> ")
    here.model_says("Hello.", LONG)
    slack.say(room, slack.ada, f"{mention}Hello?")
    await here.shows(room, "Hello.")
    begun, edited, deleted = (
        slack.say(room, slack.ada, f"{mention}{text}") for text in ("Begun?", "How deep is the pont?", "Deleted?")
    )
    await here.until(lambda: len(here.texts(room)) == 2)
    await here.stop()
    assert questions(here) == ["Hello?", "Begun?"]
    slack.delete(room, begun)
    slack.edit(room, edited, f"{mention}How deep is the pond?")
    slack.delete(room, deleted)
    here.model_says("It is deep.")
    await here.start()
    await here.shows(room, "Hello.", "It is deep.")
    here.model_says(LONG)
    begun = slack.say(room, slack.ada, f"{mention}Where is the pont?")
    await here.until(lambda: len(here.texts(room)) == 3)
    await here.stop()
    assert questions(here) == ["How deep is the pond?", "Where is the pont?"]
    slack.edit(room, begun, f"{mention}Where is the pond?")
    here.model_says("Behind the house.")
    await here.start()
    await here.shows(room, "Hello.", "It is deep.", "Behind the house.")
    assert questions(here) == ["Where is the pond?"]
    assert here.refusals == []
