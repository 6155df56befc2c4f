"""What a reply can ask for: one call that brings the screen closer to the text, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.core.files import File
from bot.core.pacing import Call, Done, Idle


@dataclass(frozen=True, slots=True)
class Post:
    """Show a new page below the others."""

    call: ClassVar = Call.POST
    page: int
    text: str
    again: int = 0  # so many messages of the answer were removed by others: none of them is meant


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a page."""

    call: ClassVar = Call.EDIT
    page: int
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a page that an earlier attempt at this answer has left over, or that has served its purpose."""

    call: ClassVar = Call.DELETE
    page: int
    message: str


@dataclass(frozen=True, slots=True)
class Attach:
    """Show files in a message of their own, which is no page of the answer."""

    call: ClassVar = Call.ATTACH
    text: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a message that grows by appending, below the others, with this text."""

    call: ClassVar = Call.START
    page: int
    text: str
    again: int = 0  # as in `Post`


@dataclass(frozen=True, slots=True)
class Append:
    """Add to a message."""

    call: ClassVar = Call.APPEND
    page: int
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Add what is left of a page, if anything, and let its message be an ordinary one."""

    call: ClassVar = Call.STOP
    page: int
    message: str
    text: str
    more: bool = False  # the answer goes on in another message


Streamed = Start | Append | Stop
Write = Post | Edit | Delete | Attach
Shown = Write | Streamed
Action = Shown | Idle | Done
