"""`rivulet run`: what it prints, and how signals end it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from playground.openai.script import Script
from playground.server import Playground
from tests.cli.program import Folder, ask, texts, until

ONE_SECOND = Script(" ".join(["short"] * 20), tokens_per_second=20, first_token=0.0)
ONE_MINUTE = Script(" ".join(["long"] * 600), tokens_per_second=10, first_token=0.0)


async def test_sigterm_lets_a_short_answer_finish_and_seals_a_long_one(folder: Folder, playground: Playground):
    folder.configure(playground, bot={"shutdown_grace": 1.6})
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
    assert sealed.endswith("\n\n_Interrupted: the bot is restarting, and goes on when it is back._")
    assert playground.openai.streams[1].closed_by_client_at is not None


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
