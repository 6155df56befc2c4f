"""Whether an answer of the Responses API is asked for in the background: there it outlives a connection that breaks.

It is never free. OpenAI says of background responses that "the time to first token … is higher than what you receive
from a synchronous one", and not by how much; other servers refuse the field. So `auto` measures: the first answers are
asked for in both ways in turn, then in the background as long as the median of its last beginnings is not later than
the other's by more than WORTH, and now and then in the other way, so that a change of the server is noticed.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Literal

Setting = Literal["auto", "on", "off"]

# Seconds that a reader may wait longer for the first word. Where an answer cannot be taken up, a cut (a deploy of the
# server, a proxy's limit, a lost route, a restart of the bot) costs its reader the answer: noticing it, asking again
# and waiting for all of it once more, a minute or so. If one answer in a hundred is cut, that is 0.6 s for each of
# them; and half a second is little beside the one to three that people wait for a first word anyway.
WORTH = 0.5

_FIRST = 3  # answers of each kind before anything is decided
_LAST = 9  # answers of each kind that count: one slow one, or four, change no median
_RARELY = 16  # one answer in so many is asked for in the way that is not chosen


class Background:
    """Ask it before each answer, and tell it how long that took to begin."""

    def __init__(self, setting: Setting) -> None:
        self._setting: Setting = setting
        self._taken = {True: deque[float](maxlen=_LAST), False: deque[float](maxlen=_LAST)}
        self._refused = False
        self._asked = 0

    @property
    def may_do_without(self) -> bool:
        """A server that refuses the field may be asked without it."""
        return self._setting == "auto"

    def choose(self) -> bool:
        """How to ask for the next answer."""
        if self._setting != "auto":
            return self._setting == "on"
        if self._refused:
            return False
        self._asked += 1
        if min(map(len, self._taken.values())) < _FIRST:
            return self._asked % 2 == 1
        return self.worth_it != (self._asked % _RARELY == 0)

    @property
    def worth_it(self) -> bool:
        """By what was measured."""
        return median(self._taken[True]) <= median(self._taken[False]) + WORTH

    def began(self, background: bool, seconds: float) -> None:
        """An answer that was asked for so began after this time."""
        self._taken[background].append(seconds)

    def refused(self) -> None:
        """The server does not take the field, or takes it and does nothing about it."""
        self._refused = True
