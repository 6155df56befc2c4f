"""What the gateway tells: an event, who may have it, and how it reads with a session's intents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.discord.intents import Intent


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    guild: str  # empty in a DM
    needs: Intent
    payload: Callable[[Intent], dict[str, Any]]
