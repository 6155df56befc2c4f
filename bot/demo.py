"""`rivulet playground`: the stand-ins in a process of their own, and the real bot connected to them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import webbrowser
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bot
from bot.config import Secrets, Settings
from bot.signals import Signals

if TYPE_CHECKING:
    from bot.app import Say

_GOODBYE = 5.0  # seconds for the playground to end


async def demo(port: int, latency: float, secrets: Secrets, say: Say, signals: Signals, *, browser: bool) -> int:
    """Runs until Ctrl-C; returns the exit code. With a key the real model answers, without one a scripted one."""
    async with _playground(port, latency) as playground:
        access = await _access(playground)
        if access is None:
            return await playground.wait()  # it has told why

        from bot.app import run  # takes seconds, and is not needed to tell that the port is in use

        settings, stand_ins = choose(access, secrets)
        page = f"{access['url']}/"

        def say_more(line: str) -> None:
            say(line)
            if line == "ready":
                model = f"OpenAI's {settings.openai.model}" if secrets.openai_api_key else "a scripted model"
                say(f"\nOpen {page} and write to the bot ({model} answers). Ctrl-C ends it.\n")
                if browser and _has_display():
                    webbrowser.open(page)

        await run(settings, stand_ins, say_more, signals)
        return 0


def choose(access: Mapping[str, str], secrets: Secrets) -> tuple[Settings, Secrets]:
    """What the bot needs in the playground. A key of the person's own goes to OpenAI, and to nobody else."""
    key = secrets.openai_api_key.get_secret_value()
    settings = Settings.model_validate(
        {
            "openai": {} if key else {"base_url": access["openai_api"]},
            "discord": {"api_url": access["discord_api"]},
            "slack": {"api_url": access["slack_api"]},
            "database": {"url": "sqlite://"},
        }
    )
    stand_ins = Secrets.model_validate(
        {
            "openai_api_key": key or access["openai_key"],
            "discord_token": access["discord_token"],
            "slack_bot_token": access["slack_bot_token"],
            "slack_app_token": access["slack_app_token"],
        }
    )
    return settings, stand_ins


@asynccontextmanager
async def _playground(port: int, latency: float) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process of its own, as the real services are; it ends when its standard input closes, so never outlives us."""
    command = [sys.executable, "-m", "playground", "--json", "--port", str(port), "--latency", str(latency)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(bot.__file__).parent.parent,  # where the package is, which a folder of that name must not hide
        start_new_session=True,  # Ctrl-C is for the bot: the chats must stay there while it says goodbye
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_GOODBYE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _access(playground: asyncio.subprocess.Process) -> Mapping[str, str] | None:
    """Where it listens and what it lets in; None if it did not start."""
    assert playground.stdout is not None
    line = await playground.stdout.readline()
    return json.loads(line) if line else None


def _has_display() -> bool:
    """Without one, webbrowser would put a text browser into this terminal."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
