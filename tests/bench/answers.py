"""What the model says in a benchmark: plain words at an even pace, as long as they are wanted."""

from __future__ import annotations

import random
from dataclasses import dataclass

from playground.openai.faults import Stall
from playground.openai.script import Script

_PACE = 60.0  # tokens a second, as fast models write

# One token each. The short ones let 600 tokens, 10 s at that pace, fit into one message of Discord (2,000 characters).
_SHORT = [
    "am",
    "an",
    "as",
    "at",
    "be",
    "by",
    "do",
    "go",
    "he",
    "if",
    "in",
    "is",
    "it",
    "me",
    "my",
    "no",
    "of",
    "on",
    "or",
    "so",
]
_ORDINARY = ["a", "the", "of", "and", "river", "stone", "under", "light", "between", "answer", "slowly", "another"]
_ONE_MESSAGE = 640  # short tokens: 1,919 characters
_AT_ONCE = 8  # tokens: a sentence, more than the few words that a first message waits for

_SOON = 0.1  # seconds until it is said


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of so many seconds. It fits one message (long ones are written more slowly), unless it is `ordinary`:
    then it has words as long as usual, and after some 7 s Discord needs a second message.

    An answer of no seconds is one sentence, said at once. `stall` is a silence: after how many seconds, and how long.
    """

    seconds: float
    ordinary: bool = False
    pace: float = _PACE
    stall: tuple[float, float] | None = None

    def script(self, seed: int) -> Script:
        """The same seed gives the same words."""
        choose = random.Random(seed).choice
        tokens = round(self.seconds * self.pace) + 1 if self.seconds else _AT_ONCE  # the first comes at once
        if not self.ordinary:
            tokens = min(tokens, _ONE_MESSAGE)
        speed = (tokens - 1) / self.seconds if self.seconds else 0.0
        words = [choose(_ORDINARY if self.ordinary else _SHORT) for _ in range(tokens)]
        fault = Stall(self.stall[1], after=round(self.stall[0] * speed) + 1) if self.stall else None
        first_token = None if self.seconds else _SOON
        return Script(" ".join(words), tokens_per_second=speed, first_token=first_token, fault=fault)
