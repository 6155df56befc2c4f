"""Who writes next, among all replies of a platform.

Final state > first words > progress; among equals the one whose unseen text has waited longest, weighted by its amount.
So nobody starves: waiting text only gains weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.pacing import Claim, Limit, Need, Quota, Urgency, Wait, shows
from bot.core.spending import Spending
from bot.core.window import Window

_MANY = 64  # windows that are no burden; if more are in use, spent ones are looked for when they have doubled


class Pacer:
    """The windows of one platform. Those of channels where nothing happens any more are forgotten now and then."""

    def __init__(self) -> None:
        self._all: dict[str, Spending] = {}  # by the window's key
        self._many = _MANY  # windows at which it is time to forget some

    def enter(self, limits: Iterable[Limit], *, shown: bool = False) -> None:
        """A reply is live and will need a permit of each of these for its final state."""
        for limit in limits:
            spending = self._spending_of(limit)
            spending.live += 1
            if shown:
                spending.show()

    def leave(self, now: float, limits: Iterable[Limit], *, shown: bool = False) -> None:
        """The reply has ended. `shown`: its first message was granted here."""
        for limit in limits:
            self._spending_of(limit).end(now, shown)
        if len(self._all) >= self._many:
            self._all = {key: spending for key, spending in self._all.items() if not spending.over(now)}
            self._many = max(_MANY, 2 * len(self._all))

    def wait(self, now: float, claim: Claim) -> Wait | None:
        """What the claim has to wait for; None if its call is allowed and worth it now."""
        until, key = claim.need.not_before, ""
        for limit in claim.limits:
            window = self._window(limit)
            if claim.need.urgency is Urgency.PROGRESS:
                at = self._spending_of(limit).progress_at(now, claim.need)
            else:
                at = window.refill_at(now) if window.available(now) <= 0 else now
            if at > until:
                until, key = at, limit.key
        if shows(claim.need):
            for limit in claim.later:
                if (at := self._spending_of(limit).show_at(now)) > until:
                    until, key = at, limit.key
        return Wait(until, key) if until > now else None

    def available(self, now: float, limits: Sequence[Limit]) -> int:
        """How many calls that count against all of these may be made now."""
        return min((self._window(limit).available(now) for limit in limits), default=1)

    def spare(self, now: float, limits: Sequence[Limit]) -> float:
        """As many, without those that live replies will need and without a tenth of all for what they need besides."""
        return min((self._spending_of(limit).spare(now) for limit in limits), default=1)

    def grant(self, now: float, claims: Sequence[Claim]) -> Claim:
        """Takes the permits of the claim that a reader gains most by. None of the claims has to wait."""
        best = max(claims, key=lambda claim: _weight(claim.need, now))
        for limit in best.limits:
            spending = self._spending_of(limit)
            spending.window.take()
            if best.need.urgency is Urgency.PROGRESS:
                spending.last_progress = now
        if shows(best.need):
            for limit in best.later:
                self._spending_of(limit).show()
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
        return self._spending_of(limit).window

    def _spending_of(self, limit: Limit) -> Spending:
        if limit.key not in self._all:
            self._all[limit.key] = Spending(Window(limit))
        return self._all[limit.key]


def _weight(need: Need, now: float) -> tuple[int, float]:
    waited = now - need.since if need.since is not None else now
    return need.urgency, waited * max(1, need.chars)
