"""Where people ask: rooms, of which some go and new ones come all the time, and threads for a few questions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Literal

from playground.server import Playground

_CHANNELS, _DIRECT = 12, 12  # rooms that stand at any time on each platform
_IN_THREAD = 0.5  # of the questions on Discord are asked in a thread of their own


@dataclass(frozen=True, slots=True)
class Place:
    """`thread` is Slack's; on Discord a thread is a room.

    `fleeting`: nobody writes there any more afterwards. `unlisted`: Discord does not tell the bot of it before it hears
    something from there, as of a direct message.
    """

    platform: Literal["discord", "slack"]
    room: str
    person: str
    thread: str = ""
    fleeting: bool = False
    unlisted: bool = False


class Places:
    """Each place has one person at a time who asks there."""

    def __init__(self, playground: Playground, random: Random) -> None:
        self._discord, self._slack = playground.discord, playground.slack
        self._random = random
        self._made = 0
        self._free: dict[str, list[Place]] = {"discord": [], "slack": []}
        for _ in range(_CHANNELS):
            self._add_channels()
        for _ in range(_DIRECT):
            self._add_people()

    @contextmanager
    def one(self, platform: str) -> Generator[Place]:
        """A place where nobody else asks meanwhile."""
        free = self._free[platform]
        if platform == "discord" and (not free or self._random.random() < _IN_THREAD):
            parent = self._discord.general
            thread = self._discord.create_thread(parent, self._name("thread"), person=self._discord.ada)
            yield Place("discord", thread, self._discord.ada, fleeting=True)
            self._discord.archive_thread(thread)
            return
        standing = free.pop(self._random.randrange(len(free)))
        try:
            yield self._in_thread(standing) if platform == "slack" else standing
        finally:
            free.append(standing)

    def renew(self) -> None:
        """On each platform nobody asks any more in one of the rooms, and in a new one instead."""
        for free in self._free.values():
            if free:
                free.pop(self._random.randrange(len(free)))
        if self._random.random() < 0.5:
            self._add_channels()
        else:
            self._add_people()

    def _in_thread(self, standing: Place) -> Place:
        """In a channel of Slack half of the questions go into a thread that somebody has begun."""
        if standing.room.startswith("D") or self._random.random() < 0.5:
            return standing
        thread = self._slack.say(standing.room, self._slack.linus, "Let us ask here.")
        return Place("slack", standing.room, standing.person, thread)

    def _add_channels(self) -> None:
        self._free["discord"].append(Place("discord", self._discord.add_channel(self._name("room")), self._discord.ada))
        self._free["slack"].append(Place("slack", self._slack.add_channel(self._name("room")), self._slack.ada))

    def _add_people(self) -> None:
        name = self._name("Person ")
        person = self._discord.add_person(name)
        self._free["discord"].append(Place("discord", self._discord.open_dm(person), person, unlisted=True))
        person = self._slack.add_person(name)
        self._free["slack"].append(Place("slack", self._slack.open_dm(person), person))

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}{self._made}"
