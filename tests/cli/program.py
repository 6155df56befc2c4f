"""Rivulet as people start it: a process in a folder with config.toml and .env, what it prints and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.openai.script import Script
from playground.server import Playground

DEADLINE = 20.0  # seconds: for what must happen at all, not for how fast
SECRETS = ("OPENAI_API_KEY", "DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")

# Development mode tells of tasks and sockets that nobody closed.
PYTHON = [sys.executable, "-X", "dev", "-W", "ignore:'audioop' is deprecated:DeprecationWarning"]
MODULE = [*PYTHON, "-m", "bot"]
SCRIPT = [*PYTHON, str(Path(sys.executable).parent / "rivulet")]


_SLOW = re.compile(r"^.* WARNING Executing <.* took [\d.]+ seconds\n", re.MULTILINE)  # development mode, about speed


async def until(condition: Callable[[], object]) -> None:
    """Waits for something that must happen."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  (any condition on the world's state, not one that could notify)
            await asyncio.sleep(0.01)


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would configure the bot."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS} | more


def settings(playground: Playground, **more: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """A configuration that leads to the playground."""
    return {
        "openai": {"base_url": playground.openai_api, **more.get("openai", {})},
        "discord": {"api_url": playground.discord_api, **more.get("discord", {})},
        "slack": {"api_url": playground.slack_api, **more.get("slack", {})},
        "database": {"url": "sqlite:///rivulet.db", **more.get("database", {})},
        "bot": more.get("bot", {}),
    }


def secrets(playground: Playground) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": playground.openai.api_key,
        "DISCORD_TOKEN": playground.discord.token,
        "SLACK_BOT_TOKEN": playground.slack.bot_token,
        "SLACK_APP_TOKEN": playground.slack.app_token,
    }


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


@dataclass
class Program:
    """A running one."""

    process: Process
    out: str = ""
    errors: str = ""
    _reading: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def shows(self, words: str) -> None:
        """Waits until these words are on its standard output."""
        with suppress(TimeoutError):
            await until(lambda: words in self.out or self.process.returncode is not None)
        assert words in self.out, f"it shows:\n{self.out}\nand complains:\n{self.errors}"

    async def write(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()

    def hang_up(self) -> None:
        """Nobody reads its standard output any more."""
        process: Any = self.process  # asyncio has no public way
        process._transport.get_pipe_transport(1).close()

    async def ends(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*self._reading)
            return await self.process.wait()

    def read(self) -> None:
        assert self.process.stderr
        self._reading.append(asyncio.create_task(self._read(self.process.stderr, "errors")))
        if self.process.stdout:
            self._reading.append(asyncio.create_task(self._read(self.process.stdout, "out")))

    async def _read(self, stream: asyncio.StreamReader, name: str) -> None:
        whole = b""
        while data := await stream.read(65_536):
            whole += data
            setattr(self, name, _SLOW.sub("", whole.decode(errors="replace")))


@dataclass(frozen=True)
class Folder:
    """Where the program is started."""

    path: Path

    def configure(self, playground: Playground, **more: Mapping[str, Any]) -> None:
        """Writes config.toml and .env for this playground."""
        lines: list[str] = []
        for section, values in settings(playground, **more).items():
            lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
        (self.path / "config.toml").write_text("\n".join(lines), encoding="utf-8")
        env = [f"{name}={value}" for name, value in secrets(playground).items()]
        (self.path / ".env").write_text("\n".join(env), encoding="utf-8")

    @asynccontextmanager
    async def start(
        self,
        *arguments: str,
        program: list[str] = MODULE,
        stdin: int = DEVNULL,
        stdout: int = PIPE,
        env: Mapping[str, str] | None = None,
        **more: Any,
    ) -> AsyncGenerator[Program]:
        process = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            cwd=self.path,
            env=environment() if env is None else env,
            stdin=stdin,
            stdout=stdout,
            stderr=PIPE,
            **more,
        )
        running = Program(process)
        running.read()
        try:
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await running.ends()
