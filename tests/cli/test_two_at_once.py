"""A second bot on the same database: by mistake, or because it is to take the place of the first."""

from __future__ import annotations

import signal

from playground.openai.script import Script
from playground.server import Playground
from tests.cli.program import Folder, texts, until

SECONDS = Script(" ".join(["word"] * 30), tokens_per_second=10, first_token=0.0)
WAITS = "another Rivulet is working with this database: this one begins when that has ended\n"


async def test_a_second_bot_leaves_the_answers_of_the_first_alone_and_begins_after_its_end(
    folder: Folder, playground: Playground
):
    folder.configure(playground, openai={"api": "chat"})
    discord = playground.discord
    async with folder.start("run") as first, folder.start("run") as second:
        await until(lambda: "ready" in first.out + second.out)
        if "ready" in second.out:
            first, second = second, first
        playground.openai.script(SECONDS)
        discord.say(discord.general, discord.ada, "Hello?", mentions_bot=True)
        await until(lambda: texts(playground, discord.general))
        await second.shows(WAITS)
        first.process.send_signal(signal.SIGTERM)
        assert await first.ends() == 0
        await second.shows("ready\n")
        second.process.send_signal(signal.SIGTERM)
        assert await second.ends() == 0
    assert texts(playground, discord.general) == [SECONDS.text]
    assert len(playground.openai.streams) == 1
    assert first.errors + second.errors == ""


async def test_a_bot_that_waits_for_another_to_end_can_be_stopped(folder: Folder):
    async with folder.start("run") as first:
        await first.shows("ready\n")
        async with folder.start("run") as second:
            await second.shows(WAITS)
            second.process.send_signal(signal.SIGINT)
            assert await second.ends() == 0
    assert (second.out, second.errors) == (WAITS, "")
