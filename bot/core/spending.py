"""How the replies that share a window spend it, so that a reader sees most soon and no final state has to wait.

How long an answer will be is not known, but most are short, so early permits are worth more:

- A window that comes back while an answer is still being written (Discord: 5 s) is spread evenly until shortly before
  it comes back: with k permits left, the next is due after 1/k of that time; young answers take it earlier. One
  permit is kept for a final state until then: one that comes later can wait for the window.
- A window that does not (Slack: a minute for the whole workspace) is planned: what is not kept back for final states,
  nor for the questions that are likely to come, is shared by the live replies over the rest of a usual answer. An
  answer whose final state would find no permit shows no first words; it is posted when it is whole.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf

from bot.core.pacing import Need
from bot.core.window import Window

# The figures below were found by trying them on answers of 1.5 to 120 s, alone and in crowds (docs/performance.md).
_SHORT = 10.0  # seconds: a window that comes back within a usual answer
_EAGER, _EAGER_FOR = 0.2, 3.0  # a new answer waits 0.2 of an even gap; after 3 s a whole one
_FIRST_EDIT = 0.5  # of an even gap, after the first message
_PATIENCE = 0.6  # seconds that a final state may wait for a window to come back ...
_PATIENT_SHARE = 0.12  # ... and the most of a window that this may be
_SOON = 0.5  # seconds after the last state the first call of a window that has come back is worth it
_SILENT = 0.5  # seconds without new text after which the model is not about to end: its readers see all there is
_USUAL = 12.0  # seconds of a usual answer, as far as planning goes ...
_AT_LEAST = 6.0  # ... and how long one is expected to go on that has gone on for longer
_SHARE = 0.75  # of what is free; the rest is for answers that go on for longer than usual
_QUICK, _STEADY = 0.8, 1.8  # seconds between two states: what no reader needs closer, and what lasts for ever ...
_QUICK_FOR = 10.0  # ... to which an answer slows down after so many seconds
_NEXT = 6  # of a long window's calls, one in six is for questions that have not been asked yet


@dataclass(slots=True)
class Spending:
    """A window, and the replies that share it."""

    window: Window
    live: int = 0  # replies that will need a permit for their final state
    last_progress: float = -inf  # when the last permit for no more than progress was taken
    _shown: int = 0  # of those that live: a message of theirs is there, so their final state needs a permit
    _ended: deque[float] = field(default_factory=deque[float])  # when replies ended, within the length of the window

    def show(self) -> None:
        """A reply's first message is there."""
        self._shown += 1

    def end(self, now: float, shown: bool) -> None:
        """A reply has ended."""
        self.live -= 1
        self._shown -= shown
        self._forget(now)
        self._ended.append(now)

    def over(self, now: float) -> bool:
        """Whether nothing that has happened here matters any more."""
        self._forget(now)
        return not (self.live or self._ended) and self.window.spent(now)

    def spare(self, now: float) -> float:
        """Permits without those that live replies will need, and a tenth of all for what they need besides."""
        return self.window.available(now) - self.live - self.window.limit.calls / 10

    def progress_at(self, now: float, need: Need) -> float:
        """When a write that only shows progress is worth its permit."""
        left, limit = self.window.available(now), self.window.limit
        if limit.seconds <= _SHORT:
            return self._evenly(now, need, left, min(self.live, 1))
        return self._planned(now, need, left, min(self.live, limit.calls // 2) + self._for_the_next(now))

    def show_at(self, now: float) -> float:
        """When a first message is worth showing, since its final state can then follow in time.

        Where updates are so short that it could not, an answer is better posted when it is whole: first words that
        nobody can complete for half a minute are worse than none.
        """
        window = self.window
        if window.limit.seconds <= _SHORT:
            return now
        if window.available(now) + window.back_before(now + _AT_LEAST) > self._shown:
            return now
        return max(now, window.refill_at(now) - _AT_LEAST)

    def _evenly(self, now: float, need: Need, left: int, kept: int) -> float:
        refill, limit = self.window.refill_at(now), self.window.limit
        if left <= 0:
            return refill
        eagerness = min(1.0, _EAGER + (1 - _EAGER) * (now - need.began) / _EAGER_FOR)
        if self.live > 1:
            eagerness = 1.0  # what one of them takes early the others miss
        last = max(self.last_progress, need.began)
        even = limit.seconds / limit.calls
        soon = min(even, _SOON)
        if refill == inf:  # a fresh window, or one whose first call is under way
            return last + (soon if self.last_progress >= need.began else _FIRST_EDIT * even)
        end = refill - min(_PATIENCE, _PATIENT_SHARE * limit.seconds)
        if left <= kept:
            return max(last + soon, min(end, need.latest + _SILENT))
        return last + eagerness * (end - last) / left

    def _planned(self, now: float, need: Need, left: int, kept: float) -> float:
        if left <= kept:
            return self.window.refill_at(now)
        age = now - need.began
        rest = max(_USUAL - age, _AT_LEAST, age / 2)
        share = (_SHARE * (left - kept) + self.window.back_before(now + rest)) / max(1, self.live)
        since = need.since if need.since is not None else self.last_progress
        due = since + max(rest / (share + 1), min(_STEADY, _QUICK * max(1.0, age / _QUICK_FOR)))
        return min(due, max(since + _QUICK, need.latest + _SILENT))

    def _for_the_next(self, now: float) -> float:
        """Permits for questions to come: a few, or as many as the last answers let expect until permits come back."""
        self._forget(now)
        few = self.window.limit.calls / _NEXT
        back = self.window.next_back(now)
        if not self._ended or back == inf:
            return few
        rate = len(self._ended) / max(_SHORT, now - self._ended[0])
        return max(few, rate * (back - now))

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0] + self.window.limit.seconds <= now:
            self._ended.popleft()
