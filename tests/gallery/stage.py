"""One answer on both platforms, with the real bot: caught while it is written, and when it has ended."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playground.openai.faults import Fault, Incomplete, Stall
from playground.openai.script import Script, count_tokens, pieces
from tests.e2e.world import World, world
from tests.gallery.answers import PAUSE, Answer, Platform

Phase = Literal["caught", "ended"]
PLATFORMS: tuple[Platform, ...] = ("discord", "slack")
_FOREVER = 3600.0  # seconds: longer than anybody looks


@asynccontextmanager
async def staged(answer: Answer, phase: Phase) -> AsyncGenerator[World]:
    """A world in which both channels show the answer in this phase, and nothing changes any more."""
    with tempfile.TemporaryDirectory(prefix="rivulet-gallery-", ignore_cleanup_errors=True) as folder:
        bot = {"max_pages": answer.max_pages, "shutdown_grace": 0.0}
        async with world(Path(folder), bot=bot) as here:
            await here.start()
            for platform in PLATFORMS:
                await _play(here, answer, platform, phase)
            await _quiet(here, answer.quiet if phase == "caught" else 1.5)
            yield here


async def _play(here: World, answer: Answer, platform: Platform, phase: Phase) -> None:
    here.model_says(script(answer, platform, phase))
    if platform == "discord":
        room = here.playground.discord.general
        question = here.ask_discord(answer.question)
    else:
        room = here.playground.slack.general
        question = here.ask_slack(answer.question)
    await here.until(lambda: here.bot_messages(room))
    if phase == "ended" and answer.ends == "stopped":
        await _quiet(here, 1.5)
        if platform == "discord":
            here.playground.discord.say(room, here.playground.discord.ada, "!stop")
        else:
            here.playground.slack.say(room, here.playground.slack.ada, "!stop", thread_ts=question)


def script(answer: Answer, platform: Platform, phase: Phase) -> Script:
    """What the model says: the whole answer, or the beginning of it and then nothing more."""
    before, _, after = answer.written(platform).partition(PAUSE)
    text = before + after
    place = count_tokens(answer.commentary) + _pieces_of(before, text)
    fault: Fault | None = None
    if phase == "caught" or answer.ends == "stopped":
        fault = Stall(_FOREVER, after=place)
    elif answer.ends == "incomplete":
        fault = Incomplete(after=place)
    return Script(text, fault=fault, commentary=answer.commentary, search=answer.search, reasoning=answer.reasoning)


def _pieces_of(before: str, text: str) -> int:
    """How many pieces of the text hold this beginning of it."""
    length = 0
    for number, piece in enumerate(pieces(text)):
        if length >= len(before):
            return number
        length += len(piece)
    return count_tokens(text)


async def _quiet(here: World, seconds: float) -> None:
    """Waits until no message has changed for so long."""
    loop = asyncio.get_running_loop()
    seen, since = -1, loop.time()
    while loop.time() < since + seconds:
        now = sum(moment.kind != "typing" for moment in here.playground.timeline.moments)
        if now != seen:
            seen, since = now, loop.time()
        await asyncio.sleep(0.05)
