"""The assistant that runs: one configured by its id, or one made once, kept in the notebook and kept up to date."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from contextlib import suppress

from openai import APIStatusError, AsyncOpenAI, NotFoundError

from adapters.openai.client import given, path
from adapters.openai.errors import Server, another_api, model_is_unknown
from adapters.openai.fields import text
from bot.core.model import End, Ending
from bot.errors import BackendError
from bot.ports import Notebook

log = logging.getLogger(__name__)


class Assistant:
    """Errors of the SDK and StoreError pass through."""

    def __init__(
        self, client: AsyncOpenAI, notebook: Notebook, server: Server, *, instructions: str, configured: str
    ) -> None:
        self._client = client
        self._notebook = notebook
        self._server = server
        self._instructions = instructions
        self.configured = configured  # its id from the settings; such an assistant keeps its own settings
        self._made = ""  # known to be there, with these settings
        self._making = asyncio.Lock()  # two first questions must not make two assistants

    async def ready(self) -> str:
        """The id of an assistant with these settings."""
        if self.configured:
            return self.configured
        async with self._making:
            if not self._made:
                self._made = await self._update() or await self._create()
                await self._notebook.write(_NOTE, json.dumps({"id": self._made, "settings": self._fingerprint()}))
            return self._made

    async def gone(self, assistant: str) -> None:
        """The server does not have this one any more; `ready` makes another."""
        async with self._making:
            if self._made == assistant:
                self._made = ""
                await self._notebook.write(_NOTE, None)

    async def look(self) -> None:
        """Raises what the SDK raises if there is no such API, and BackendError if the configured one is not there."""
        await self._client.get(path("assistants"), cast_to=object, options={"params": {"limit": 1}})
        if self.configured:
            try:
                await self._client.get(path("assistants", self.configured), cast_to=object)
            except NotFoundError as error:
                raise self.missing() from error

    def missing(self) -> BackendError:
        """The configured assistant is not there."""
        return BackendError(Ending(End.BAD_REQUEST, f"{self._server.address} has no assistant “{self.configured}”."))

    async def delete(self) -> None:
        """Deletes the one that was made, by this process or an earlier one."""
        made, _ = await self._noted()
        if not made:
            return
        with suppress(NotFoundError):
            await self._client.delete(path("assistants", made), cast_to=object)
        self._made = ""
        await self._notebook.write(_NOTE, None)

    async def _update(self) -> str:
        """The id of the noted assistant, brought up to date; empty where there is none."""
        made, settings = await self._noted()
        if not made or settings == self._fingerprint():
            return made
        log.info("openai.assistant.updated", extra={"assistant": made})
        try:
            await self._client.post(path("assistants", made), body=self._settings(), cast_to=object)
        except APIStatusError as error:
            if error.status_code != 404 or model_is_unknown(error):
                raise
            return ""
        return made

    async def _create(self) -> str:
        body = self._settings() | {"name": "Rivulet"}
        made = text(await self._client.post(path("assistants"), body=body, cast_to=object), "id")
        if not made:
            raise another_api(self._server)
        log.info("openai.assistant.created", extra={"assistant": made})
        return made

    def _settings(self) -> dict[str, str]:
        return given(model=self._server.model, instructions=self._instructions)

    async def _noted(self) -> tuple[str, str]:
        try:
            note = json.loads(await self._notebook.read(_NOTE) or "{}")
            return str(note["id"]), str(note["settings"])
        except (ValueError, LookupError, TypeError):
            return "", ""

    def _fingerprint(self) -> str:
        """Differs when the settings do; the address counts, since another server has other assistants."""
        settings = [self._server.address, self._server.model, self._instructions]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()


_NOTE = "openai.assistant"
