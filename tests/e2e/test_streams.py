"""Answers as Slack's own streams, end to end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from playground.openai.long_texts import BOOK
from playground.openai.script import Script
from playground.slack.features import ON
from tests.e2e.world import World, world

TEXT = " ".join(f"word{number}" for number in range(200))


def methods(here: World) -> list[str]:
    return [call.method for call in here.playground.slack.calls]


def failures(here: World) -> list[Any]:
    return [call for call in here.playground.slack.calls if call.outcome != "ok"]


def ask(here: World, text: str = "Tell me.", *, thread: str | None = None) -> tuple[str, str]:
    """A direct message; returns the room and its ts."""
    slack = here.playground.slack
    room = slack.open_dm(slack.ada)
    return room, slack.say(room, slack.ada, text, thread_ts=thread)


async def test_a_direct_message_is_answered_in_a_stream_and_its_thread_goes_on(tmp_path: Path):
    async with world(tmp_path) as here:
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=200, first_token=0.2), "Second.")
        room, question = ask(here)
        await here.shows(room, TEXT)
        [answer] = here.bot_messages(room)
        states = here.playground.timeline.states(answer.message)
        assert len(states) >= 2
        assert (answer.reply_to, states[0].live, answer.live) == (question, True, False)
        ask(here, "And then?", thread=question)
        await here.shows(room, TEXT, "Second.")
        assert TEXT in here.playground.openai.streams[-1].request.whole, "the thread has the memory of the first answer"
        await here.until(lambda: here.playground.slack.shown_status(room, question) == "")
        assert here.refusals == failures(here) == []


async def test_threads_of_direct_messages_keep_their_memory_where_each_has_its_own(tmp_path: Path):
    async with world(tmp_path, slack={"conversation_scope": "thread"}) as here:
        await here.start()
        here.model_says("One.", "Two.", "Three.")
        room, question = ask(here, "The secret is 5.")
        await here.shows(room, "One.")
        ask(here, "What is it?", thread=question)
        await here.shows(room, "One.", "Two.")
        assert "secret is 5" in here.playground.openai.streams[-1].request.whole
        ask(here, "Another matter.")
        await here.shows(room, "One.", "Two.", "Three.")
        assert "secret is 5" not in here.playground.openai.streams[-1].request.whole


async def test_a_book_rolls_over_without_a_loss_or_a_refusal(tmp_path: Path):
    async with world(tmp_path, slack={"streaming": "native"}) as here:
        await here.start()
        here.model_says(Script(BOOK, tokens_per_second=1200, first_token=0.1))
        question = here.ask_slack("Write a book.")
        room = here.playground.slack.general
        await here.until(lambda: here.playground.slack.status(room, question) == "processing")
        await here.until(lambda: here.playground.slack.status(room, question) == "active")
        assert not any(moment.live for moment in here.bot_messages(room))
        shown = here.texts(room)
        assert len(shown) >= 3
        assert all(len(page.encode()) <= 12_000 for page in shown)
        # what is repeated at a seam (an opened fence, a table's header) is more, never less
        words = [word for page in shown for word in re.findall(r"\w+", page)]
        at = 0
        for word in re.findall(r"\w+", BOOK):
            at = words.index(word, at) + 1
        assert len(words) <= len(re.findall(r"\w+", BOOK)) + 40 * len(shown)
        assert methods(here).count("chat.startStream") >= 2
        assert "chat.update" not in methods(here)
        assert here.refusals == failures(here) == []


async def test_in_channels_everybody_sees_the_answer_grow(tmp_path: Path):
    async with world(tmp_path) as here:
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=200, first_token=0.0))
        here.ask_slack("Tell us.")
        await here.shows(here.playground.slack.general, TEXT)
        assert "chat.startStream" not in methods(here)
        assert methods(here).count("chat.update") >= 2


@pytest.mark.parametrize("word", ["unknown_method", "feature_not_enabled", "method_deprecated"])
async def test_a_workspace_without_streams_is_answered_by_edits(tmp_path: Path, word: str):
    async with world(tmp_path) as here:
        here.playground.slack.features.streams = word
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=200, first_token=0.0), "Next.")
        room, _ = ask(here)
        await here.shows(room, TEXT)
        ask(here)
        await here.shows(room, TEXT, "Next.")
        assert methods(here).count("chat.startStream") == 1


async def test_streams_that_are_switched_off_in_the_middle_lose_nothing(tmp_path: Path):
    async with world(tmp_path) as here:
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=150, first_token=0.0))
        room, _ = ask(here)
        await here.until(lambda: here.texts(room))
        here.playground.slack.features.streams = "unknown_method"
        await here.shows(room, TEXT)
        here.playground.slack.features.streams = ON


@pytest.mark.parametrize(
    "error",
    [
        "message_not_in_streaming_state",
        "streaming_mode_mismatch",
        "msg_too_long",
        "rate_limited",
        "internal_error",
    ],
)
@pytest.mark.parametrize("method", ["startStream", "appendStream", "stopStream"])
async def test_no_error_of_slacks_loses_or_doubles_a_word(tmp_path: Path, method: str, error: str):
    async with world(tmp_path) as here:
        await here.start()
        here.playground.slack.fail(f"chat.{method}", body={"ok": False, "error": error})
        here.model_says(Script(TEXT, tokens_per_second=500, first_token=0.0))
        room, _ = ask(here)
        await here.until(lambda: "".join(here.texts(room)).endswith("word199"))
        await here.until(lambda: not any(moment.live for moment in here.bot_messages(room)))
        assert " ".join(" ".join(here.texts(room)).split()) == TEXT


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("method", ["startStream", "appendStream", "stopStream"])
async def test_a_cut_connection_loses_or_doubles_nothing(tmp_path: Path, method: str, after_effect: bool):
    async with world(tmp_path) as here:
        await here.start()
        here.playground.slack.fail(f"chat.{method}", drop=True, after_effect=after_effect)
        here.model_says(Script(TEXT, tokens_per_second=500, first_token=0.0))
        room, _ = ask(here)
        await here.shows(room, TEXT)
        await here.until(lambda: not any(moment.live for moment in here.bot_messages(room)))


async def test_an_expired_stream_is_mended_and_the_answer_goes_on(tmp_path: Path):
    async with world(tmp_path) as here:
        here.playground.slack.limits.stream_seconds = 0.8
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=150, first_token=0.0))
        room, _ = ask(here)
        await here.until(lambda: "".join(here.texts(room)).endswith("word199"))
        await here.until(lambda: not any(moment.live for moment in here.bot_messages(room)))
        assert len(here.texts(room)) >= 2
        assert " ".join(" ".join(here.texts(room)).split()) == TEXT


@pytest.mark.parametrize("where", ["direct", "channel"])
async def test_the_stop_button_ends_the_answer(tmp_path: Path, where: str):
    async with world(tmp_path) as here:
        await here.start()
        slack = here.playground.slack
        here.model_says(Script(TEXT, tokens_per_second=40, first_token=0.3))
        if where == "direct":
            room, question = ask(here)
        else:
            room, question = slack.general, here.ask_slack("Tell me.")
        await here.until(lambda: here.texts(room))
        slack.stop_session(room, slack.ada, question)
        await here.until(lambda: here.texts(room)[-1].endswith("_Stopped._"))
        await here.until(lambda: slack.shown_status(room, question) == "")
        [text] = here.texts(room)
        assert TEXT.startswith(text.removesuffix("\n\n_Stopped._"))
        assert here.refusals == []


async def test_a_status_stands_under_the_thread_until_the_answer_has_ended(tmp_path: Path):
    async with world(tmp_path) as here:
        await here.start()
        slack = here.playground.slack
        here.model_says(Script("Well.", first_token=0.4))
        question = here.ask_slack("Hello?")
        await here.until(lambda: slack.shown_status(slack.general, question) == "processing")
        await here.shows(slack.general, "Well.")
        await here.until(lambda: slack.shown_status(slack.general, question) == "")


async def test_a_stopped_bot_leaves_no_stream_open(tmp_path: Path):
    async with world(tmp_path, bot={"shutdown_grace": 0.0}) as here:
        await here.start()
        here.model_says(Script(TEXT, tokens_per_second=40, first_token=0.0))
        room, question = ask(here)
        await here.until(lambda: here.texts(room))
        await here.stop()
        [message] = here.bot_messages(room)
        assert not message.live
        assert "Interrupted" in message.text
        assert here.playground.slack.shown_status(room, question) == ""
