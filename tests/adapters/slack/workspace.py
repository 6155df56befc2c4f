"""What the tests of the connected platform share: an inbox with a memory, and patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from adapters.slack.platform import SlackPlatform
from bot.core.commands import Command
from bot.core.model import Channel, Place, Prompt
from bot.errors import StoreError

Connect = Callable[..., AbstractAsyncContextManager[SlackPlatform]]


class FakeInbox:
    """Remembers questions by key, as the real one does; can be out of order, or slow, on request."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.obeyed: list[tuple[str, Channel]] = []
        self.changes: list[tuple[str, str]] = []  # keys and new texts; what was deleted has none
        self.until = 0.0  # when the newest was written that was heard
        self.story: list[str] = []  # texts as they came, and when Slack was back after a gap
        self.attempts = 0
        self.failures = 0  # how many of the next calls find the database broken
        self.open = asyncio.Event()
        self.open.set()

    @property
    def texts(self) -> list[str]:
        return [prompt.text for prompt in self.prompts]

    async def receive(self, prompt: Prompt) -> None:
        self.attempts += 1
        await self.open.wait()
        self._may_fail()
        if prompt.key not in {known.key for known in self.prompts}:
            self.prompts.append(prompt)
            self.story.append(prompt.text)

    async def edited(self, prompt: Prompt) -> None:
        self._may_fail()
        self.changes.append((prompt.key, prompt.text))

    async def deleted(self, key: str) -> None:
        self._may_fail()
        self.changes.append((key, ""))

    async def obey(self, command: Command, channel: Channel) -> str:
        self._may_fail()
        self.obeyed.append((command.value, channel))
        return f"{command} in {channel}"

    async def knows(self, channel: Channel, place: Place) -> bool:
        self._may_fail()
        places = [known.place for known in self.prompts]
        asked = [known.message for known in places if (known.room, known.thread) == (place.room, place.thread)]
        return any(not place.message or message <= place.message for message in asked)

    def heard(self, platform: str, at: float) -> None:
        assert at > self.until
        self.until = at

    def back(self, platform: str) -> None:
        self.story.append("back")

    async def quiet(self, channel: Channel) -> None:
        pass

    def _may_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the database is locked")


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Returns as soon as the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (the condition is the server's, not an event of ours)
            await asyncio.sleep(0.01)
