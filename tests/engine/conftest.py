"""The engine runs on a clock that jumps: no test here waits for anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tests.jumping_loop import JumpingLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": JumpingLoop}
