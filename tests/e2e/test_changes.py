"""People edit and delete what they asked, moderators remove what the bot wrote, and places go away under it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from playground.discord.permissions import Permission
from playground.openai.script import Script
from tests.cursor import without_cursor
from tests.e2e.world import World, world

LONG = " ".join(f"word{number}" for number in range(300))


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    async with world(tmp_path) as found:
        await found.start()
        yield found


def slowly(text: str) -> Script:
    return Script(text, tokens_per_second=60, first_token=0.0)


def streams(here: World) -> list[Any]:
    return here.playground.openai.streams


async def test_on_discord_an_edited_question_is_asked_anew_and_a_deleted_one_takes_its_answer_with_it(here: World):
    discord = here.playground.discord
    here.model_says(slowly(LONG), "The pond is deep.")
    question = here.ask_discord("How deep is the pont?")
    await here.until(lambda: here.texts(discord.general))
    [begun] = here.bot_messages(discord.general)
    discord.edit(question, f"<@{discord.bot_user}> How deep is the pond?")
    await here.shows(discord.general, "The pond is deep.")
    assert [moment.message for moment in here.bot_messages(discord.general)] == [begun.message]
    assert streams(here)[-1].request.question.endswith("How deep is the pond?")
    await here.stop()
    await here.start()
    discord.delete(question)
    await here.shows(discord.general)
    here.model_says(slowly(LONG))
    running, waiting = here.ask_discord("Go on."), here.ask_discord("And then?")
    await here.until(lambda: here.texts(discord.general))
    discord.delete_together(running, waiting)
    await here.shows(discord.general)
    here.model_says("At last.")
    here.ask_discord("Still there?")
    await here.shows(discord.general, "At last.")
    assert len(streams(here)) == 4
    assert here.refusals == []


@pytest.mark.parametrize("direct", [False, True], ids=["edited", "streamed"])
async def test_on_slack_an_edited_question_is_asked_anew_and_a_deleted_one_takes_its_answer_with_it(
    here: World, direct: bool
):
    slack = here.playground.slack
    room, mention = (slack.open_dm(slack.ada), "") if direct else (slack.general, "<@BOT> ")
    here.model_says(slowly(LONG), "The pond is deep.")
    question = slack.say(room, slack.ada, f"{mention}How deep is the pont?")
    await here.until(lambda: here.texts(room))
    [begun] = here.bot_messages(room)
    slack.edit(room, question, f"{mention}How deep is the pond?")
    await here.shows(room, "The pond is deep.")
    assert [moment.message for moment in here.bot_messages(room)] == [begun.message]
    assert streams(here)[-1].request.question.endswith("How deep is the pond?")
    await here.stop()
    await here.start()
    slack.delete(room, question)
    await here.shows(room)
    here.model_says(slowly(LONG))
    running = slack.say(room, slack.ada, f"{mention}Go on.")
    await here.until(lambda: here.texts(room))
    slack.delete(room, running)
    await here.shows(room)
    await here.until(lambda: slack.shown_status(room, running) == "")
    here.model_says("At last.")
    slack.say(room, slack.ada, f"{mention}Still there?")
    await here.shows(room, "At last.")
    assert len(streams(here)) == 4
    assert here.refusals == []


async def test_an_answer_whose_message_a_moderator_removes_ends_without_a_word(
    here: World, caplog: pytest.LogCaptureFixture
):
    discord, slack = here.playground.discord, here.playground.slack
    here.model_says(slowly(LONG))
    here.ask_discord("Tell me something long.")
    await here.until(lambda: here.texts(discord.general))
    discord.delete(here.bot_messages(discord.general)[0].message)
    await here.until(lambda: problems(caplog))
    room = slack.open_dm(slack.ada)
    here.model_says(slowly(LONG))
    slack.say(room, slack.ada, "Tell me something long.")
    await here.until(lambda: here.texts(room))
    slack.delete(room, here.bot_messages(room)[0].message)
    await here.until(lambda: len(problems(caplog)) == 2)
    await here.until(lambda: all(stream.closed_by_client_at for stream in streams(here)))
    assert here.texts(discord.general) == here.texts(room) == []
    assert problems(caplog) == ["reply.abandoned"] * 2


PLACES = ["no access", "no permission", "thread locked", "bot removed", "archived"]


@pytest.mark.parametrize("trouble", PLACES)
async def test_a_place_that_goes_away_ends_its_answer_with_one_line(
    here: World, caplog: pytest.LogCaptureFixture, trouble: str
):
    discord, slack = here.playground.discord, here.playground.slack
    here.model_says(Script(LONG * 3, tokens_per_second=200, first_token=0.0))
    room = discord.general
    match trouble:
        case "archived":
            room = slack.general
            here.ask_slack("Tell me something long.")
        case "thread locked":
            room = discord.create_thread(discord.general, "aside")
            here.ask_discord("Tell me something long.", room=room)
        case _:
            here.ask_discord("Tell me something long.")
    await here.until(lambda: here.texts(room))
    match trouble:
        case "no access":
            discord.forbid(room, Permission.VIEW_CHANNEL)
        case "no permission":
            discord.forbid(room, Permission.SEND_MESSAGES)
        case "thread locked":
            discord.lock_thread(room)
        case "bot removed":
            discord.remove_bot()
        case _:
            slack.archive(room)
    await here.until(lambda: problems(caplog))
    await here.until(lambda: all(stream.closed_by_client_at for stream in streams(here)))
    direct = discord.open_dm(discord.linus)
    here.model_says("Here I am.")
    discord.say(direct, discord.linus, "Still there?")
    await here.shows(direct, "Here I am.")
    assert problems(caplog) == ["reply.abandoned"]
    assert not any(record.exc_info for record in caplog.records)
    assert LONG.startswith(without_cursor(here.texts(room)[0])[:20]), "what was shown is left as it is"


async def test_a_channel_that_the_bot_is_taken_out_of_gets_no_answer(here: World, caplog: pytest.LogCaptureFixture):
    slack = here.playground.slack
    here.model_says(Script(LONG, tokens_per_second=60, first_token=0.5))
    here.ask_slack("Tell me something long.")
    await here.until(lambda: streams(here))
    slack.remove_bot(slack.general)
    await here.until(lambda: all(stream.closed_by_client_at for stream in streams(here)))
    assert here.texts(slack.general) == []
    assert problems(caplog) == ["reply.abandoned"]
    assert not any(record.exc_info for record in caplog.records)


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
