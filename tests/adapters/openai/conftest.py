"""Recorded servers, and clients that start quickly."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from openai import AsyncOpenAI

from adapters.openai.client import open_client
from tests.adapters.openai.tape import Tape, playing


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every client loads the system's certificates when it is made, 40 ms each; on loopback there is no TLS."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
async def tape() -> AsyncGenerator[Tape]:
    async with playing() as tape:
        yield tape


@pytest.fixture
async def client(tape: Tape) -> AsyncGenerator[AsyncOpenAI]:
    async with open_client(api_key="key", base_url=tape.url) as client:
        yield client
