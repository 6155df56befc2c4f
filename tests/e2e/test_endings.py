"""Every way in which an answer can end is told apart and said in words, and the text so far is kept."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from playground.openai import errors
from playground.openai.errors import HttpError
from playground.openai.faults import Cut, ErrorEvent, Failed, Fault, Incomplete, JsonInstead, SilentEnd, Stall
from playground.openai.script import Script
from tests.cursor import without_cursor
from tests.e2e.world import World, world

TEXT = "The river begins as a spring, gathers its brooks one after the other, and is wide when it meets the sea."


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[World]:
    """What breaks off is not asked for again; see `test_resuming` for that."""
    openai = {"idle_timeout": 0.4, "first_token_timeout": 0.6, "background": "off"}
    async with world(tmp_path, openai=openai, bot={"interrupted": "seal"}) as found:
        await found.start()
        yield found


AFTER_SOME_TEXT: list[tuple[Fault, str]] = [
    (Cut(after=12), "-# The connection to the model was lost."),
    (SilentEnd(after=12), "-# The answer broke off:"),
    (Stall(seconds=30, after=12), "-# The model did not go on in time."),
    (Incomplete(after=12), "-# Cut off: the answer reached its maximum length."),
    (Incomplete("content_filter", after=12), "-# Cut off by the model's content filter."),
    (Failed(after=12), "-# The model failed."),
    (ErrorEvent(after=12), "-# The model failed."),
    (ErrorEvent(nested=True, after=12), "-# The model failed."),
    (Failed("rate_limit_exceeded", "Please try again in 20s.", after=12), "-# Too many questions for the model"),
]


async def test_an_answer_that_breaks_off_keeps_its_text_and_says_why(here: World):
    for number, (fault, words) in enumerate(AFTER_SOME_TEXT):
        room = here.playground.discord.add_channel(f"room {number}")
        here.model_says(Script(TEXT, fault=fault, first_token=0.0))
        here.ask_discord("Tell me about rivers.", room=room)
        await here.until(lambda room=room: "-# " in "".join(here.texts(room)))
        [answer] = here.texts(room)
        text, _, note = answer.partition("\n\n")
        assert TEXT.startswith(text)
        assert len(text) > 20
        assert note.startswith(words), (fault, note)
    assert len(here.playground.openai.streams) == len(AFTER_SOME_TEXT), "none was asked twice"
    assert here.refusals == []


BEFORE_ANY_TEXT: list[tuple[HttpError | JsonInstead | Stall, str, int]] = [
    (errors.wrong_key("sk-wrong"), "-# The model's server does not accept the bot's key.", 1),
    (errors.NOT_ALLOWED, "-# The bot's key may not do this on the model's server.", 1),
    (errors.unknown_model("gpt-6-luna"), "-# The configured model does not exist", 1),
    (errors.NO_CREDIT, "-# The bot's OpenAI account has no credit left.", 1),
    (errors.TOO_LONG, "-# This conversation has become too long for the model.", 1),
    (JsonInstead(), "-# The model failed.", 1),
    (Stall(seconds=30, after=0), "-# The model did not go on in time.", 1),
]


async def test_a_question_that_cannot_be_answered_is_told_why_at_once(here: World):
    for number, (fault, words, requests) in enumerate(BEFORE_ANY_TEXT):
        room = here.playground.discord.add_channel(f"room {number}")
        before = len(generations(here))
        here.model_says(Script(TEXT, fault=fault))
        here.ask_discord("Tell me about rivers.", room=room)
        await here.until(lambda room=room: here.texts(room))
        [answer] = here.texts(room)
        assert answer.startswith(words), (fault, answer)
        assert len(generations(here)) - before == requests


async def test_a_passing_fault_before_any_text_is_retried_unseen(here: World):
    here.model_says(Script(TEXT, fault=errors.SERVER_ERROR), TEXT)
    here.ask_discord("Tell me about rivers.")
    await here.shows(here.playground.discord.general, TEXT)
    assert len(here.bot_messages(here.playground.discord.general)) == 1


async def test_a_long_wait_is_told_instead_of_waited_for(here: World):
    here.model_says(Script(TEXT, fault=replace(errors.RATE_LIMITED, retry_after=20)))
    here.ask_discord("Tell me about rivers.")
    room = here.playground.discord.general
    await here.until(lambda: here.texts(room))
    assert here.texts(room) == ["-# Too many questions for the model at the moment. Try again in 20 seconds."]


async def test_a_refusal_is_shown_in_the_models_own_words(here: World):
    here.model_says(Script(refusal="I cannot help with that."))
    here.ask_discord("Something forbidden.")
    await here.shows(here.playground.discord.general, "I cannot help with that.")


async def test_after_a_fault_the_conversation_goes_on_and_knows_what_was_said(here: World):
    room = here.playground.discord.general
    here.model_says(Script(TEXT, fault=Cut(after=12)), "As I said.")
    here.ask_discord("Tell me about rivers.")
    await here.until(lambda: "-# " in "".join(here.texts(room)))
    here.ask_discord("Go on.")
    await here.until(lambda: here.texts(room)[-1] == "As I said.")
    whole = here.playground.openai.streams[-1].request.whole
    assert whole.count("Tell me about rivers.") == 1
    assert "The river begins" in whole


async def test_a_model_that_stalls_hides_nothing_that_has_arrived(tmp_path: Path):
    async with world(tmp_path) as here:
        await here.start()
        room = here.playground.discord.general
        here.model_says(Script(TEXT, fault=Stall(seconds=30, after=12), tokens_per_second=60))
        here.ask_discord("Tell me about rivers.")
        await here.until(lambda: here.playground.openai.streams and here.playground.openai.streams[0].text)
        stalled_at = time.monotonic()
        whole = here.playground.openai.streams[0]
        await here.until(lambda: [without_cursor(text) for text in here.texts(room)] == [whole.text])
        assert time.monotonic() - stalled_at < 5, "the timer writes it, not the next delta"
        here.playground.discord.say(room, here.playground.discord.ada, "!stop")
        await here.until(lambda: here.texts(room)[0].endswith("-# Stopped."))


async def test_the_removed_assistants_api_is_explained_with_its_alternative(tmp_path: Path):
    async with world(tmp_path, openai={"api": "assistants"}) as here:
        here.playground.openai.assistants = "off"
        await here.start()
        room = here.playground.discord.general
        here.ask_discord("Hello?")
        await here.until(lambda: here.texts(room))
        assert "removed on 2026-08-26" in here.texts(room)[0]
        assert 'api = "responses"' in here.texts(room)[0]


@pytest.mark.parametrize("conversations", ["off", "ignored"])
async def test_a_server_without_conversations_is_given_the_history(
    tmp_path: Path, conversations: Literal["off", "ignored"]
):
    async with world(tmp_path) as here:
        here.playground.openai.conversations = conversations
        await here.start()
        room = here.playground.discord.general
        here.model_says("Noted.", "It is 42.")
        here.ask_discord("The number is 42.")
        await here.shows(room, "Noted.")
        here.ask_discord("What is the number?")
        await here.shows(room, "Noted.", "It is 42.")
        last = here.playground.openai.streams[-1].request
        assert "The number is 42." in last.whole
        assert last.body["store"] is False


async def test_a_model_that_cannot_be_reached_is_said_to_be_so(tmp_path: Path):
    async with world(tmp_path, openai={"base_url": "http://127.0.0.1:9/v1"}) as here:
        await here.start()
        here.ask_discord("Hello?")
        room = here.playground.discord.general
        await here.until(lambda: here.texts(room))
        assert here.texts(room) == ["-# The model cannot be reached at the moment. Try again in a minute."]


def generations(here: World) -> list[object]:
    """Requests for an answer, of all that were made to the model's server."""
    return [request for request in here.playground.openai.requests if request.path == "/responses"]
