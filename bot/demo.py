"""`rivulet playground`: the stand-ins in a process of their own, and the real bot connected to them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import webbrowser
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from bot.app import Say, run
from bot.config import Secrets, Settings
from bot.errors import ConfigError
from bot.signals import Signals


async def demo(port: int, latency: float, secrets: Secrets, say: Say, *, browser: bool) -> None:
    """Runs until Ctrl-C. With a key the real model answers, without one a scripted one. Raises ConfigError."""
    async with _playground(port, latency) as access:
        key = secrets.openai_api_key.get_secret_value()
        settings = Settings.model_validate(
            {
                "openai": {} if key else {"base_url": access["openai_api"]},
                "discord": {"api_url": access["discord_api"]},
                "slack": {"api_url": access["slack_api"]},
                "database": {"url": "sqlite+aiosqlite://"},
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

        def say_more(line: str) -> None:
            say(line)
            if line == "ready":
                model = f"OpenAI's {settings.openai.model}" if key else "a scripted model"
                say(f"\nOpen {access['url']}/ and write to the bot ({model} answers). Ctrl-C ends it.\n")
                if browser and _has_display():
                    webbrowser.open(f"{access['url']}/")

        await run(settings, stand_ins, say_more, Signals())


@asynccontextmanager
async def _playground(port: int, latency: float) -> AsyncGenerator[Mapping[str, str]]:
    """A process of its own, as the real services are; it ends when its standard input closes, so never outlives us."""
    command = [sys.executable, "-m", "playground", "--json", "--port", str(port), "--latency", str(latency)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the bot: the chats must stay there while it says goodbye
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise ConfigError("the playground did not start")
        yield json.loads(line)
    finally:
        process.stdin.close()
        await process.wait()


def _has_display() -> bool:
    """Without one, webbrowser would put a text browser into this terminal."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
