"""A call to a platform that is worth another try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.errors import Refused, Unreachable

T = TypeVar("T")


async def patiently(
    call: Callable[[], Awaitable[T]], pauses: Iterable[float], delayed: Callable[[Refused | Unreachable], None]
) -> T:
    """Makes it, and again after each of the pauses (seconds) while it is refused or not answered.

    A pause is as long as the platform wants it. `delayed` is told why there is one. Raises PlatformError: what the last
    try has raised, or what makes no other one worth while.
    """
    for pause in pauses:
        try:
            return await call()
        except (Refused, Unreachable) as error:
            delayed(error)
            await asyncio.sleep(max(pause, error.retry_after) if isinstance(error, Refused) else pause)
    return await call()
