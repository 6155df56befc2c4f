"""Where one row of the matrix happens: a room of its own, in which one person asks and reads."""

from __future__ import annotations

import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from playground.openai.record import Said
from playground.openai.script import Script
from playground.timeline import Moment
from tests.cursor import MARK
from tests.e2e.world import World
from tests.faults.clock import Clock
from tests.faults.wire import Wire

_MARK = re.compile(r"\[(\w+)\]")  # in a question: the room that it was asked in


@dataclass
class Answers:
    """What the model says in which room: its scripts one after the other, the last one again and again."""

    scripts: dict[str, list[Script]] = field(default_factory=dict[str, list[Script]])
    asked: dict[str, int] = field(default_factory=dict[str, int])  # how often, in each room

    def answer(self, seen: Sequence[Said]) -> Script:
        """For `OpenAIStandIn.answer`."""
        question = next(said.text for said in reversed(seen) if said.role == "user")
        [room] = _MARK.findall(question)
        self.asked[room] = self.asked.get(room, 0) + 1
        scripts = self.scripts[room]
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


@dataclass
class Works:
    """What a fault may lay its hands on, of the world of its row."""

    wire: Wire | None = None  # between the bot and what `Row.wired` names
    clock: Clock = field(default_factory=Clock)  # the bot's
    connection: sqlite3.Connection | None = None  # the bot's, to its database


@dataclass
class Room(ABC):
    """One room of a platform, with the person who asks there."""

    here: World
    answers: Answers
    id: str
    person: str
    mention: str
    questions: list[str] = field(default_factory=list[str])
    stage: Works = field(default_factory=Works)
    thread: str = ""  # where everything is said from now on

    def model_says(self, *scripts: Script) -> None:
        self.answers.scripts[self.id] = list(scripts)

    @property
    def asked(self) -> int:
        """How often the model was asked for an answer here."""
        return self.answers.asked.get(self.id, 0)

    def ask(self, text: str) -> str:
        question = self.say(f"{self.mention}{text} [{self.id}]")
        self.questions.append(question)
        return question

    @abstractmethod
    def say(self, text: str) -> str: ...

    @abstractmethod
    def delete(self, message: str) -> None: ...

    @abstractmethod
    def spoilt(self) -> int:
        """How many calls about this room did not succeed."""

    @abstractmethod
    def works(self) -> bool:
        """Whether it says under one of the questions that an answer is coming."""

    @abstractmethod
    def file(self, attachment: str) -> str: ...

    def messages(self) -> list[Moment]:
        return self.here.bot_messages(self.id)

    def has_live(self) -> bool:
        """Whether a message looks as if it went on being written."""
        return any(moment.live or MARK in moment.text for moment in self.messages())

    def announced(self) -> bool:
        """Whether it was seen that an answer is coming."""
        return any(
            moment.room == self.id and (moment.kind == "typing" or (moment.kind == "status" and moment.text))
            for moment in self.here.playground.timeline.moments
        )


class DiscordRoom(Room):
    @classmethod
    def open(cls, here: World, answers: Answers, name: str) -> DiscordRoom:
        discord = here.playground.discord
        return cls(here, answers, discord.add_channel(name), discord.ada, f"<@{discord.bot_user}> ")

    def say(self, text: str) -> str:
        return self.here.playground.discord.say(self.id, self.person, text)

    def delete(self, message: str) -> None:
        self.here.playground.discord.delete(message)

    def spoilt(self) -> int:
        calls = self.here.playground.discord.calls
        return sum(f"/{self.id}/" in call.path and not 200 <= call.status < 300 for call in calls)

    def works(self) -> bool:
        return False  # Discord takes it back by itself

    def file(self, attachment: str) -> str:
        return self.here.playground.discord.file(attachment)[1].decode()


class SlackRoom(Room):
    @classmethod
    def open(cls, here: World, answers: Answers, name: str) -> SlackRoom:
        slack = here.playground.slack
        return cls(here, answers, slack.add_channel(name), slack.ada, f"<@{slack.bot_user}> ")

    @classmethod
    def open_direct(cls, here: World, answers: Answers, name: str) -> SlackRoom:
        """Where answers are Slack's own streams."""
        slack = here.playground.slack
        person = slack.add_person(name)
        return cls(here, answers, slack.open_dm(person), person, "")

    def say(self, text: str) -> str:
        return self.here.playground.slack.say(self.id, self.person, text, self.thread or None)

    def delete(self, message: str) -> None:
        self.here.playground.slack.delete(self.id, message)

    def spoilt(self) -> int:
        calls = self.here.playground.slack.calls
        # of files only the last call tells the channel
        return sum(call.channel in ("", self.id) and call.outcome != "ok" for call in calls)

    def works(self) -> bool:
        return any(self.here.playground.slack.shown_status(self.id, question) for question in self.questions)

    def file(self, attachment: str) -> str:
        return self.here.playground.slack.file(attachment)[1].decode()
