"""When the bot is killed and what is asked meanwhile: all of it follows from the seed.

What the seed does not decide is how far the bot gets until a kill, which depends on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from tests.crash.answers import KINDS

Api = Literal["responses", "assistants", "chat"]
APIS: tuple[Api, ...] = get_args(Api)

# What a kill waits for after the bot has become ready; "start" does not even wait for that, "time" for nothing more.
Instant = Literal[
    "time",
    "start",
    "asked",
    "typing",
    "stream opened",
    "stream ended",
    "posted",
    "edited",
    "last words",
    "filed",
    "stored",
]
_INSTANTS: dict[Instant, int] = {  # weights
    "time": 8,
    "start": 3,
    "asked": 2,
    "typing": 1,
    "stream opened": 2,
    "stream ended": 3,
    "posted": 3,
    "edited": 2,
    "last words": 4,
    "filed": 2,
    "stored": 2,  # the end of a turn
}
# Mostly short answers: one that takes longer than the bot ever lives could only fail.
_KINDS = dict(zip(KINDS, (6, 6, 5, 4, 3, 3, 2), strict=True))


@dataclass(frozen=True, slots=True)
class Kill:
    """`after`: seconds from when the bot is ready until the instant is waited for; `delay`: from then to the kill."""

    instant: Instant
    after: float
    delay: float


@dataclass(frozen=True, slots=True)
class Question:
    """Asked `offset` seconds after the bot was started, in one of the rooms."""

    number: int
    kind: str
    room: int
    offset: float


@dataclass(frozen=True, slots=True)
class Life:
    """One start of the bot, what is asked while it lives, and its end."""

    questions: Sequence[Question]
    kill: Kill


@dataclass(frozen=True, slots=True)
class Plan:
    """Questions are asked also while there is no bot, and it may die before it has stored one."""

    api: Api
    seed: int
    lives: Sequence[Life]


def make_plan(api: Api, seed: int, kills: int, *, rooms: int) -> Plan:
    random = Random(f"{api} {seed}")
    lives: list[Life] = []
    number = 0
    for _ in range(kills):
        questions: list[Question] = []
        for _ in range(random.choice([0, 1, 1, 2, 3])):
            number += 1
            kind = random.choices(KINDS, list(_KINDS.values()))[0]
            questions.append(Question(number, kind, random.randrange(rooms), random.uniform(0.0, 1.5)))
        lives.append(Life(questions, _kill(random)))
    return Plan(api, seed, lives)


def _kill(random: Random) -> Kill:
    instant = random.choices(list(_INSTANTS), list(_INSTANTS.values()))[0]
    if instant == "start":
        return Kill(instant, 0.0, random.uniform(0.0, 1.0))
    if instant == "time":
        return Kill(instant, random.choice([random.uniform(0.0, 5.0), random.expovariate(1.0)]), 0.0)
    after = random.choice([0.0, random.uniform(0.0, 4.0)])
    # at once; while the call is answered; while what came of it is stored
    return Kill(instant, after, random.choice([0.0, random.uniform(0.0, 0.02), random.uniform(0.0, 0.15)]))
