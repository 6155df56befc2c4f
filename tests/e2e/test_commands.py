"""Stop, retry, new and help: as text, as Discord's application commands and as Slack's slash command."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from playground.openai.faults import Failed
from playground.openai.script import Script
from tests.e2e.world import World, world

LONG = " ".join(f"word{number}" for number in range(400))
WHOLE = "The river begins as a spring, gathers its brooks one after the other, and is wide when it meets the sea."
BROKEN = Script(WHOLE, fault=Failed(after=8), first_token=0.0)
SLOW = Script(LONG, tokens_per_second=40, first_token=0.0)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    async with world(tmp_path) as found:
        await found.start()
        yield found


@pytest.mark.parametrize("api", ["responses", "assistants", "chat"])
async def test_stop_closes_the_models_stream_within_a_second_and_keeps_what_is_shown(tmp_path: Path, api: str):
    async with world(tmp_path, openai={"api": api}) as here:
        await here.start()
        discord, room = here.playground.discord, here.playground.discord.general
        here.model_says(SLOW, "Hello again.")
        here.ask_discord("Tell me something long.")
        await here.until(lambda: len("".join(here.texts(room))) > 40)
        discord.say(room, discord.ada, "!stop")
        said_at = time.monotonic()
        [stream] = here.playground.openai.streams
        await here.until(lambda: stream.closed_by_client_at or stream.finished_at)
        assert (stream.closed_by_client_at or stream.finished_at or 0) - said_at < 1
        await here.until(lambda: here.texts(room)[0].endswith("\n\n-# Stopped."))
        assert LONG.startswith(here.texts(room)[0].removesuffix("\n\n-# Stopped."))
        assert len(here.texts(room)) == 1, "the answer itself says that it was stopped"
        here.ask_discord("Are you there?")
        await here.until(lambda: here.texts(room)[-1] == "Hello again.")
        assert "word1 " in here.playground.openai.streams[-1].request.whole


async def test_stop_by_application_command_answers_only_who_pressed_it(here: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    discord, room = here.playground.discord, here.playground.discord.general
    here.model_says(SLOW)
    here.ask_discord("Tell me something long.")
    await here.until(lambda: here.texts(room))
    interaction = discord.press_command(room, discord.ada, "stop")
    await here.until(lambda: any(m.content == "Stopped." for m in discord.responses(interaction)))
    await here.until(lambda: "turn.finished" in caplog.messages)
    assert here.texts(room)[0].endswith("-# Stopped.")
    again = discord.press_command(room, discord.ada, "stop")
    await here.until(lambda: [m.content for m in discord.responses(again)] == ["There is no answer running here."])


async def test_stop_on_slack_by_slash_command_and_in_the_thread(here: World):
    slack, room = here.playground.slack, here.playground.slack.general
    here.model_says(SLOW, SLOW)
    here.ask_slack("Tell me something long.")
    await here.until(lambda: here.texts(room))
    handle = slack.slash(room, slack.ada, "/rivulet", "stop")
    await here.until(lambda: here.texts(room)[0].endswith("_Stopped._"))
    await here.until(lambda: slack.responses(handle)[0]["text"] == "Stopped.")
    question = here.ask_slack("And again.")
    await here.until(lambda: len(here.texts(room)) == 2)
    slack.say(room, slack.ada, "!stop", thread_ts=question)
    await here.until(lambda: here.texts(room)[1].endswith("_Stopped._"))


async def test_stop_reaches_only_the_running_answer_and_the_next_question_goes_on(here: World):
    discord, room = here.playground.discord, here.playground.discord.general
    here.model_says(SLOW, "The second.")
    here.ask_discord("First?")
    here.ask_discord("Second?")
    await here.until(lambda: here.texts(room))
    discord.say(room, discord.ada, "!stop")
    await here.until(lambda: here.texts(room)[-1] == "The second.")


@pytest.mark.parametrize("api", ["responses", "assistants", "chat"])
async def test_retry_on_discord_makes_a_failed_answer_whole_in_its_message(
    tmp_path: Path, api: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    async with world(tmp_path, openai={"api": api}) as here:
        await here.start()
        discord, room = here.playground.discord, here.playground.discord.general
        here.model_says("Noted.", BROKEN, WHOLE, "Done.")
        here.ask_discord("I like water.")
        await here.shows(room, "Noted.")
        here.ask_discord("Tell me about rivers.")
        await here.until(lambda: caplog.messages.count("turn.finished") == 2)
        assert here.texts(room)[-1].endswith("Write `!retry` to ask again.")
        broken = here.bot_messages(room)[-1]
        discord.say(room, discord.ada, "!retry")
        await here.shows(room, "Noted.", WHOLE)
        await here.until(lambda: caplog.messages.count("turn.finished") == 3)
        assert here.bot_messages(room)[-1].message == broken.message
        request = here.playground.openai.streams[-1].request
        assert request.question.endswith("Tell me about rivers.")
        assert "I like water." in request.whole
        if api == "chat":
            assert "The river begins" not in request.whole
        discord.delete(broken.message)
        interaction = discord.press_command(room, discord.linus, "retry")
        await here.until(lambda: [m.content for m in discord.responses(interaction)] == ["Asking again."])
        await here.shows(room, "Noted.", "Done.")
        assert here.refusals == []


@pytest.mark.parametrize("direct", [False, True], ids=["edited", "streamed"])
async def test_retry_on_slack_makes_a_failed_answer_whole_in_its_message(
    here: World, direct: bool, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    slack = here.playground.slack
    room, mention = (slack.open_dm(slack.ada), "") if direct else (slack.general, "<@BOT> ")
    here.model_says(BROKEN, WHOLE, "Done.")
    question = slack.say(room, slack.ada, f"{mention}Tell me about rivers.")
    await here.until(lambda: caplog.messages.count("turn.finished") == 1)
    [broken] = here.bot_messages(room)
    assert broken.text.endswith("Write `!retry` to ask again._")
    slack.say(room, slack.ada, "!retry", thread_ts=question)
    await here.shows(room, WHOLE)
    assert here.bot_messages(room)[0].message == broken.message
    await here.until(lambda: caplog.messages.count("turn.finished") == 2)
    assert slack.shown_status(room, question) == ""
    slack.delete(room, broken.message)
    if direct:
        slack.say(room, slack.ada, "!retry", thread_ts=question)  # each thread has a memory of its own there
    else:
        handle = slack.slash(room, slack.ada, "/rivulet", "retry")
        await here.until(lambda: [response["text"] for response in slack.responses(handle)] == ["Asking again."])
    await here.shows(room, "Done.")
    assert here.refusals == []


@pytest.mark.parametrize("api", ["responses", "assistants", "chat"])
async def test_new_forgets_and_deletes_the_old_conversation(tmp_path: Path, api: str):
    async with world(tmp_path, openai={"api": api}) as here:
        await here.start()
        discord, room = here.playground.discord, here.playground.discord.general
        here.model_says("Noted.", "What number?")
        here.ask_discord("The number is 42.")
        await here.shows(room, "Noted.")
        here.ask_discord("!new")
        await here.until(lambda: "Forgotten." in here.texts(room)[-1])
        here.ask_discord("What is the number?")
        await here.until(lambda: here.texts(room)[-1] == "What number?")
        assert "42" not in here.playground.openai.streams[-1].request.whole
        if api != "chat":
            await here.until(lambda: [r for r in here.playground.openai.requests if r.method == "DELETE"])
        assert discord.pings == []


async def test_help_is_given_everywhere(here: World):
    discord, slack = here.playground.discord, here.playground.slack
    here.ask_discord("!help")
    await here.until(lambda: any("`!stop`" in text for text in here.texts(discord.general)))
    here.ask_slack("!help")
    await here.until(lambda: any("`!stop`" in text for text in here.texts(slack.general)))
    interaction = discord.press_command(discord.general, discord.ada, "help")
    await here.until(lambda: any("`!stop`" in m.content for m in discord.responses(interaction)))
    handle = slack.slash(slack.general, slack.ada, "/rivulet", "help")
    await here.until(lambda: any("`!stop`" in response["text"] for response in slack.responses(handle)))
    assert here.playground.openai.streams == []
