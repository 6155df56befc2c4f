"""Budgets as windows of permits: who writes next, and when the next write is worth it.

A window allows `calls` calls in any `seconds` seconds. Two ways of counting never exceed it:

- Where answers carry headers, they say how many calls are left and when all come back. A call that is under way counts
  until its answer has been read.
- Elsewhere a call counts from the moment it is granted until `seconds` after its answer was read. Whenever in between
  the platform counted it, no window of the platform's can hold more than `calls`.

Spending progress. How long an answer will be is not known, but most are short, so early permits are worth more:

- A window that comes back while an answer is still being written (Discord: 5 s) is spread evenly until shortly before
  it comes back: with k permits left, the next is due after 1/k of that time; young answers take it earlier. One
  permit is kept for a final state until then: one that comes later can wait for the window.
- A window that does not (Slack: a minute for the whole workspace) is planned: what is not kept back for final states,
  nor for the questions that are likely to come, is shared by the live replies over the rest of a usual answer. An
  answer whose final state would find no permit shows no first words; it is posted when it is whole.

Among the replies that wait for one budget: final state > first words > progress; among equals the one whose unseen text
has waited longest, weighted by its amount. So nobody starves: waiting text only gains weight.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from math import inf


class Call(StrEnum):
    """What the bot asks of a chat service while it answers."""

    POST = "post"
    ATTACH = "attach"
    EDIT = "edit"
    DELETE = "delete"
    START = "start"  # the three of a message that grows by appending
    APPEND = "append"
    STOP = "stop"
    TYPING = "typing"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` calls in any `seconds` seconds, counted under `key`; holds until headers say otherwise."""

    key: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Quota:
    """What a platform said of a call's first limit: how many, how many are left, seconds until all are back."""

    calls: int
    left: int
    reset_after: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call that was accepted: the message's id, and the quota if the answer told one."""

    message: str
    quota: Quota | None = None


class Urgency(IntEnum):
    """What a reader loses by waiting, least first."""

    PROGRESS = 0
    FIRST = 1
    FINAL = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What one reply would like to do next. Times are seconds on the loop's clock."""

    call: Call
    urgency: Urgency
    chars: int = 0  # that no reader sees yet
    since: float | None = None  # when the first of them arrived
    began: float = 0.0  # when the answer's first text arrived
    latest: float = inf  # when the last of it arrived
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do now; more may come."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing to do, now or later."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply's need, with the limits that its call counts against."""

    owner: object
    need: Need
    limits: Sequence[Limit]
    later: Sequence[Limit] = ()  # what the reply's final state will count against, once it has shown something


@dataclass(frozen=True, slots=True)
class Wait:
    """Until a moment, or until something happens to the window of this key; it is empty where nothing else counts."""

    until: float
    key: str


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
_MOST_STRIKES = 4  # the longest that a refused budget stays small is 128 windows
_MANY = 64  # windows that are no burden; if more are in use, spent ones are looked for when they have doubled
_NEXT = 6  # of a long window's calls, one in six is for questions that have not been asked yet


@dataclass(slots=True)
class Window:
    """The calls of one limit."""

    limit: Limit
    live: int = 0  # replies that will need a permit for their final state
    last_progress: float = -inf
    _ended: deque[float] = field(default_factory=deque[float])  # when replies ended, within the length of the window
    _under_way: int = 0
    _finished: deque[float] = field(default_factory=deque[float])  # when answers without headers were read
    _left: int = 0
    _reset_at: float | None = None  # from headers; None where there are none
    _closed_until: float = -inf
    _shown: int = 0  # of those that live: a message of theirs is there, so their final state needs a permit
    _most: int = 0  # calls that are risked until `_most_until`, since so many were refused
    _most_until: float = -inf
    _strikes: int = 0  # refusals that came too soon one after the other
    _forgiven_at: float = -inf

    def available(self, now: float) -> int:
        """How many calls may be made now."""
        if now < self._closed_until:
            return 0
        if self._reset_at is not None:
            left = self._left if now < self._reset_at else self.limit.calls
        else:
            self._forget(now)
            left = self.limit.calls - len(self._finished)
        return left - self._under_way - (self.limit.calls - self._allowed(now))

    def refill_at(self, now: float) -> float:
        """When permits come back; infinity where that depends on a call that is under way."""
        if now < self._closed_until:
            return self._closed_until
        if self._reset_at is not None:
            return self._reset_at if now < self._reset_at else inf
        self._forget(now)
        return self._finished[0] + self.limit.seconds if self._finished else inf

    def progress_at(self, now: float, need: Need) -> float:
        """When a write that only shows progress is worth its permit."""
        left = self.available(now)
        if self.limit.seconds <= _SHORT:
            return self._evenly(now, need, left, min(self.live, 1))
        return self._planned(now, need, left, min(self.live, self.limit.calls // 2) + self._for_the_next(now))

    def end(self, now: float, shown: bool) -> None:
        """A reply has ended."""
        self.live -= 1
        self._shown -= shown
        self._forget(now)
        self._ended.append(now)

    def spent(self, now: float) -> bool:
        """Whether it is as good as a new one, which headers tell again what they have told of this one."""
        self._forget(now)
        used = self.live or self._under_way or self._finished or self._ended
        return not used and now >= max(self._forgiven_at, self._reset_at or -inf)

    def take(self) -> None:
        self._under_way += 1

    def give_back(self) -> None:
        self._under_way -= 1

    def settle(self, now: float, quota: Quota | None) -> None:
        """A call was answered."""
        self._under_way -= 1
        if quota is None:
            if self._reset_at is None:
                self._finished.append(now)
            elif now < self._reset_at:
                self._left -= 1
            return
        self._finished.clear()
        self.limit = Limit(self.limit.key, max(1, quota.calls), self.limit.seconds)
        reset_at = now + quota.reset_after
        same_window = self._reset_at is not None and now < self._reset_at
        self._left = min(self._left, quota.left) if same_window else quota.left
        self._reset_at = max(self._reset_at or 0.0, reset_at) if same_window else reset_at

    def refuse(self, now: float, retry_after: float) -> None:
        """A call was refused: none for `retry_after` seconds, and for a while no more than were let through.

        The documents' figure is tried again after two windows, since others may have used up the last one (the process
        before this one, for instance); after eight if that was refused as well, and so on. Never less than half of what
        was risked before: not every refusal tells how many calls there are.
        """
        allowed = self._allowed(now)
        counted = allowed if self._reset_at is not None else self._under_way + len(self._finished)
        self._under_way -= 1
        self._closed_until = max(self._closed_until, now + retry_after)
        self._most = max(1, min(allowed, counted) - 1, allowed // 2)
        self._strikes = min(self._strikes + 1, _MOST_STRIKES) if now < self._forgiven_at else 1
        lasts = 2 * 4 ** (self._strikes - 1) * self.limit.seconds
        self._most_until = self._closed_until + lasts
        self._forgiven_at = self._most_until + lasts

    def show(self) -> None:
        """A reply's first message is there."""
        self._shown += 1

    def show_at(self, now: float) -> float:
        """When a first message is worth showing, since its final state can then follow in time.

        Where updates are so short that it could not, an answer is better posted when it is whole: first words that
        nobody can complete for half a minute are worse than none.
        """
        if self.limit.seconds <= _SHORT:
            return now
        back = sum(finished + self.limit.seconds < now + _AT_LEAST for finished in self._finished)
        if self.available(now) + back > self._shown:
            return now
        return max(now, self.refill_at(now) - _AT_LEAST) if self._finished else inf

    def _evenly(self, now: float, need: Need, left: int, kept: int) -> float:
        refill = self.refill_at(now)
        if left <= 0:
            return refill
        eagerness = min(1.0, _EAGER + (1 - _EAGER) * (now - need.began) / _EAGER_FOR)
        if self.live > 1:
            eagerness = 1.0  # what one of them takes early the others miss
        last = max(self.last_progress, need.began)
        even = self.limit.seconds / self.limit.calls
        soon = min(even, _SOON)
        if refill == inf:  # a fresh window, or one whose first call is under way
            return last + (soon if self.last_progress >= need.began else _FIRST_EDIT * even)
        end = refill - min(_PATIENCE, _PATIENT_SHARE * self.limit.seconds)
        if left <= kept:
            return max(last + soon, min(end, need.latest + _SILENT))
        return last + eagerness * (end - last) / left

    def _planned(self, now: float, need: Need, left: int, kept: float) -> float:
        if left <= kept:
            return self.refill_at(now)
        age = now - need.began
        rest = max(_USUAL - age, _AT_LEAST, age / 2)
        back = sum(finished + self.limit.seconds < now + rest for finished in self._finished)
        share = (_SHARE * (left - kept) + back) / max(1, self.live)
        since = need.since if need.since is not None else self.last_progress
        due = since + max(rest / (share + 1), min(_STEADY, _QUICK * max(1.0, age / _QUICK_FOR)))
        return min(due, max(since + _QUICK, need.latest + _SILENT))

    def _for_the_next(self, now: float) -> float:
        """Permits for questions to come: a few, or as many as the last answers let expect until permits come back."""
        self._forget(now)
        few = self.limit.calls / _NEXT
        if not self._ended or not self._finished:
            return few
        rate = len(self._ended) / max(_SHORT, now - self._ended[0])
        return max(few, rate * (self._finished[0] + self.limit.seconds - now))

    def _allowed(self, now: float) -> int:
        return min(self.limit.calls, self._most) if now < self._most_until else self.limit.calls

    def _forget(self, now: float) -> None:
        while self._finished and self._finished[0] + self.limit.seconds <= now:
            self._finished.popleft()
        while self._ended and self._ended[0] + self.limit.seconds <= now:
            self._ended.popleft()


class Pacer:
    """The windows of one platform. Those of channels where nothing happens any more are forgotten now and then."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._many = _MANY  # windows at which it is time to forget some

    def enter(self, limits: Iterable[Limit], *, shown: bool = False) -> None:
        """A reply is live and will need a permit of each of these for its final state."""
        for limit in limits:
            window = self._window(limit)
            window.live += 1
            if shown:
                window.show()

    def leave(self, now: float, limits: Iterable[Limit], *, shown: bool = False) -> None:
        """The reply has ended. `shown`: its first message was granted here."""
        for limit in limits:
            self._window(limit).end(now, shown)
        if len(self._windows) >= self._many:
            self._windows = {key: window for key, window in self._windows.items() if not window.spent(now)}
            self._many = max(_MANY, 2 * len(self._windows))

    def wait(self, now: float, claim: Claim) -> Wait | None:
        """What the claim has to wait for; None if its call is allowed and worth it now."""
        until, key = claim.need.not_before, ""
        for limit in claim.limits:
            window = self._window(limit)
            if claim.need.urgency is Urgency.PROGRESS:
                at = window.progress_at(now, claim.need)
            else:
                at = window.refill_at(now) if window.available(now) <= 0 else now
            if at > until:
                until, key = at, limit.key
        if shows(claim.need):
            for limit in claim.later:
                if (at := self._window(limit).show_at(now)) > until:
                    until, key = at, limit.key
        return Wait(until, key) if until > now else None

    def available(self, now: float, limits: Sequence[Limit]) -> int:
        """How many calls that count against all of these may be made now."""
        return min((self._window(limit).available(now) for limit in limits), default=1)

    def spare(self, now: float, limits: Sequence[Limit]) -> float:
        """As many, without those that live replies will need and without a tenth of all for what they need besides."""
        windows = [self._window(limit) for limit in limits]
        return min((w.available(now) - w.live - w.limit.calls / 10 for w in windows), default=1)

    def grant(self, now: float, claims: Sequence[Claim]) -> Claim:
        """Takes the permits of the claim that a reader gains most by. None of the claims has to wait."""
        best = max(claims, key=lambda claim: _weight(claim.need, now))
        for limit in best.limits:
            window = self._window(limit)
            window.take()
            if best.need.urgency is Urgency.PROGRESS:
                window.last_progress = now
        if shows(best.need):
            for limit in best.later:
                self._window(limit).show()
        return best

    def give_back(self, limits: Sequence[Limit]) -> None:
        """The call was not made after all."""
        for limit in limits:
            self._window(limit).give_back()

    def settle(self, now: float, limits: Sequence[Limit], quota: Quota | None = None) -> None:
        """A call was answered, or came to nothing in a way that may have counted. `quota` is of the first limit."""
        for position, limit in enumerate(limits):
            self._window(limit).settle(now, quota if position == 0 else None)

    def refuse(self, now: float, limits: Sequence[Limit], retry_after: float, key: str = "") -> None:
        """A call was refused by the limit of this key, or, where the platform does not tell, by the first one."""
        refusing = key if any(limit.key == key for limit in limits) else limits[0].key
        for limit in limits:
            if limit.key == refusing:
                self._window(limit).refuse(now, retry_after)
            else:
                self._window(limit).settle(now, None)

    def _window(self, limit: Limit) -> Window:
        return self._windows.setdefault(limit.key, Window(limit))


def shows(need: Need) -> bool:
    """Whether the call makes a reply's first message, which another call will have to complete."""
    return need.urgency is Urgency.FIRST and need.call in {Call.POST, Call.START}


def _weight(need: Need, now: float) -> tuple[int, float]:
    waited = now - need.since if need.since is not None else now
    return need.urgency, waited * max(1, need.chars)
