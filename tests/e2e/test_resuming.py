"""An answer that breaks off goes on: the whole bot on each API, with what a reader saw of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from bot.core.endings import sentence
from bot.core.model import End, Ending
from playground.openai.faults import Cut, SilentEnd
from playground.openai.script import Script
from tests.cursor import without_cursor
from tests.e2e.world import World, world

WORDS = " ".join(f"word{number}" for number in range(120))
APIS: list[dict[str, Any]] = [
    {"api": "responses", "background": "on"},
    {"api": "responses", "background": "off"},
    {"api": "assistants"},
    {"api": "chat"},
]
GO_ON = [APIS[0], APIS[2]]  # at the server, when nobody listens
each = pytest.mark.parametrize("openai", APIS, ids=lambda api: "-".join(api.values()))
each_that_goes_on = pytest.mark.parametrize("openai", GO_ON, ids=lambda api: "-".join(api.values()))


def states(here: World, room: str) -> list[str]:
    """Everything that stood in the room's only answer, one after another."""
    [answer] = here.bot_messages(room)
    return [without_cursor(state.text) for state in here.playground.timeline.states(answer.message)]


@each
@pytest.mark.parametrize("fault", [Cut(after=100), SilentEnd(after=100)], ids=lambda fault: type(fault).__name__)
async def test_a_cut_in_the_middle_of_an_answer_is_not_told_of(tmp_path: Path, openai: dict[str, Any], fault: Any):
    async with world(tmp_path, openai=openai) as here:
        await here.start()
        rooms = (here.playground.discord.general, here.playground.slack.general)
        for room, ask in zip(rooms, (here.ask_discord, here.ask_slack), strict=True):
            broken = Script(WORDS, fault=fault, tokens_per_second=300)
            here.model_says(*[broken] if openai in GO_ON else [broken, WORDS])
            ask("Count, please.")
            await here.shows(room, WORDS)
            assert all(WORDS.startswith(state) for state in states(here, room))
        assert here.refusals == []


@each_that_goes_on
async def test_what_goes_on_at_the_server_is_never_taken_back(tmp_path: Path, openai: dict[str, Any]):
    async with world(tmp_path, openai=openai) as here:
        await here.start()
        room = here.playground.discord.general
        here.model_says(Script(WORDS, fault=Cut(after=150), tokens_per_second=200))
        here.ask_discord("Count, please.")
        await here.shows(room, WORDS)
        shown = states(here, room)
        assert shown == sorted(shown, key=len)


@each
async def test_an_answer_goes_on_after_a_restart_in_the_message_that_it_had(tmp_path: Path, openai: dict[str, Any]):
    async with world(tmp_path, openai=openai, bot={"shutdown_grace": 0.0}) as here:
        await here.start()
        room = here.playground.discord.general
        slowly = Script(WORDS, tokens_per_second=100)
        here.model_says(*[slowly] * (1 if openai in GO_ON else 2))
        here.ask_discord("Count, please.")
        await here.until(lambda: "word20" in "".join(here.texts(room)))
        await here.stop()
        [before] = here.bot_messages(room)
        assert before.text.endswith(f"-# {sentence(Ending(End.SHUTDOWN))}")
        await here.start()
        await here.shows(room, WORDS)
        [after] = here.bot_messages(room)
        assert after.message == before.message
        here.model_says("Yes.")
        here.ask_discord("All of them?")
        await here.shows(room, WORDS, "Yes.")
        whole = here.playground.openai.streams[-1].request.whole
        assert (whole.count("Count, please."), whole.count("word119")) == (1, 1), "the model remembers it once"


async def test_where_it_is_wanted_so_a_broken_answer_ends_as_it_stands_and_can_be_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "bot")
    async with world(tmp_path, openai={"api": "chat"}, bot={"interrupted": "seal"}) as here:
        await here.start()
        room = here.playground.discord.general
        here.model_says(Script(WORDS, fault=Cut(after=100)), WORDS)
        here.ask_discord("Count, please.")
        await here.until(lambda: "`!retry`" in "".join(here.texts(room)))
        await here.until(lambda: "turn.finished" in caplog.messages)
        here.playground.discord.say(room, here.playground.discord.ada, "!retry")
        await here.shows(room, WORDS)
