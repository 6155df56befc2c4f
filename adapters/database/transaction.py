"""One call of the store is one transaction: it happens as a whole or not at all, whatever becomes of the caller.

    event loop   call ─────────┐                                     ┌───> result
    thread                     └─> begin, its statements, commit ────┘

A transaction is blocking code on a thread of the database's own, so a call costs the event loop one trip there and
back, however many statements it has and however busy the loop is meanwhile.

A busy loop lets go of the interpreter for an instant in every turn, which a waiting thread takes for progress: it
insists only after `sys.getswitchinterval()` (5 ms) of waiting without any. Where turns are shorter than that, a
transaction was seen to wait for 20 seconds; hence `_SWITCH`.

A cancelled caller waits until its transaction has ended, and is cancelled then. So `finish` is never lost to a stop,
and nothing is done with a connection that is still at work.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from time import monotonic
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from adapters.database import alone
from bot.errors import StoreError

P = ParamSpec("P")
R = TypeVar("R")

_SWITCH = 0.001  # seconds; with it, the longest wait seen beside a loop that is never idle was 0.1 s
LONGEST_QUEUE = 30.0  # seconds; while the database hangs, those who wait are told so instead of becoming ever more


class Database:
    """An engine and its threads, one for each connection. `name` is its address without the password."""

    def __init__(self, engine: Engine, name: str, *, connections: int) -> None:
        self.name = name
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        sys.setswitchinterval(min(_SWITCH, sys.getswitchinterval()))
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="database")
        self._let_go: Callable[[], object] | None = None

    async def run(self, work: Callable[[Session], R]) -> R:
        """Does the work in a transaction. Raises StoreError."""
        asked = monotonic()

        def whole() -> R:
            if monotonic() - asked > LONGEST_QUEUE:
                raise StoreError(f"the database {self.name} could not do it: it is busy with what was asked before")
            with self._sessions.begin() as session:
                return work(session)

        try:
            return await self.on_thread(whole)
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self.name} could not do it: {in_words(error)}") from error

    async def on_thread(self, work: Callable[[], R]) -> R:
        """Does something else with the engine, in turn with the transactions."""
        return await _to_its_end(asyncio.get_running_loop().run_in_executor(self._threads, work))

    async def hold(self) -> bool:
        """Keeps every other process that asks for it out until the end of this one; False where another does so.

        Raises StoreError.
        """

        def hold() -> None:  # kept there, since the caller may be cancelled meanwhile
            self._let_go = self._let_go or alone.hold(self.engine)

        try:
            await self.on_thread(hold)
        except (SQLAlchemyError, psycopg.Error) as error:
            raise StoreError(f"the database {self.name} cannot be kept for one process: {in_words(error)}") from error
        return self._let_go is not None

    async def close(self) -> None:
        """What was begun is finished; then threads and connections are gone."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        if self._let_go is not None:
            self._let_go()
        self.engine.dispose()


class HasDatabase(Protocol):
    @property
    def database(self) -> Database: ...


S = TypeVar("S", bound=HasDatabase)


def transaction(
    method: Callable[Concatenate[S, Session, P], R],
) -> Callable[Concatenate[S, P], CoroutineType[Any, Any, R]]:
    """Runs the method in a transaction of its own, whose session callers leave out. Raises StoreError."""

    @wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self.database.run(lambda session: method(self, session, *args, **kwargs))

    return call


def in_words(error: BaseException) -> str:
    """The database's own sentence, without the statement and its values (they hold what people wrote)."""
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__


async def _to_its_end(future: asyncio.Future[R]) -> R:
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if future.cancelled() else future.exception())
    return future.result()
