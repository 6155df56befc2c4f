"""What a reader saw, in words, by rule: how much of the answer there is, in what, and what was said of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from adapters.slack.untaken import LATER
from tests.cursor import MARK
from tests.faults.room import Room
from tests.faults.row import Row, Scene

_WORD = re.compile(r"\bword\d+\b")
_WRAPPING = re.compile(r"^(?:-# |_)|_$", re.MULTILINE)  # of a sentence of the bot's own


def reading(room: Room) -> tuple[list[str], list[str], str]:
    """The model's words in the messages and in the files, and the bot's own sentences, in the order of the screen."""
    messages = room.messages()
    shown = "\n".join(moment.text for moment in messages)
    files = " ".join(room.file(file.id) for moment in messages for file in moment.files)
    rest = _WORD.sub("", shown).replace(MARK, "")
    said = " ".join(_WRAPPING.sub("", line.strip()) for line in rest.splitlines() if line.strip())
    return _WORD.findall(shown), _WORD.findall(files), said.replace(room.here.playground.openai_api, "(the address)")


def outcome(row: Row, room: Room) -> str:
    shown, filed, said = reading(room)
    if row.scene is Scene.REMOVAL:
        return "stays" if room.messages() else "removed"
    sentence = f"“{said}”" if said else ""
    if [*shown, *filed] == row.script.text.split():
        parts = ["answered", "the rest in the file" if filed else "", sentence]
    elif shown or filed:
        parts = ["the beginning stays" if not sentence else "the beginning, and", sentence]
    else:
        parts = [sentence or "nothing is shown"]
    if row.announces and not room.announced():
        parts.append("without a sign before")
    return ", ".join(part for part in parts if part).replace("and, “", "and “")


def promised(room: Room) -> bool:
    """Whether it says that the question will be tried again."""
    return any(LATER in moment.text for moment in room.messages())


def doubled(room: Room) -> Sequence[str]:
    """Words that stand there more than once."""
    shown, filed, _ = reading(room)
    return [word for word, times in Counter([*shown, *filed]).items() if times > 1]
