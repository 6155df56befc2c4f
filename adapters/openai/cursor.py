"""From where an answer of the Responses API goes on: `57:2.0:` is after event 57, in part 0 of item 2.

A resumed stream begins with the next event, and what to make of that depends on what came before: text of another part
is set apart by a blank line, and an answer in which the model once declined (`57:2.0:r`) ends as a refusal.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.openai.answer import Answer
from adapters.openai.fields import number, one

_CURSOR = re.compile(r"(\d+):(\d+)\.(\d+):(r?)")


def cursor(event: Any, answer: Answer) -> str:
    """The cursor after an event with text; empty, the beginning, where the server does not count its events."""
    if not isinstance(one(event, "sequence_number"), int):
        return ""
    item, part = number(event, "output_index"), number(event, "content_index")
    return f"{event['sequence_number']}:{item}.{part}:{'r' if answer.refused else ''}"


def taken_up(cursor: str) -> tuple[int | None, Answer]:
    """The number of the last event that is known, None where all are to come again, and the answer as it was then."""
    if not (found := _CURSOR.fullmatch(cursor)):
        return None, Answer()
    sequence, item, part = (int(found[group]) for group in (1, 2, 3))
    return sequence, Answer((item, part), refused=bool(found[4]), empty=False)
