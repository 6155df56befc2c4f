"""A platform, a model and a database in memory, and the engine between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

from bot.asking import Timeouts
from bot.core.attaching import Attaching
from bot.core.changes import Changes
from bot.core.line import Capacity
from bot.core.model import Channel, Ending, Person, Place, Prompt
from bot.dispatcher import Dispatcher
from bot.gate import Gate
from bot.relay import Relay
from bot.rules import Rules
from tests.cursor import without_cursor
from tests.engine.fake_backend import FakeBackend, Lasting, Step
from tests.engine.fake_platform import FakePlatform, Message
from tests.engine.memory_store import MemoryStore

EPOCH = 1_700_000_000.0  # seconds since 1970, when the loop's clock is 0


def prompt(key: str = "q1", text: str = "Why?", *, room: str = "r1", platform: str = "discord") -> Prompt:
    return Prompt(key, Channel(platform, room), Place(room, key), Person("u1", "Ada"), text)


@dataclass
class Stage:
    platform: FakePlatform = field(default_factory=FakePlatform)
    backend: FakeBackend = field(default_factory=FakeBackend)
    store: MemoryStore = field(default_factory=MemoryStore)
    timeouts: Timeouts = field(default_factory=Timeouts)
    attaching: Attaching = field(default_factory=Attaching)
    capacity: Capacity = field(default_factory=Capacity)
    changes: Changes = field(default_factory=Changes)
    ask_again: bool = True
    catch_up_max_age: float = 0.0

    def __post_init__(self) -> None:
        self.start = asyncio.get_running_loop().time()
        self.gate = Gate(self.platform.limits)

    @property
    def now(self) -> float:
        """Seconds since the test began."""
        return self.since_start(asyncio.get_running_loop().time())

    @staticmethod
    def clock() -> float:
        """Seconds since 1970."""
        return EPOCH + asyncio.get_running_loop().time()

    @property
    def rules(self) -> Rules:
        return Rules(self.timeouts, self.attaching, self.changes, self.capacity, self.ask_again, self.catch_up_max_age)

    # One turn

    async def relay(self, key: str = "q1", *, room: str = "r1") -> Relay:
        """The oldest question that waits in the room, or this one, with the relay that will answer it."""
        await self.store.accept(prompt(key, room=room))
        running = await self.store.begin(Channel("discord", room), self.backend.name)
        assert running is not None
        return Relay(
            running,
            platform=self.platform,
            backend=self.backend,
            store=self.store,
            gate=self.gate,
            rules=self.rules,
        )

    async def answer(self, *scripts: Sequence[Step] | Lasting, key: str = "q1") -> Ending:
        """One question answered by what the model does, to the end."""
        self.backend.script(*scripts)
        return await (await self.relay(key)).run()

    # Many turns

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.store,
            self.backend,
            [self.platform],
            self.rules,
            self.clock,
        )

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Dispatcher]:
        """A dispatcher that is drained at the end."""
        dispatcher = self.dispatcher()
        yield dispatcher
        await dispatcher.drain(0)

    # What a reader saw

    @property
    def screen(self) -> list[str]:
        return self.platform.screen()

    @property
    def message(self) -> Message:
        """The only one."""
        [message] = self.platform.messages
        return message

    @property
    def growth(self) -> list[str]:
        """The texts that the only message had, one after another, without its cursor."""
        return [text for text, _ in groupby(without_cursor(state.text) for state in self.message.states)]

    def shown_at(self, seconds: float, room: str = "r1") -> str:
        """The room's text at that moment, without a cursor."""
        at = self.start + seconds + 1e-4
        messages = [message for message in self.platform.messages if message.place.room == room]
        states = [[state.text for state in message.states if state.at <= at] for message in messages]
        return "\n".join(without_cursor(texts[-1]) for texts in states if texts)

    def since_start(self, moment: float | None) -> float:
        assert moment is not None
        return round(moment - self.start, 3)

    async def until(self, condition: Callable[[], object]) -> None:
        """Looks every hundredth of a second of the clock that jumps."""
        async with asyncio.timeout(600):
            while not condition():  # noqa: ASYNC110  # the stand-ins have no events, and this clock costs nothing
                await asyncio.sleep(0.01)
