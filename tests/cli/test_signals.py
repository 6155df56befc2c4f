"""Signals as the programs wait for them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Generator

import pytest

from bot.signals import Signals


@pytest.fixture(autouse=True)
def hang_ups() -> Generator[None]:
    """They end a program, also where the tests themselves run under nohup, which has them ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


async def test_work_that_ends_first_is_told_from_a_signal():
    signals = Signals()
    assert await signals.before(asyncio.sleep(0))
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
    assert not await signals.before(asyncio.sleep(60))
    assert signals.ctrl_c
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGHUP)
    assert not await signals.before(asyncio.sleep(60))
    assert not signals.ctrl_c


async def test_each_signal_ends_one_wait():
    signals = Signals()
    signals.arrive()
    assert not await signals.before(asyncio.sleep(60))
    assert await signals.before(asyncio.sleep(0))


async def test_work_that_a_signal_cancels_may_fail_in_its_own_way():
    """What goes wrong while it is being cancelled is nobody's concern, and no task is left with it."""

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError

    signals = Signals()
    asyncio.get_running_loop().call_later(0.01, signals.arrive)
    assert not await signals.before(stubborn())


def test_nohup_is_respected_and_hammering_ends_the_process_on_the_spot():
    code = """
import asyncio, signal
from bot.signals import Signals

async def main():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = Signals()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in range(5):
        print(number, flush=True)
        signals.arrive(signal.SIGINT)

asyncio.run(main())
print("it goes on")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "0\n1\n2\n3\n4\n", "")
