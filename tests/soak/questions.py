"""What is asked, what happens to it on the way, and what the model says: all of it follows from the seed.

The words of an answer are numbered, as in the crash test, so that a screen tells by itself what stands on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeVar, get_args

from playground.openai import errors
from playground.openai.faults import Cut, ErrorEvent, Failed, Fault, Incomplete, SilentEnd, Stall
from playground.openai.record import Said
from playground.openai.script import Script
from tests.crash.answers import KINDS, answer

# What somebody does to a question or with its answer.
Deed = Literal["nothing", "stop", "edit", "delete", "retry", "new", "two at once"]
_DEEDS: dict[Deed, int] = {"nothing": 78, "stop": 4, "edit": 3, "delete": 3, "retry": 3, "new": 6, "two at once": 3}

# What goes wrong with the model's stream.
Trouble = Literal["none", "cut", "stall", "silent end", "failed", "error event", "incomplete", "429", "500", "503"]
_TROUBLES = dict(zip(get_args(Trouble), (86, 4, 2, 1, 1, 1, 1, 2, 1, 1), strict=True))
_HARMLESS = {"none", "cut", "stall"}  # the answer is complete all the same

_KINDS = dict(zip(KINDS, (3, 6, 5, 5, 3, 4, 2), strict=True))
T = TypeVar("T")
_NUMBER = re.compile(r"\bq(\d+):")


@dataclass(frozen=True, slots=True)
class Question:
    """`after`: seconds from the question to the deed."""

    number: int
    kind: str
    deed: Deed
    after: float
    trouble: Trouble

    @property
    def disturbed(self) -> bool:
        """Whether its answer may end early, or be another's."""
        return self.deed not in {"nothing", "new", "two at once"} or self.trouble not in _HARMLESS


def make_question(number: int, random: Random) -> Question:
    return Question(
        number,
        _one_of(_KINDS, random),
        _one_of(_DEEDS, random),
        random.choice([random.uniform(0.0, 0.5), random.uniform(0.5, 6.0)]),
        _one_of(_TROUBLES, random),
    )


class Model:
    """Answers at a speed that differs from one question to the other. `pace`: how much faster than in the field."""

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self._troubles: dict[int, Trouble] = {}

    def expect(self, question: Question) -> None:
        """Its trouble comes once: who asks the same again is answered."""
        if question.trouble != "none":
            self._troubles[question.number] = question.trouble

    def answer(self, said: Sequence[Said]) -> Script:
        script = answer(said)
        asked = next((message.text for message in reversed(said) if message.role == "user"), "")
        found = _NUMBER.search(asked)
        number = int(found[1]) if found else 0
        random = Random(number)
        return replace(
            script,
            tokens_per_second=self._pace * random.uniform(25, 60),
            first_token=random.uniform(0.2, 1.0) / self._pace,
            fault=_fault(self._troubles.pop(number, "none"), random.randrange(1, 40)),
        )


def _fault(trouble: Trouble, after: int) -> Fault | None:
    """`after` pieces of text."""
    faults: dict[Trouble, Fault] = {
        "cut": Cut(after=after),
        "stall": Stall(seconds=3.0, after=after),
        "silent end": SilentEnd(after=after),
        "failed": Failed(after=after),
        "error event": ErrorEvent(after=after),
        "incomplete": Incomplete(after=after),
        "429": errors.RATE_LIMITED,
        "500": errors.SERVER_ERROR,
        "503": errors.OVERLOADED,
    }
    return faults.get(trouble)


def _one_of(weights: Mapping[T, int], random: Random) -> T:
    return random.choices(list(weights), list(weights.values()))[0]
