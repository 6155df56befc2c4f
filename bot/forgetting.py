"""Deletes closed conversations on the model's server, in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.errands import Errands
from bot.errors import BackendError, StoreError
from bot.ports import Backend, Store

log = logging.getLogger(__name__)


class Forgetting:
    """What fails, and what a turn has still to end in, is tried again after the next turn. `at_work`: whether there is
    any."""

    def __init__(self, store: Store, backend: Backend, errands: Errands, at_work: Callable[[], bool]) -> None:
        self._store = store
        self._backend = backend
        self._errands = errands
        self._at_work = at_work
        self._one_at_a_time = asyncio.Lock()  # so each conversation is deleted once
        self._left = False  # there may be some

    def begin(self) -> None:
        """Some may have been closed."""
        self._left = True
        self._errands.begin(self._forget())

    def go_on(self) -> None:
        """A turn has ended."""
        if self._left:
            self.begin()

    async def _forget(self) -> None:
        async with self._one_at_a_time:
            try:
                conversations = await self._store.forgotten(self._backend.name)
                self._left = self._at_work()  # what it is in may be closed and not forgotten yet
                for conversation in conversations:
                    try:
                        await self._backend.forget(conversation.remote)
                    except BackendError as error:
                        self._left = True
                        log.warning("conversation.not_deleted", extra={"detail": str(error)})
                    else:
                        await self._store.set_remote(conversation, "")
            except StoreError as error:
                self._left = True
                log.warning("conversation.not_deleted", extra={"detail": str(error)})
