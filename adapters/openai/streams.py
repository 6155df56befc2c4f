"""What the three kinds of streams have in common: refusing what is no stream, and leaving one that has ended."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from openai import AsyncStream

from adapters.openai.errors import FAULTS, Server, not_a_stream

log = logging.getLogger(__name__)


def check(stream: AsyncStream[Any], server: Server) -> None:
    """Raises BackendError if the server answered 200 with a document; the SDK would see a stream without events."""
    content_type = stream.response.headers.get("content-type", "").partition(";")[0].strip()
    if content_type in {"application/json", "text/html"}:
        raise not_a_stream(content_type, server)


async def drain(stream: AsyncStream[Any]) -> None:
    """Reads what is left after the terminal event, so that the connection can be used again. It is already the end:
    nothing that goes wrong now matters."""
    with suppress(TimeoutError, *FAULTS):
        async with asyncio.timeout(_DRAIN):
            async for _ in stream:
                pass


_DRAIN = 0.1  # seconds; as long as the SDK itself waits after [DONE]

_unknown: set[str] = set()


def log_unknown(kind: str) -> None:
    """An event that no version of the API known to us has: named once in a process, never with its content."""
    if kind not in _unknown:
        _unknown.add(kind)
        log.debug("openai.event.unknown", extra={"type": kind})
