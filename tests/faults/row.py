"""One row of the matrix: a fault, where and while what it happens, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from playground.openai.script import Script
from tests.e2e.world import World
from tests.faults.room import Answers, DiscordRoom, Room, SlackRoom

Mend = Callable[[], None]
Break = Callable[[Room], Mend]
"""Brings the fault about in this room; what it returns ends it."""


class Scene(Enum):
    """What is being done when the fault happens."""

    ANSWER = "an answer is written"
    FILE = "an answer ends in a file"
    REMOVAL = "an answer is removed, since its question was"
    AWAY = "what was asked while the bot was away is read"
    RESUMED = "an answer goes on that the process before this one began"


class Where(Enum):
    """What kind of room."""

    DISCORD = "discord"
    SLACK = "slack"  # posted and edited
    DIRECT = "slack direct"  # streamed

    def open(self, here: World, answers: Answers, name: str) -> Room:
        match self:
            case Where.DISCORD:
                return DiscordRoom.open(here, answers, name)
            case Where.SLACK:
                return SlackRoom.open(here, answers, name)
            case Where.DIRECT:
                return SlackRoom.open_direct(here, answers, name)


@dataclass(frozen=True, eq=False)
class Row:
    """`section` and `fault` name it."""

    section: str
    fault: str
    breaks: Break
    where: Where = Where.DISCORD
    scene: Scene = Scene.ANSWER
    late: int = 0  # the fault begins when so many words are shown
    threaded: bool = False  # it is asked in a thread
    silent: bool = False  # as long as it lasts nobody can be told anything here
    announces: bool = False  # it is about saying that an answer is coming
    alone: bool = False  # it strikes all rooms of its world
    apart: bool = False  # no other world of Discord may start meanwhile: discord.py asks for an address anew
    spoils: bool = True  # calls about the room, so at least one must have been met
    api: str = "responses"
    seconds: float = 0.0  # after which it is over by itself
    wired: str = ""  # what goes over a wire that can be cut: events, all (of the platform), model, database
    amiss: frozenset[str] = frozenset()  # what is known to be wrong with it, and to be mended
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])  # of [openai]

    @property
    def script(self) -> Script:
        """How the model writes the answer when nothing is wrong with it."""
        match self.scene:
            case Scene.RESUMED:  # by a process that ends before it has
                return Script(words(60), tokens_per_second=10, first_token=0.5)
            case Scene.ANSWER | Scene.AWAY:
                first_token = 1.5 if self.announces else 0.5
                return Script(words(60), tokens_per_second=20, first_token=first_token)
            case Scene.FILE:  # more than a message of Slack's, by so little that it has hardly time to say so before
                return Script(words(1_470), tokens_per_second=800, first_token=0.0)
            case Scene.REMOVAL:
                return Script(words(30), tokens_per_second=0, first_token=0.0)

    @property
    def needs_postgres(self) -> bool:
        return self.wired == "database"

    @property
    def name(self) -> str:
        return f"{self.section} / {self.fault}" + (f" / {self.api}" if self.section.startswith("The model:") else "")


def words(count: int) -> str:
    """An answer of so many words, no two alike."""
    return " ".join(f"word{number}" for number in range(count))


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a row: the cells of its line, and what must not be."""

    outcome: str
    asked: int = 0  # of the model, for this question
    spoilt: int = 0  # calls about this room that did not succeed
    log: tuple[str, ...] = ()  # the warnings and errors that whoever runs the bot reads, by name
    problems: tuple[str, ...] = ()
