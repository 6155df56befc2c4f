"""`rivulet run`: what it prints, and how signals end it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from playground.openai.script import Script
from playground.server import Playground
from tests.cli.program import Folder, until

ONE_SECOND = Script(" ".join(["short"] * 20), tokens_per_second=20, first_token=0.0)
ONE_MINUTE = Script(" ".join(["long"] * 600), tokens_per_second=10, first_token=0.0)


def texts(playground: Playground, room: str) -> list[str]:
    """The bot's messages in a room as they stand."""
    timeline = playground.timeline
    shown = timeline.shown(room)
    posted = [moment for moment in timeline.moments if moment.kind == "posted" and moment.message in shown]
    return [timeline.states(moment.message)[-1].text for moment in posted if moment.bot and moment.room == room]


async def ask(playground: Playground, discord: Script, slack: Script) -> None:
    """A question on each platform; returns when both answers are on the screen."""
    here, there = playground.discord, playground.slack
    playground.openai.script(discord)
    here.say(here.general, here.ada, "Hello?", mentions_bot=True)
    await until(lambda: len(playground.openai.streams) == 1)
    playground.openai.script(slack)
    there.say(there.general, there.ada, f"<@{there.bot_user}> Hello?")
    await until(lambda: texts(playground, here.general) and texts(playground, there.general))


async def test_sigterm_lets_a_short_answer_finish_and_seals_a_long_one(folder: Folder, playground: Playground):
    folder.configure(playground, bot={"shutdown_grace": 2.0})
    async with folder.start("run", "--config", "config.toml") as bot:
        await bot.shows("ready\n")
        await ask(playground, ONE_SECOND, ONE_MINUTE)
        bot.process.send_signal(signal.SIGTERM)
        assert await bot.ends() == 0
    connected, end = bot.out.splitlines()[:2], bot.out.splitlines()[2:]
    assert sorted(connected) == [
        "discord: connected as rivulet#0000 in 1 server",
        "slack: connected as rivulet in Playground",
    ]
    assert end == ["ready", "stopping: running answers are finished first"]
    assert bot.errors == ""
    assert texts(playground, playground.discord.general) == [ONE_SECOND.text]
    [sealed] = texts(playground, playground.slack.general)
    assert sealed.startswith("long long")
    assert sealed.endswith("\n\n_Interrupted: the bot is restarting. Ask again in a moment._")
    assert playground.openai.streams[1].closed_by_client_at is not None


async def test_a_second_signal_does_not_wait_for_the_answers(folder: Folder, playground: Playground):
    folder.configure(playground, bot={"shutdown_grace": 600.0})
    async with folder.start("run") as bot:
        await bot.shows("ready\n")
        await ask(playground, ONE_MINUTE, ONE_MINUTE)
        bot.process.send_signal(signal.SIGINT)
        await bot.shows("stopping")
        bot.process.send_signal(signal.SIGINT)
        assert await bot.ends() == 0
    assert bot.errors == ""
    for room in (playground.discord.general, playground.slack.general):
        assert "Interrupted: the bot is restarting." in texts(playground, room)[-1]


async def test_a_signal_while_connecting_ends_it(folder: Folder, playground: Playground):
    """Nothing answers the bot's first calls, and it does not wait for that."""
    called = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()  # until the bot hangs up
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        folder.configure(playground, discord={"api_url": url}, slack={"api_url": url})
        async with folder.start("run") as bot:
            async with asyncio.timeout(20):
                await called.wait()
            bot.process.send_signal(signal.SIGTERM)
            assert await bot.ends() == 0
    assert (bot.out, bot.errors) == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc for the moment at which the program has begun")
async def test_ctrl_c_before_anything_listens_for_it_leaves_no_traceback(folder: Folder):
    async with folder.start("run") as bot:
        status = Path(f"/proc/{bot.process.pid}/status")

        def catches_ctrl_c() -> bool:
            caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
            return bool(int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1)

        await until(catches_ctrl_c)  # Python's own handler, which would raise KeyboardInterrupt
        await until(lambda: not catches_ctrl_c())
        bot.process.send_signal(signal.SIGINT)
        assert await bot.ends() == -signal.SIGINT
    assert (bot.out, bot.errors) == ("", "")
