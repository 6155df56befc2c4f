"""Hands out the permits of one platform: asks the pacer now, when something changes, and when it said to look again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from aiolimiter import AsyncLimiter

from bot.core.model import Place
from bot.core.pacer import Pacer
from bot.core.pacing import Call, Claim, Done, Idle, Limit, Need, Receipt, Urgency, Wait, shows
from bot.errors import Refused

LimitsOf = Callable[[Call, Place], Sequence[Limit]]
Answer = TypeVar("Answer")
NeedOf = Callable[[], Need | Idle | Done]


@dataclass(frozen=True, slots=True)
class Permit:
    """One call may be made now: `spend` it, or say that it stays `unused`."""

    call: Call
    limits: Sequence[Limit]
    _gate: Gate

    async def spend(self, call: Awaitable[Answer]) -> Answer:
        """Makes the call, and counts it by what became of it. Raises what the call raises."""
        try:
            answer = await call
        except Refused as error:
            self._gate.refuse(self, error)
            raise
        except BaseException:  # it may have counted
            self._gate.settle(self, None)
            raise
        self._gate.settle(self, answer if isinstance(answer, Receipt) else None)
        return answer

    def unused(self) -> None:
        """It was not made."""
        self._gate.give_back(self)


_NOT_ASKED = Wait(-inf, "")
_UNTIL_TOLD = Wait(inf, "")


class Writer:
    """One live reply before the gate."""

    def __init__(self, gate: Gate, place: Place, need: NeedOf, later: Sequence[Limit] = ()) -> None:
        self.place = place
        self.later = later  # what its final state will count against
        self.shown = False  # its first message was granted
        self.need = need
        self.granted: asyncio.Future[Permit | None] | None = None
        self.wait = _NOT_ASKED
        self._gate = gate

    def will_need(self, *calls: Call) -> None:
        """From now on its final state will take these calls."""
        self._gate.keep(self, calls)

    def changed(self) -> None:
        """What it needs has changed in kind, or from nothing to something."""
        self.wait = _NOT_ASKED
        self._gate.look_soon()

    @property
    def idle(self) -> bool:
        """When last asked it had nothing to do, so new text is worth a look."""
        return self.wait is _UNTIL_TOLD

    @property
    def waits(self) -> bool:
        """Whether it has asked for a permit and not got one yet."""
        return self.granted is not None and not self.granted.done()

    async def permit(self) -> Permit | None:
        """Returns when the call that `need` names is allowed and worth it; None when nothing will be needed any more.

        Render after it has returned and before anything else is awaited: text rendered before waiting is old text.
        """
        granted = self.granted = asyncio.get_running_loop().create_future()
        try:
            self.changed()
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and not granted.exception() and (permit := granted.result()):
                permit.unused()
            raise
        finally:
            self.granted = None


class Gate:
    """The permits of one platform. `limits_of` tells what a call counts against.

    Side calls (typing, answers to commands) never eat into the answers' share: AsyncLimiter(5, 1) is a bucket of five
    that refills with five a second, so at most ten of them are made in any second.
    """

    def __init__(self, limits_of: LimitsOf) -> None:
        self._limits_of = limits_of
        self._pacer = Pacer()
        self._writers: dict[Writer, None] = {}  # in order of arrival
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Handle | None = None
        self._side_calls = AsyncLimiter(5, 1)

    @contextmanager
    def writer(self, place: Place, need: NeedOf, later: Sequence[Call] = (Call.EDIT,)) -> Generator[Writer]:
        """A live reply: a permit of each kind that its final state may take is kept back while the block lasts."""
        writer = Writer(self, place, need, self._limits(later, place))
        self._pacer.enter(writer.later)
        try:
            with self._waiting(writer):
                yield writer
        finally:
            self._pacer.leave(self._now(), writer.later, shown=writer.shown)
            self._changed(writer.later)

    def keep(self, writer: Writer, calls: Sequence[Call]) -> None:
        """Other permits are kept back for this reply."""
        before, writer.later = writer.later, self._limits(calls, writer.place)
        self._pacer.leave(self._now(), before, shown=writer.shown)
        self._pacer.enter(writer.later, shown=writer.shown)
        self._changed([*before, *writer.later])

    def free(self, call: Call, place: Place) -> bool:
        """Whether such a call would be allowed now."""
        return self._pacer.available(self._now(), self._limits_of(call, place)) > 0

    def spares(self, calls: Sequence[Call], place: Place) -> bool:
        """Whether such calls can be made without those that other replies will need."""
        return self._pacer.spare(self._now(), self._limits(calls, place)) >= 1

    async def side_call(self, call: Call, place: Place) -> Permit:
        """A permit for a call that is not part of an answer."""
        await self._side_calls.acquire()
        with self._waiting(Writer(self, place, lambda: Need(call, Urgency.FIRST))) as writer:
            permit = await writer.permit()
            assert permit is not None
            return permit

    def settle(self, permit: Permit, receipt: Receipt | None) -> None:
        self._pacer.settle(self._now(), permit.limits, receipt.quota if receipt else None)
        self._changed(permit.limits)

    def refuse(self, permit: Permit, error: Refused) -> None:
        self._pacer.refuse(self._now(), permit.limits, error.retry_after, error.limit)
        self._changed(permit.limits)

    def give_back(self, permit: Permit) -> None:
        self._pacer.give_back(permit.limits)
        self._changed(permit.limits)

    def look_soon(self) -> None:
        """Once, however much happens in this turn of the loop."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_soon(self._look)

    def _changed(self, limits: Iterable[Limit]) -> None:
        """Whoever waits for one of these windows may have to wait less long."""
        keys = {limit.key for limit in limits}
        for writer in self._writers:
            if writer.wait.key in keys:
                writer.wait = _NOT_ASKED
        self.look_soon()

    def _look(self) -> None:
        """Grants what can be granted now, and sets the timer for the rest."""
        self._looking = None
        now = self._now()
        ready = self._ready(now, self._claims(now))
        while ready:
            chosen = self._pacer.grant(now, ready)
            ready.remove(chosen)
            writer = _writer(chosen)
            assert writer.granted is not None
            writer.shown = writer.shown or shows(chosen.need)
            writer.granted.set_result(Permit(chosen.need.call, chosen.limits, self))
            ready = self._ready(now, ready)
        if self._timer is not None:
            self._timer.cancel()
        again = min((writer.wait.until for writer in self._writers if writer.waits), default=inf)
        self._timer = asyncio.get_running_loop().call_at(again, self._look) if again < inf else None

    def _ready(self, now: float, claims: Iterable[Claim]) -> list[Claim]:
        """Those that have nothing to wait for; the others are told for what."""
        ready: list[Claim] = []
        for claim in claims:
            if wait := self._pacer.wait(now, claim):
                _writer(claim).wait = wait
            else:
                ready.append(claim)
        return ready

    @contextmanager
    def _waiting(self, writer: Writer) -> Generator[Writer]:
        self._writers[writer] = None
        try:
            yield writer
        finally:
            del self._writers[writer]

    def _claims(self, now: float) -> list[Claim]:
        """What those need who have nothing to wait for, as far as is known: only they are asked."""
        claims: list[Claim] = []
        for writer in self._writers:
            granted = writer.granted
            if granted is None or granted.done() or writer.wait.until > now:
                continue
            try:
                need = writer.need()
            except Exception as error:  # of one reply alone: the others are served
                granted.set_exception(error)
                continue
            match need:
                case Need():
                    claims.append(Claim(writer, need, self._limits_of(need.call, writer.place), writer.later))
                case Idle():
                    writer.wait = _UNTIL_TOLD
                case Done():
                    granted.set_result(None)
        return claims

    def _limits(self, calls: Sequence[Call], place: Place) -> Sequence[Limit]:
        return [limit for call in calls for limit in self._limits_of(call, place)]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _writer(claim: Claim) -> Writer:
    assert isinstance(claim.owner, Writer)
    return claim.owner
