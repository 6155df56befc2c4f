"""The one place that chooses implementations: settings in, a running bot out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.database.open import open_store
from adapters.database.store import DatabaseStore
from adapters.discord.platform import DiscordPlatform
from adapters.openai import open_backend
from adapters.slack.platform import SlackPlatform
from adapters.terminal import CHANNEL, TerminalPlatform
from bot.config import Secrets, Settings
from bot.dispatcher import Dispatcher
from bot.ports import Backend, Notebook, Platform
from bot.recovery import recover
from bot.relay import Timeouts
from bot.signals import Signals

Say = Callable[[str], None]


async def run(settings: Settings, secrets: Secrets, say: Say, signals: Signals) -> None:
    """The bot, until SIGTERM or Ctrl-C; a second one cuts the grace short. Raises RivuletError."""
    platforms = make_platforms(settings, secrets)
    async with open_engine(settings, secrets, platforms, settings.database.url) as engine:
        if not await signals.before(_connect(platforms, engine, say)):
            return
        await recover(engine.store, engine.dispatcher)
        say("ready")
        await signals.before(_serve(platforms))
        say("stopping: running answers are finished first")
        if not await signals.before(asyncio.shield(engine.dispatcher.drain(settings.bot.shutdown_grace))):
            await engine.dispatcher.drain(0)


async def chat(settings: Settings, secrets: Secrets, signals: Signals, *, keep: bool) -> None:
    """A conversation in this terminal. What it made on the server is deleted at the end, unless it is kept: then the
    next kept one goes on with it. Raises RivuletError."""
    terminal = TerminalPlatform()
    # Without --keep nothing is shared with the bot's own database, so nobody else's assistant is deleted at the end.
    url = settings.database.url if keep else "sqlite+aiosqlite://"
    async with open_engine(settings, secrets, [terminal], url) as engine:
        await terminal.connect(engine.dispatcher)
        serving = asyncio.ensure_future(terminal.run())
        while not await signals.before(asyncio.shield(serving)):
            if signals.twice:
                terminal.quit()
            await terminal.interrupt()
        await engine.dispatcher.drain(0)
        if not keep:
            await engine.store.close_conversations(CHANNEL)
            await engine.dispatcher.forget()
            await engine.backend.leave_nothing()


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
    """Opens database and backend, and closes them after the platforms. Raises StoreError."""
    async with AsyncExitStack() as closing:
        store = await open_store(database_url)
        closing.push_async_callback(store.close)
        backend = make_backend(settings, secrets, store)
        closing.push_async_callback(backend.close)
        timeouts = Timeouts(
            settings.openai.first_token_timeout, settings.openai.idle_timeout, settings.openai.total_timeout
        )
        for platform in platforms:
            closing.push_async_callback(platform.close)
        yield Engine(store, backend, Dispatcher(store, backend, platforms, timeouts))


def make_platforms(settings: Settings, secrets: Secrets) -> list[DiscordPlatform | SlackPlatform]:
    """The platforms whose tokens are set."""
    platforms: list[DiscordPlatform | SlackPlatform] = []
    if secrets.discord:
        platforms.append(
            DiscordPlatform(
                secrets.discord_token.get_secret_value(),
                api_url=settings.discord.api_url,
                always_on=settings.discord.always_on,
            )
        )
    if secrets.slack:
        platforms.append(
            SlackPlatform(
                secrets.slack_bot_token.get_secret_value(),
                secrets.slack_app_token.get_secret_value(),
                api_url=settings.slack.api_url,
                conversation_scope=settings.slack.conversation_scope,
                always_on=settings.slack.always_on,
            )
        )
    return platforms


def make_backend(settings: Settings, secrets: Secrets, notebook: Notebook) -> Backend:
    """The configured API. Connects to nothing yet."""
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
    )


async def _connect(platforms: Sequence[Platform], engine: Engine, say: Say) -> None:
    async def connect(platform: Platform) -> None:
        say(f"{platform.name}: {await platform.connect(engine.dispatcher)}")

    await _together([connect(platform) for platform in platforms])


async def _serve(platforms: Sequence[Platform]) -> None:
    await _together([platform.run() for platform in platforms])


async def _together(works: Sequence[Coroutine[None, None, None]]) -> None:
    """Runs them at once; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
