"""What goes wrong of itself on an ordinary evening: connections that drop, calls that are refused or get no answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

from playground.server import Playground

_EVERY = 20.0  # seconds between two of them
_MESSAGES = r"/channels/\d+/messages"


class Accidents:
    """They take turns, so that each comes about as often as the others."""

    def __init__(self, playground: Playground, random: Random) -> None:
        self._playground = playground
        self._random = random
        self.happened: Counter[str] = Counter()

    async def happen(self, until: float, often: float) -> None:
        """Returns soon after that time. `often`: 2 is twice as often as usual."""
        loop = asyncio.get_running_loop()
        waiting: list[str] = []
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, self._random.uniform(0.5, 1.5) * _EVERY / often))
            if not waiting:
                waiting = list(self._all())
                self._random.shuffle(waiting)
            name = waiting.pop()
            self._all()[name]()
            self.happened[name] += 1

    def _all(self) -> dict[str, Callable[[], object]]:
        discord, slack = self._playground.discord, self._playground.slack
        verb = self._random.choice(["POST", "PATCH"])
        method = self._random.choice(["chat.postMessage", "chat.update", "chat.appendStream", "chat.stopStream"])
        return {
            "gateway: cut": discord.drop,
            "gateway: reconnect (op 7)": discord.reconnect,
            "gateway: invalid session (op 9)": lambda: discord.invalidate(resumable=False),
            "gateway: invalid session, resumable": lambda: discord.invalidate(resumable=True),
            "Discord: 429": lambda: discord.fail(verb, _MESSAGES, status=429),
            "Discord: 502": lambda: discord.fail(verb, _MESSAGES, status=502, body="Bad Gateway"),
            "Discord: no answer": lambda: discord.fail(verb, _MESSAGES, drop=True, after_effect=True),
            "socket: refresh": slack.refresh,
            "socket: cut": slack.drop,
            "Slack: 429": lambda: slack.fail(
                method, status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "2"}
            ),
            "Slack: 500": lambda: slack.fail(method, status=500, body="Internal Server Error"),
            "Slack: no answer": lambda: slack.fail(method, drop=True, after_effect=True),
        }
