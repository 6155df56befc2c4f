"""One call of the store is one transaction: it happens as a whole or not at all, whatever becomes of the caller.

A cancelled caller waits until its transaction has ended, and is cancelled then. So `finish` is never lost to a stop,
and no connection is thrown away in the middle of a statement (a database in memory would be gone with it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.errors import StoreError

P = ParamSpec("P")
R = TypeVar("R")

# OSError: asyncpg's refused and lost connections and time-outs, which SQLAlchemy passes on as they are.
FAULTS = (SQLAlchemyError, OSError)


class HasSessions(Protocol):
    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]: ...

    @property
    def name(self) -> str: ...


S = TypeVar("S", bound=HasSessions)


def transaction(
    method: Callable[Concatenate[S, AsyncSession, P], Awaitable[R]],
) -> Callable[Concatenate[S, P], CoroutineType[Any, Any, R]]:
    """Gives the method a session in a transaction of its own; callers leave that argument out. Raises StoreError."""

    @wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        async def work() -> R:
            async with self.sessions.begin() as session:
                return await method(self, session, *args, **kwargs)

        try:
            return await _to_its_end(asyncio.create_task(work()))
        except FAULTS as error:
            raise StoreError(f"the database {self.name} could not do it: {in_words(error)}") from error

    return call


def in_words(error: BaseException) -> str:
    """The database's own sentence, without the statement and its values (they hold what people wrote)."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__


async def _to_its_end(task: asyncio.Task[R]) -> R:
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())
    return task.result()
