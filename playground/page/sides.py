"""The two sides of the page: what it asks of a stand-in, said the same way for both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from playground.timeline import Moment


@dataclass(frozen=True, slots=True)
class Room:
    """A channel, or the direct messages with the bot."""

    id: str
    name: str
    welcome: str  # a sentence above its first message
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody typed into a box, and where."""

    room: str
    person: str
    text: str
    mention: bool = False  # put a mention of the bot before it
    reply_to: str = ""  # a message on Discord, a thread on Slack


class Unsayable(Exception):
    """The platform would not take these words; the message says why, for the person."""


class Side(Protocol):
    """One platform, as the people who write there see it."""

    name: str
    title: str
    bot: str  # the bot's display name

    def rooms(self) -> list[Room]: ...

    def people(self) -> Mapping[str, str]:
        """Who can write, by id; the first one has the direct messages with the bot."""
        ...

    def show(self, moment: Moment) -> str:
        """A message's text as HTML."""
        ...

    def say(self, words: Words) -> None:
        """Does what the person meant: a message, or a slash command. Raises Unsayable."""
        ...

    def file(self, file: str) -> tuple[str, bytes]:
        """The name and the bytes of a file. Raises ValueError."""
        ...

    def stoppable(self, status: Moment) -> bool:
        """Whether the platform puts a button to stop the bot beside this status."""
        ...

    def stop(self, room: str, person: str, thread: str) -> None:
        """The person presses it. Raises Unsayable."""
        ...

    def refusals(self) -> int:
        """How many calls of the bot's were refused with 429."""
        ...


def addressed(words: Words, bot: str, mention: str) -> str:
    """The text with the mention it asks for, and with a typed `@Rivulet` as the mention that it means."""
    text = re.sub(rf"@{re.escape(bot)}\b", mention, words.text, flags=re.IGNORECASE)
    return f"{mention} {text}" if words.mention and mention not in text else text
