"""The one place that chooses implementations: settings in, a running bot out."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from adapters.openai import open_backend
from bot.asking import Timeouts
from bot.config import Secrets, Settings
from bot.core.attaching import Attaching
from bot.core.changes import Changes
from bot.core.line import Capacity
from bot.dispatcher import Dispatcher
from bot.errors import Refused, Unreachable
from bot.ports import Backend, Inbox, Notebook, Platform
from bot.recovery import reopen, resume
from bot.rules import Rules
from bot.signals import Signals

if TYPE_CHECKING:
    from adapters.discord.platform import DiscordPlatform
    from adapters.slack.platform import SlackPlatform

log = logging.getLogger(__name__)

Say = Callable[[str], None]

_PATIENCE = 5.0  # seconds after which a platform that is not connected yet is worth a line
_LOOK_AGAIN = 0.5  # seconds between two looks at whether another process has ended ...
_WORTH_A_LINE = 3  # ... after so many of which it is not just ending
_LONGEST_PAUSE = 30.0  # seconds between two tries to reach a platform


async def run(settings: Settings, secrets: Secrets, say: Say, signals: Signals) -> None:
    """The bot, until SIGTERM or Ctrl-C; a second one cuts the grace short. Raises RivuletError."""
    platforms = make_platforms(settings, secrets)
    async with open_engine(settings, secrets, platforms, settings.database.url) as engine:
        _keep_for_good()
        try:
            alone = await signals.before(_alone(engine.store, say))
            if alone and await signals.before(_start(platforms, engine, say)):
                await signals.before(_together([platform.run() for platform in platforms]))
                say("stopping: running answers are finished first")
        finally:
            await _drain(engine.dispatcher, settings.bot.shutdown_grace, signals)


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs between the platforms and the model."""

    store: DatabaseStore
    backend: Backend
    dispatcher: Dispatcher


@asynccontextmanager
async def open_engine(
    settings: Settings, secrets: Secrets, platforms: Sequence[Platform], database_url: str
) -> AsyncGenerator[Engine]:
    """Opens database and backend, and closes them after the platforms. Raises ConfigError and StoreError."""
    async with AsyncExitStack() as closing:
        store = await open_store(database_url)
        closing.push_async_callback(store.close)
        backend = make_backend(settings, secrets, store)
        closing.push_async_callback(backend.close)
        for platform in platforms:
            closing.push_async_callback(platform.close)
        yield Engine(store, backend, Dispatcher(store, backend, platforms, _rules(settings)))


def _rules(settings: Settings) -> Rules:
    openai, bot = settings.openai, settings.bot
    return Rules(
        Timeouts(openai.first_token_timeout, openai.idle_timeout, openai.total_timeout),
        Attaching(bot.max_pages, bot.code_files),
        Changes(bot.delete_answers, bot.rerun_edited),
        Capacity(bot.max_waiting, bot.max_waiting_in_all, bot.max_running),
        ask_again=bot.interrupted == "again",
        catch_up_max_age=bot.catch_up_max_age,
    )


def make_platforms(settings: Settings, secrets: Secrets) -> list[DiscordPlatform | SlackPlatform]:
    """The platforms whose tokens are set. Only their SDKs are imported: each takes half a second."""
    platforms: list[DiscordPlatform | SlackPlatform] = []
    if secrets.discord:
        from adapters.discord.platform import DiscordPlatform

        platforms.append(
            DiscordPlatform(
                secrets.discord_token.get_secret_value(),
                api_url=settings.discord.api_url,
                always_on=settings.discord.always_on,
            )
        )
    if secrets.slack:
        from adapters.slack.platform import SlackPlatform

        platforms.append(
            SlackPlatform(
                secrets.slack_bot_token.get_secret_value(),
                secrets.slack_app_token.get_secret_value(),
                api_url=settings.slack.api_url,
                conversation_scope=settings.slack.conversation_scope,
                streaming=settings.slack.streaming,
                always_on=settings.slack.always_on,
            )
        )
    return platforms


def make_backend(settings: Settings, secrets: Secrets, notebook: Notebook) -> Backend:
    """The configured API. Connects to nothing yet. Raises ConfigError."""
    return open_backend(
        settings.openai.api,
        api_key=secrets.openai_api_key.get_secret_value(),
        base_url=settings.openai.base_url,
        model=settings.openai.model,
        instructions=settings.openai.instructions,
        notebook=notebook,
        assistant_id=settings.openai.assistant_id,
        max_output_tokens=settings.openai.max_output_tokens or None,
        reasoning_effort=settings.openai.reasoning_effort,
        history_tokens=settings.openai.history_tokens,
        background=settings.openai.background,
    )


def _keep_for_good() -> None:
    """Exempts what has been loaded by now from collections of garbage: looking through the half a million objects of
    the libraries would hold up every answer for a quarter of a second, again and again."""
    gc.collect()
    gc.freeze()
    gc.collect()  # else the next one would wait for a quarter as many objects more as were exempted


async def _alone(store: DatabaseStore, say: Say) -> None:
    """Returns when no other process answers what is in the database. Raises StoreError."""
    tries = 0
    while not await store.hold():
        tries += 1
        if tries == _WORTH_A_LINE:
            say("another Rivulet is working with this database: this one begins when that has ended")
        await asyncio.sleep(_LOOK_AGAIN)


async def _start(platforms: Sequence[Platform], engine: Engine, say: Say) -> None:
    """Returns when all platforms are connected. What was left open goes on where its platform is; then comes what was
    asked meanwhile."""
    turns = await reopen(engine.store)
    await engine.dispatcher.expect()

    async def start(platform: Platform) -> None:
        await _connect(platform, engine.dispatcher, say)
        await resume(engine.dispatcher, [turn for turn in turns if turn.prompt.channel.platform == platform.name])
        engine.dispatcher.catch_up(platform.name)

    await _together([start(platform) for platform in platforms])
    engine.dispatcher.forget()
    say("ready")


async def _connect(platform: Platform, inbox: Inbox, say: Say) -> None:
    """Goes on trying while the platform is out of reach, as it does when the connection drops later."""
    told = asyncio.get_running_loop().call_later(
        _PATIENCE, say, f"{platform.name}: no connection yet, still trying; `rivulet check` tells what is wrong"
    )
    pause = 1.0
    try:
        while True:
            try:
                say(f"{platform.name}: {await platform.connect(inbox)}")
                return
            except (Unreachable, Refused) as error:
                log.warning("platform.not_connected", extra={"platform": platform.name, "detail": str(error)})
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    finally:
        told.cancel()


async def _drain(dispatcher: Dispatcher, grace: float, signals: Signals) -> None:
    draining = asyncio.create_task(dispatcher.drain(grace))
    if not await signals.before(asyncio.shield(draining)):
        await dispatcher.drain(0)
    await draining


async def _together(works: Sequence[Coroutine[None, None, None]]) -> None:
    """Runs them at once; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
