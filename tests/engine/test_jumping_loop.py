"""The clock that every other test here relies on."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.jumping_loop import JumpingLoop, run


async def test_hours_take_no_time():
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    before, really_before = loop.time(), time.monotonic()
    await asyncio.sleep(10_000)
    assert loop.time() - before == pytest.approx(10_000)
    assert time.monotonic() - really_before < 1000


async def test_timers_fire_in_the_order_of_their_times_and_at_their_times():
    loop = asyncio.get_running_loop()
    start, fired = loop.time(), list[tuple[str, float]]()

    async def ring(name: str, after: float) -> None:
        await asyncio.sleep(after)
        fired.append((name, round(loop.time() - start, 6)))

    await asyncio.gather(ring("late", 3.0), ring("early", 0.1), ring("middle", 0.7))
    assert fired == [("early", 0.1), ("middle", 0.7), ("late", 3.0)]


async def test_time_all_but_stands_still_while_something_is_ready():
    loop = asyncio.get_running_loop()
    timer = loop.call_later(1.0, lambda: None)
    before = loop.time()
    for _ in range(100):
        await asyncio.sleep(0)
    assert before < loop.time() < before + 1e-6
    timer.cancel()


async def test_a_timeout_ends_what_would_wait_for_ever():
    before = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() - before == pytest.approx(5)


def test_waiting_for_what_can_never_happen_is_an_error():
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="wait for ever"):
        run(wait)


def test_going_on_for_ever_is_an_error():
    async def go_on() -> None:
        while True:  # noqa: ASYNC110  # it is to go on for ever
            await asyncio.sleep(8)

    with pytest.raises(RuntimeError, match="for ever"):
        run(go_on)


def test_each_run_has_a_clock_of_its_own():
    async def sleep() -> float:
        await asyncio.sleep(7)
        return asyncio.get_running_loop().time()

    assert run(sleep) == run(sleep)
    assert run(sleep) == pytest.approx(1007)
