"""What people can ask for besides an answer."""

from __future__ import annotations

from enum import StrEnum


class Command(StrEnum):
    NEW = "new"
    STOP = "stop"
    RETRY = "retry"
    HELP = "help"


HELP = """\
Mention me, reply to me or write me a direct message, and I answer. Questions of one channel are answered in order.
- `!new` makes me forget this conversation; the next question starts another.
- `!stop` stops the running answer; what is shown stays.
- `!retry` asks the last question again; the new answer takes the place of the old one.
- `!help` shows this.
"""


def parse(text: str) -> Command | None:
    """The command that a message consists of (`!stop`, in any case, with nothing else in it), or None."""
    word = text.strip()
    if not word.startswith("!"):
        return None
    try:
        return Command(word[1:].lower())
    except ValueError:
        return None
