"""`rivulet check`: tries everything that the bot needs, in order, and says what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.database.open import open_store
from bot.app import Say, make_backend, make_platforms
from bot.config import Secrets, Settings
from bot.core.endings import sentence
from bot.errors import BackendError, StoreError


async def check(settings: Settings, secrets: Secrets, say: Say) -> bool:
    """Says a line for each thing that is well and for each that is not; whether all is well."""
    problems = 0

    def tell(name: str, found: Sequence[str]) -> None:
        nonlocal problems
        problems += len(found)
        for line in found or ["ok"]:
            say(f"{name}: {line}")

    try:
        store = await open_store(settings.database.url)
    except StoreError as error:
        tell("database", [str(error)])
        return False
    tell("database", [])
    backend = make_backend(settings, secrets, store)
    try:
        await backend.probe()
        tell(f"model {settings.openai.model}", [])
    except BackendError as error:
        tell(f"model {settings.openai.model}", [sentence(error.ending)])
    finally:
        await backend.close()
        await store.close()
    for platform in make_platforms(settings, secrets):
        tell(platform.name, await platform.probe())
    return problems == 0
