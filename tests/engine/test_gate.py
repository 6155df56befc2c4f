"""Permits: late, shared, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.core.model import Place
from bot.core.pacing import Call, Done, Idle, Limit, Need, Receipt, Urgency
from bot.errors import Refused
from bot.gate import Gate, Permit

PLACE = Place("r1")
ALL = Limit("all", 5, 5.0)


def gate(limit: Limit = ALL) -> Gate:
    return Gate(lambda call, place: [limit])


def final(call: Call = Call.EDIT) -> Callable[[], Need]:
    return lambda: Need(call, Urgency.FINAL)


async def free(gate: Gate) -> int:
    """How many permits can be had now."""
    permits: list[Permit] = []
    with gate.writer(PLACE, final()) as writer:
        try:
            async with asyncio.timeout(0.001):
                while permit := await writer.permit():
                    permits.append(permit)
        except TimeoutError:
            pass
    for permit in permits:
        permit.unused()
    return len(permits)


async def answer() -> Receipt:
    return Receipt("m1")


async def refusal(seconds: float) -> Receipt:
    raise Refused(seconds)


@dataclass
class Changing:
    """A need that changes."""

    now: Need | Idle | Done

    def __call__(self) -> Need | Idle | Done:
        return self.now


async def test_no_more_permits_than_the_limit_allows_and_unused_ones_come_back():
    there = gate()
    assert await free(there) == 5
    assert await free(there) == 5


async def test_what_is_needed_is_asked_when_the_permit_is_there():
    there, need = gate(Limit("all", 1, 2.0)), Changing(Need(Call.POST, Urgency.FINAL))
    with there.writer(PLACE, need) as writer:
        first = await writer.permit()
        assert first is not None
        await first.spend(answer())
        waiting = asyncio.create_task(writer.permit())
        await asyncio.sleep(1)
        need.now = Need(Call.EDIT, Urgency.FINAL)  # nobody is told
        second = await waiting
        assert second is not None
        assert (first.call, second.call) == (Call.POST, Call.EDIT)


async def test_text_after_a_pause_is_noticed_when_the_gate_is_told():
    there, need = gate(), Changing(Idle())
    with there.writer(PLACE, need) as writer:
        waiting = asyncio.create_task(writer.permit())
        await asyncio.sleep(1)
        assert writer.idle
        assert not waiting.done()
        need.now = Need(Call.EDIT, Urgency.PROGRESS)
        writer.changed()
        assert await waiting is not None
        assert not writer.idle


async def test_what_needs_nothing_any_more_gets_no_permit():
    there = gate()
    with there.writer(PLACE, lambda: Done()) as writer:
        assert await writer.permit() is None
    assert await free(there) == 5


@pytest.mark.parametrize("granted", [False, True])
async def test_a_permit_is_not_lost_when_who_waits_for_it_is_cancelled(granted: bool):
    """Cancelled while it waits, and in the very moment in which it is granted."""
    there = gate(Limit("all", 1, 1.0))
    with there.writer(PLACE, final()) as one, there.writer(PLACE, final()) as other:
        taken = await one.permit()
        assert taken is not None
        waiting = asyncio.create_task(other.permit())
        await asyncio.sleep(0.1)
        if granted:
            taken.unused()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if not granted:
            taken.unused()
    assert await free(there) == 1


async def test_a_waiting_side_call_that_is_cancelled_keeps_nothing():
    there = gate(Limit("all", 1, 1.0))
    taken = await there.side_call(Call.TYPING, PLACE)
    waiting = asyncio.create_task(there.side_call(Call.TYPING, PLACE))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    taken.unused()
    assert await free(there) == 1


async def test_a_refusal_closes_the_limit_for_all_until_the_moment():
    there = gate()
    loop = asyncio.get_running_loop()
    start = loop.time()
    with there.writer(PLACE, final()) as one, there.writer(PLACE, final()) as other:
        permit = await one.permit()
        assert permit is not None
        with pytest.raises(Refused):
            await permit.spend(refusal(3.0))
        permits = await asyncio.gather(one.permit(), other.permit())
        assert loop.time() - start == pytest.approx(3.0)
        for granted in permits:
            assert granted is not None
            granted.unused()


async def test_a_live_reply_keeps_a_permit_for_its_final_state():
    """Others that only show progress leave it to it."""
    there = gate()
    need = Changing(Idle())
    with there.writer(PLACE, need) as mine, there.writer(PLACE, lambda: Need(Call.EDIT, Urgency.PROGRESS)) as other:
        waiting = asyncio.create_task(mine.permit())
        taken = 0
        try:
            async with asyncio.timeout(4):
                while permit := await other.permit():
                    await permit.spend(answer())
                    taken += 1
        except TimeoutError:
            pass
        assert taken >= 2
        need.now = Need(Call.EDIT, Urgency.FINAL)
        mine.changed()
        async with asyncio.timeout(0.001):
            assert await waiting is not None


async def test_side_calls_are_limited_among_themselves():
    """Typing in a hundred channels, or answers to commands, must not use up what answers need."""
    there = Gate(lambda call, place: [Limit("everything", 50, 1.0)])
    loop = asyncio.get_running_loop()
    granted: list[float] = []

    async def call() -> None:
        permit = await there.side_call(Call.TYPING, PLACE)
        granted.append(loop.time())
        await permit.spend(answer())

    await asyncio.gather(*[call() for _ in range(30)])
    assert all(sum(at <= other < at + 1.0 for other in granted) <= 10 for at in granted)
    assert granted[-1] - granted[0] < 7


async def test_one_reply_that_breaks_does_not_stop_the_others():
    """Its fault comes out where it waits, not in the timer that serves all."""
    there, broken = gate(), False
    later = asyncio.get_running_loop().time() + 2.0

    def breaks() -> Need | Idle:
        if broken:
            raise ValueError("cannot be rendered")
        return Idle()

    with (
        there.writer(PLACE, breaks) as bad,
        there.writer(PLACE, lambda: Need(Call.EDIT, Urgency.FINAL, not_before=later)) as good,
    ):
        waiting = asyncio.gather(bad.permit(), good.permit(), return_exceptions=True)
        await asyncio.sleep(1)
        broken = True
        bad.changed()
        async with asyncio.timeout(5):
            results = await waiting
    assert isinstance(results[0], ValueError)
    assert isinstance(results[1], Permit)


async def test_a_reply_is_asked_again_only_when_something_it_waits_for_has_happened():
    """A hundred live replies are not asked at each call of any of them: that would fill a core."""
    there = Gate(lambda call, place: [Limit(place.room, 5, 5.0), Limit("everything", 50, 1.0)])
    asked = 0

    def waits() -> Need:
        nonlocal asked
        asked += 1
        return Need(Call.EDIT, Urgency.PROGRESS, not_before=asyncio.get_running_loop().time() + 60)

    with there.writer(PLACE, waits) as one, there.writer(Place("elsewhere"), final()) as other:
        waiting = asyncio.create_task(one.permit())
        await asyncio.sleep(0.1)
        before = asked
        for _ in range(5):
            permit = await other.permit()
            assert permit is not None
            await permit.spend(answer())
        assert asked == before == 1
        one.changed()
        await asyncio.sleep(0.1)
        assert asked == 2
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
