"""A playground whose model answers at once unless a script says otherwise, and a folder that is configured for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from playground.server import Playground
from tests.cli.program import Folder


@pytest.fixture
async def playground() -> AsyncGenerator[Playground]:
    playground = Playground(latency=0.01)
    playground.openai.tokens_per_second = 0
    playground.openai.first_token = 0.0
    await playground.start()
    yield playground
    await playground.close()


@pytest.fixture
def folder(tmp_path: Path, playground: Playground) -> Folder:
    found = Folder(tmp_path)
    found.configure(playground)
    return found
