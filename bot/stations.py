"""The platforms that are on, each with its gate, and what is done there besides answering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.core.model import Prompt, Turn
from bot.errands import Errands
from bot.gate import Gate
from bot.ports import Platform, Store
from bot.removal import remove
from bot.saying import say
from bot.strays import find_strays


@dataclass(frozen=True, slots=True)
class Station:
    """A platform and its permits."""

    platform: Platform
    gate: Gate


class Stations:
    """By the platforms' names. What belongs to a platform that is off now is left alone."""

    def __init__(self, platforms: Iterable[Platform], store: Store, errands: Errands) -> None:
        self._stations: Mapping[str, Station] = {
            platform.name: Station(platform, Gate(platform.limits)) for platform in platforms
        }
        self._store = store
        self._errands = errands

    def __contains__(self, platform: str) -> bool:
        return platform in self._stations

    def __getitem__(self, platform: str) -> Station:
        return self._stations[platform]

    async def say(self, prompt: Prompt, words: str, *, message: str = "") -> None:
        """As `saying.say`."""
        if station := self._stations.get(prompt.channel.platform):
            await say(prompt, words, station.platform, station.gate, message=message)

    async def with_strays(self, turn: Turn) -> Turn:
        """With messages that an attempt which was cut short has left without anybody's learning of them. Asked while no
        answer of its channel is running, and before a later one begins."""
        if (station := self._stations.get(turn.prompt.channel.platform)) is None:
            return turn
        streaming = station.platform.streaming(turn.prompt.place)
        place = streaming.place if streaming else turn.prompt.place
        strays = await find_strays(turn, station.platform, place, (*turn.messages, *turn.files))
        return replace(turn, messages=(*turn.messages, *strays.pages), files=(*turn.files, *strays.files))

    def remove(self, turn: Turn) -> None:
        """Its messages, in the background: nobody waits for the answer any more."""
        station = self._stations.get(turn.prompt.channel.platform)
        if (turn.messages or turn.files) and station is not None:
            self._errands.begin(remove(turn, station.platform, station.gate, self._store))
