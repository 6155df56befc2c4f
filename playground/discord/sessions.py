"""A gateway session: what a bot has identified as, and the events that it may ask for again."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from playground.discord.connection import Connection
from playground.discord.events import Event
from playground.discord.intents import Intent

_KEPT = 5000  # events that a RESUME can bring back; who has missed more must identify anew


@dataclass
class Session:
    id: str
    intents: Intent
    shard: tuple[int, int]
    connection: Connection | None
    left: float = 0.0  # when it was last without a connection, on the timeline's clock
    sequence: int = 0
    _sent: deque[tuple[int, str]] = field(default_factory=lambda: deque[tuple[int, str]](maxlen=_KEPT))

    def wants(self, event: Event) -> bool:
        """By its intents, and by its shard: a guild belongs to one, and DMs belong to the first."""
        number, count = self.shard
        mine = (int(event.guild or 0) >> 22) % count == number
        return mine and event.needs in self.intents

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Sends an event, or keeps it for the RESUME if there is no connection."""
        self.sequence += 1
        payload = json.dumps({"op": 0, "t": name, "s": self.sequence, "d": data})
        self._sent.append((self.sequence, payload))
        if self.connection:
            self.connection.send(payload)

    def can_replay(self, after: int) -> bool:
        return not self._sent or after >= self._sent[0][0] - 1

    def replay(self, after: int) -> None:
        for sequence, payload in self._sent:
            if sequence > after and self.connection:
                self.connection.send(payload)
