"""Who waits, who is next and who is sent away: how many questions the bot takes on at once.

A channel answers one question at a time. While it does so it has one of the places, and where all places are taken,
channels stand in line, the one whose oldest question is the oldest of all first. A channel that has answered one stands
in line again with its next, unless nobody else does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, replace

from bot.core.model import Channel, End, Ending

_MISSED = 5  # times as many may wait: fifty answers take a quarter of an hour or so, one after the other


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the bot takes on; 0 is as much as comes."""

    waiting: int = 0  # questions of one channel, behind the running one
    waiting_in_all: int = 0  # questions of one platform, those included that are about to begin
    running: int = 0  # answers at the same time

    @property
    def for_missed(self) -> Capacity:
        """For what was asked while the bot was away: nobody was there to tell them that too many wait."""
        return replace(self, waiting=_MISSED * self.waiting)

    def refusal(self, queued: int, queued_in_all: int, *, running: bool) -> Ending | None:
        """How a question ends that comes to a channel with so many queued, of so many on its platform.

        `running`: the channel has a running turn. Where it has none, the first of the queued is about to be that one.
        """
        if self.waiting and queued + running > self.waiting:
            return Ending(End.QUEUE_FULL, _already(self.waiting))
        if self.waiting_in_all and queued_in_all >= self.waiting_in_all:
            return Ending(End.BUSY)
        return None


UNBOUNDED = Capacity()


def _already(waiting: int) -> str:
    many = "There is already a question" if waiting == 1 else f"There are already {waiting} questions"
    return f"{many} waiting here"


class Line:
    """The channels with queued turns, by the turns' ids, and who of them has a place. `places`: 0 is without end.

    It says where to look, not what is there: the table of turns is the queue.
    """

    def __init__(self, places: int = 0) -> None:
        self._places = places
        self._seated: set[Channel] = set()
        self._queued: dict[Channel, list[int]] = {}  # ids, ascending; no channel is there without one
        self._heads: dict[Channel, int] = {}  # channels in line, and the id that each stands there with
        self._order: list[int] = []  # those ids, ascending
        self._channels: dict[int, Channel] = {}  # whose they are

    def __contains__(self, channel: Channel) -> bool:
        """Whether it stands in line."""
        return channel in self._heads

    @property
    def is_empty(self) -> bool:
        """Whether no turn is known to be queued."""
        return not self._queued

    def ask(self, channel: Channel, turn: int) -> None:
        """A turn of the channel is queued, and the channel stands in line unless it has a place."""
        insort(self._queued.setdefault(channel, []), turn)
        self.stand(channel)

    def stand(self, channel: Channel) -> None:
        """It stands in line if it has a queued turn and no place."""
        if channel in self._seated or channel in self._heads or channel not in self._queued:
            return
        head = self._queued[channel][0]
        self._heads[channel] = head
        self._channels[head] = channel
        insort(self._order, head)

    def seat(self) -> Channel | None:
        """The next channel has a place now; None if all are taken or nobody stands in line."""
        if not self._order or (self._places and len(self._seated) >= self._places):
            return None
        channel = self._channels[self._order[0]]
        self.jump(channel)
        return channel

    def jump(self, channel: Channel) -> None:
        """A channel that stands in line has a place now, before its time and beyond the number of places."""
        head = self._heads.pop(channel)
        del self._channels[head]
        del self._order[bisect_left(self._order, head)]
        self._seated.add(channel)

    def newest(self, channel: Channel) -> int:
        """The id of the channel's last queued turn; 0 if none is known."""
        return self._queued.get(channel, [0])[-1]

    def begun(self, channel: Channel, turn: int) -> None:
        """This turn and all before it are not queued any more."""
        queued = self._queued.pop(channel, [])
        if rest := queued[bisect_right(queued, turn) :]:
            self._queued[channel] = rest

    def stays(self, channel: Channel) -> bool:
        """Whether a channel that has a place may begin its next turn at once, since nobody is waiting for the place."""
        crowded = self._places and len(self._seated) > self._places
        return channel in self._queued and not self._order and not crowded

    def leave(self, channel: Channel) -> None:
        """It has no place any more."""
        self._seated.discard(channel)

    def close(self) -> None:
        """Nobody waits any more."""
        for waiting in (self._queued, self._heads, self._order, self._channels):
            waiting.clear()
