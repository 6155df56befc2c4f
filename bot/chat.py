"""`rivulet chat`: the engine with the terminal as its only platform."""

from __future__ import annotations

import asyncio

from adapters.terminal import CHANNEL, TerminalPlatform
from bot.app import Engine, open_engine
from bot.config import Secrets, Settings
from bot.core.endings import sentence
from bot.core.model import End, Ending
from bot.errors import BackendError, RivuletError
from bot.ports import Store
from bot.signals import Signals

_FAREWELL = 10.0  # seconds that deleting what was made on the server may take


async def chat(settings: Settings, secrets: Secrets, signals: Signals, *, keep: bool) -> None:
    """A conversation in this terminal. What it made on the server is deleted at the end, unless it is kept: then the
    next kept one goes on with it. Raises RivuletError."""
    terminal = TerminalPlatform()
    # Without --keep nothing is shared with the bot's own database, so nobody else's assistant is deleted at the end.
    database = settings.database.url if keep else "sqlite://"
    async with open_engine(settings, secrets, [terminal], database) as engine:
        await _drop_open_turns(engine.store)
        await terminal.connect(engine.dispatcher)
        talking = asyncio.create_task(terminal.run())
        while not await signals.before(asyncio.shield(talking)):
            if signals.ctrl_c:
                terminal.interrupt()
            else:
                terminal.quit()
        await engine.dispatcher.drain(0)
        if not keep and not await signals.before(_leave_nothing(engine)):
            raise RivuletError("interrupted before the conversation was deleted on the server")


async def _drop_open_turns(store: Store) -> None:
    """A crash may have left a question open; nobody waits for its answer any more. Raises StoreError."""
    for turn in await store.open_turns():
        if turn.prompt.channel == CHANNEL:
            await store.finish(turn, "", Ending(End.STOPPED))


async def _leave_nothing(engine: Engine) -> None:
    """Deletes what was made on the server. Raises RivuletError that names what is still there."""
    made = "the conversation"
    try:
        async with asyncio.timeout(_FAREWELL):
            await engine.store.close_conversations(CHANNEL)
            for conversation in await engine.store.forgotten(engine.backend.name):
                made = f"the conversation {conversation.remote}"
                await engine.backend.forget(conversation.remote)
            made = "the assistant"
            await engine.backend.leave_nothing()
    except BackendError as error:
        raise RivuletError(f"{made} could not be deleted on the server: {sentence(error.ending)}") from error
    except TimeoutError:
        raise RivuletError(f"{made} could not be deleted on the server: it does not answer.") from None
