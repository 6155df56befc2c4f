"""Ending what goes on at the server when nobody listens: a background response, a run."""

from __future__ import annotations

import asyncio
import logging

from openai import AsyncOpenAI, BadRequestError, NotFoundError

from adapters.openai.client import path
from adapters.openai.errors import FAULTS, Server, translate
from bot.core.model import End, Ending
from bot.errors import BackendError

log = logging.getLogger(__name__)

_TIME = 5.0  # seconds for a cancel to be taken


async def cancel(client: AsyncOpenAI, server: Server, *where: str) -> None:
    """Asks once. What is over, or not there, is no error. Raises BackendError."""
    try:
        async with asyncio.timeout(_TIME):
            await client.post(path(*where, "cancel"), cast_to=object)
    except (BadRequestError, NotFoundError):
        log.debug("openai.cancel.over", extra={"id": where[-1]})
    except FAULTS as error:
        raise translate(error, server, kept=False) from error
    except TimeoutError as error:
        raise BackendError(Ending(End.TIMED_OUT, f"{server.address} went silent.")) from error
