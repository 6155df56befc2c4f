"""`rivulet check`: tries everything that the bot needs, in order, and says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from adapters.database.open import open_store
from bot.app import Say, make_backend, make_platforms
from bot.config import Secrets, Settings, missing_key, require_platforms
from bot.core.endings import sentence
from bot.core.model import End
from bot.errors import BackendError, ConfigError, RivuletError

_PATIENCE = 30.0  # seconds for each thing that is asked

_MENDING = {
    End.WRONG_KEY: "Put a valid one into OPENAI_API_KEY; OpenAI's are made at https://platform.openai.com/api-keys.",
    End.NOT_ALLOWED: "Give the key the permission, or put another one into OPENAI_API_KEY.",
    End.UNKNOWN_MODEL: "Set [openai] model to one that this server has and this key may use.",
    End.UNREACHABLE: "Correct [openai] base_url, or look at the network.",
    End.TIMED_OUT: "Correct [openai] base_url, or look at the network.",
    End.NO_CREDIT: "Add credit at https://platform.openai.com/settings/organization/billing.",
}


async def check(settings: Settings, secrets: Secrets, say: Say) -> int:
    """Says a line for each thing that is well and for each that is not. Returns the exit code: 0 all is well, 2 a token
    or key is missing, 1 something else is wrong."""
    missing = _missing(settings, secrets)
    for line in missing:
        say(line)
    wrong = 0

    async def look(name: str, work: Awaitable[Sequence[str]]) -> None:
        nonlocal wrong
        problems = await _in_time(work)
        wrong += len(problems)
        for line in problems or ["ok"]:
            say(f"{name}: {line}")

    await look("database", _database(settings))
    if missing_key(settings, secrets):
        say(f"model {settings.openai.model}: not asked without a key")
    else:
        await look(f"model {settings.openai.model}", _model(settings, secrets))
    for platform in make_platforms(settings, secrets):
        if platform.name == "slack" and not (secrets.slack_bot_token and secrets.slack_app_token):
            say("slack: not asked without both tokens")
        else:
            await look(platform.name, platform.probe())
    return 2 if missing else 1 if wrong else 0


def _missing(settings: Settings, secrets: Secrets) -> Sequence[str]:
    try:
        require_platforms(settings, secrets)
    except ConfigError as error:
        return str(error).splitlines()
    return []


async def _in_time(work: Awaitable[Sequence[str]]) -> Sequence[str]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await work
    except TimeoutError:
        return [f"no answer within {_PATIENCE:.0f} seconds; look at the address and the network"]
    except RivuletError as error:
        return [str(error)]


async def _database(settings: Settings) -> Sequence[str]:
    store = await open_store(settings.database.url)
    await store.close()
    return []


async def _model(settings: Settings, secrets: Secrets) -> Sequence[str]:
    notebook = await open_store("sqlite://")  # the model is asked also where the bot's own does not open
    try:
        backend = make_backend(settings, secrets, notebook)
        try:
            await backend.probe()
        finally:
            await backend.close()
    except BackendError as error:
        ending = error.ending
        return [f"{ending.detail or sentence(ending)} {_MENDING.get(ending.end, '')}".rstrip()]
    finally:
        await notebook.close()
    return []
