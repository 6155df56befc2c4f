"""Leaves nothing behind that goes on although nobody wants it."""

from __future__ import annotations

import asyncio
import logging

from bot.core.model import Turn
from bot.errors import BackendError, Gone, PlatformError, StoreError
from bot.ports import Backend, Store, Streaming

log = logging.getLogger(__name__)

_LEAVING = 5.0  # seconds for each thing that would go on, or look as if it did


async def end_at_server(turn: Turn, response: str, backend: Backend, remote: str) -> None:
    """Ends an answer that nobody will take up, in its conversation. What the server does not do in time is logged."""
    try:
        async with asyncio.timeout(_LEAVING):
            await backend.cancel(remote, response)
    except (BackendError, TimeoutError) as error:
        log.warning("model.left_running", extra={"turn": turn.id, "detail": str(error)})


async def end_left_over(turn: Turn, store: Store, backend: Backend) -> None:
    """The same for what an attempt has left to a later one, which will not come."""
    if not turn.progress.response:
        return
    try:
        conversation = await store.conversation_of(turn)
    except StoreError as error:
        log.warning("model.left_running", extra={"turn": turn.id, "detail": str(error)})
        return
    if conversation is not None and conversation.backend == backend.name:
        await end_at_server(turn, turn.progress.response, backend, conversation.remote)


async def end_stream(turn: Turn, streaming: Streaming | None, message: str) -> None:
    """Ends a message that still looks as if it grew, if there is one."""
    if streaming is None or not message:
        return
    try:
        async with asyncio.timeout(_LEAVING):
            await streaming.stop(message, "", more=False)
    except Gone as error:  # so it looks like nothing any more, or nobody can help it
        log.info("stream.gone", extra={"turn": turn.id, "detail": str(error)})
    except (PlatformError, TimeoutError) as error:
        log.warning("stream.left_open", extra={"turn": turn.id, "detail": str(error)})
