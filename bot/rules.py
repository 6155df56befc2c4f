"""How the bot is to behave, as far as whoever runs it decides that."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.asking import Timeouts
from bot.core.attaching import Attaching
from bot.core.changes import Changes
from bot.core.line import UNBOUNDED, Capacity


@dataclass(frozen=True, slots=True)
class Rules:
    """Without settings: everything is taken and shown, and nothing is looked up."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    attaching: Attaching = field(default_factory=Attaching)
    changes: Changes = field(default_factory=Changes)
    capacity: Capacity = UNBOUNDED
    ask_again: bool = True  # for an answer that was cut short and cannot be taken up; else it ends as it stands
    catch_up_max_age: float = 0.0  # seconds; older questions from before the start or a gap are left alone
