"""A question that is taken back at any moment leaves nothing on the server that nobody knows of."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.model import Began
from tests.adapters.openai.talk import Talk, talking

_STEPS = 120  # of the event loop; by then every question has got its first words


@pytest.mark.parametrize("kind", ["responses", "assistants"])
async def test_no_conversation_is_left_that_nobody_was_told_of(kind: str) -> None:
    async with talking(kind) as talk:
        told: set[str] = set()
        for steps in range(_STEPS):
            asking = asyncio.create_task(listen(talk, told))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
        await talk.backend.close()
        removed = [request for request in talk.server.requests if request.method == "DELETE"]
        assert all(request.status == 200 for request in removed)
        assert talk.made - len(removed) == len(told)


async def listen(talk: Talk, told: set[str]) -> None:
    async with talk.backend.stream(talk.request("Hello")) as events:
        async for event in events:
            if isinstance(event, Began):
                told.add(event.remote)
