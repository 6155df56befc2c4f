"""Whether key, address and model are right, without generating anything."""

from __future__ import annotations

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.errors import FAULTS, Server, model_is_unknown, translate


async def probe(client: AsyncOpenAI, server: Server) -> None:
    """Asks for the model. A server that answers, but has no list of models, passes. Raises BackendError."""
    try:
        try:
            await client.models.retrieve(server.model)
        except NotFoundError as error:
            if model_is_unknown(error):
                raise
            await _list(client)
    except FAULTS as error:
        raise translate(error, server, kept=False) from error


async def _list(client: AsyncOpenAI) -> None:
    try:
        await client.models.list()
    except APIStatusError as error:
        if error.status_code not in {404, 405, 501}:
            raise
