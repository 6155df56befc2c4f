"""The stand-in on a free port of loopback, and the real SDK connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

from playground.openai.server import OpenAIStandIn


@pytest.fixture
async def stand_in() -> OpenAIStandIn:
    return OpenAIStandIn(tokens_per_second=0, first_token=0)


@pytest.fixture
async def base_url(stand_in: OpenAIStandIn) -> AsyncIterator[str]:
    app = web.Application()
    stand_in.mount(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}/openai/v1"
    await stand_in.close()
    await runner.cleanup()


@pytest.fixture
async def client(stand_in: OpenAIStandIn, base_url: str) -> AsyncIterator[AsyncOpenAI]:
    # Without TLS there is nothing to verify, and reading the certificates would take most of a test's time.
    http_client = DefaultAsyncHttpx2Client(verify=False, trust_env=False)
    async with AsyncOpenAI(
        base_url=base_url, api_key=stand_in.api_key, max_retries=0, http_client=http_client
    ) as client:
        yield client
