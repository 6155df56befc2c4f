"""An inbox that remembers what the adapter gave it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.core.commands import HELP, Command
from bot.core.model import Channel, Place, Prompt
from bot.errors import StoreError


class Inbox:
    """Keeps each question once, as the real one does; can be told that it cannot store."""

    def __init__(self) -> None:
        self.prompts: dict[str, Prompt] = {}
        self.commands: list[tuple[Command, Channel]] = []
        self.changes: list[tuple[str, str]] = []  # keys and new texts; what was deleted has none
        self.deliveries = 0
        self.known: set[Channel] = set()
        self.broken = False
        self.slow: set[str] = set()  # the first of these takes longer than the rest
        self.newest: list[float] = []  # what it was told to be received until then
        self.gaps = 0

    async def receive(self, prompt: Prompt) -> None:
        self.deliveries += 1
        if self.broken:
            raise StoreError("the disk is full")
        if prompt.text in self.slow:
            await asyncio.sleep(0.05)
        self.prompts.setdefault(prompt.key, prompt)

    async def edited(self, prompt: Prompt) -> None:
        self.changes.append((prompt.key, prompt.text))

    async def deleted(self, key: str) -> None:
        self.changes.append((key, ""))

    async def obey(self, command: Command, channel: Channel) -> str:
        self.commands.append((command, channel))
        if self.broken:
            raise StoreError("the disk is full")
        return HELP if command is Command.HELP else "Done. <@1> @everyone"

    async def knows(self, channel: Channel, place: Place) -> bool:
        return channel in self.known

    def heard(self, platform: str, at: float) -> None:
        self.newest.append(at)

    def back(self, platform: str) -> None:
        self.gaps += 1

    async def quiet(self, channel: Channel) -> None:
        return

    def texts(self) -> list[str]:
        return [prompt.text for prompt in self.prompts.values()]


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for is on the other side of a socket
            await asyncio.sleep(0.005)
