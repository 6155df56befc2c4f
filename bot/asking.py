"""Gets one answer out of the model's server, however often the way there breaks.

    ask ──> deltas ──> the stream breaks ──┬─> it goes on at the server: take it up after the last delta
     ^                                     ├─> nothing has come yet, and nothing was begun there: ask again
     └─────────────────────────────────────┘
                                           └─> neither: how it ended, and whether another attempt may do better

All within the limits of one answer: a pause counts as silence of the model.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core.model import Began, Delta, End, Ended, Ending, Mark, Request, Working
from bot.errors import BackendError
from bot.ports import Backend

log = logging.getLogger(__name__)

_TRIES = 3  # of asking, while nothing has come
_LONGEST_WAIT = 10.0  # seconds that a person is left waiting for a retry without being told
_PAUSES = (0.25, 1.0, 2.0, 4.0, 8.0)  # seconds before each try to take an answer up; the last again and again

_BROKEN = frozenset({End.CONNECTION_LOST, End.UNFINISHED})  # nothing that the model or its server meant


Hear = Callable[[Began | Working | Delta], None]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the model may be silent, in seconds."""

    first_token: float = 180.0  # models that reason think for minutes before the first word
    idle: float = 60.0  # between two deltas
    total: float = 1200.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `cut_short`: by a stream that broke, which nobody meant, so another attempt may get all of it."""

    ending: Ending
    cut_short: bool = False


class Asking:
    """One question on its way; `turn` is its id for the log."""

    def __init__(self, backend: Backend, request: Request, timeouts: Timeouts, *, turn: int) -> None:
        self._backend = backend
        self._request = request
        self._timeouts = timeouts
        self._turn = turn
        self._mark = request.mark
        self._text = [request.mark.text] if request.mark else []
        self._began_at = 0.0
        self._heard_at = 0.0  # when the last of the text came, or was asked for
        self._tries = 0  # since then
        self._stalled = False  # since then it was silent for so long that it was taken up

    @property
    def mark(self) -> Mark | None:
        """Where somebody else can take the answer up; None where nobody can, also since it has ended."""
        return replace(self._mark, text="".join(self._text)) if self._mark else None

    @property
    def asked(self) -> bool:
        """Whether the server may have got the question, by this attempt or an earlier one."""
        return self._request.asked_before or self._began_at > 0

    async def run(self, hear: Hear) -> Outcome:
        """Returns when the answer has ended, or cannot be got. `hear` is told what comes, as it comes."""
        loop = asyncio.get_running_loop()
        self._began_at = self._heard_at = loop.time()
        deadline = self._began_at + self._timeouts.total
        while True:
            try:
                ending = await self._listen(deadline, hear)
            except BackendError as error:
                pause = self._pause(error, deadline)
                if not error.broken and error.ending.end is not End.TIMED_OUT:  # the server itself is through with it
                    self._mark = None
                details = {"turn": self._turn, "end": error.ending.end.value, "detail": error.ending.detail}
                if pause is None:
                    log.warning("model.failed", extra=details)
                    return Outcome(error.ending, not error.broken and error.ending.end in _BROKEN)
                log.info("model.resumed" if error.broken else "model.retry", extra={**details, "in": pause})
                await asyncio.sleep(pause)
            else:
                self._mark = None
                return Outcome(ending)

    async def _listen(self, deadline: float, hear: Hear) -> Ending:
        """One request, until it ends. Raises BackendError."""
        loop = asyncio.get_running_loop()
        # what is taken up may bring nothing before it is whole: some servers let it be read only then
        silence = self._timeouts.first_token if self._mark else self._silence
        patience = asyncio.timeout_at(min(deadline, self._heard_at + silence))
        try:
            async with patience, self._backend.stream(replace(self._request, mark=self.mark)) as events:
                async for event in events:
                    match event:
                        case Ended(ending):
                            return ending
                        case Delta():
                            self._take(event)
                            patience.reschedule(min(deadline, self._heard_at + self._silence))
                        case Began(remote, response):
                            self._request = replace(self._request, remote=remote or self._request.remote)
                            if response and self._mark is None:
                                self._mark = Mark(response)
                        case Working():
                            pass
                    hear(event)
        except TimeoutError:
            if not patience.expired():
                raise
            if loop.time() >= deadline:
                detail = f"An answer may take {self._timeouts.total:.0f} seconds"
                raise BackendError(Ending(End.TIMED_OUT, detail)) from None
            ending = Ending(End.TIMED_OUT, f"It was silent for {self._silence:.0f} seconds")
            # one may be silent because nothing comes through to us any more: that is tried once; not where nothing has
            # ever come, for which a person has waited long enough (and OpenAI was seen to leave some queued for ever)
            taken_up = self._mark is not None and bool(self._text) and not self._stalled
            self._stalled, self._heard_at = True, loop.time()
            raise BackendError(ending, broken=taken_up) from None
        raise BackendError(Ending(End.UNFINISHED), broken=self._mark is not None)

    def _take(self, delta: Delta) -> None:
        self._text.append(delta.text)
        if self._mark is not None:
            self._mark = replace(self._mark, cursor=delta.cursor)
        self._heard_at = asyncio.get_running_loop().time()
        self._tries, self._stalled = 0, False

    def _pause(self, error: BackendError, deadline: float) -> float | None:
        """Seconds until the next request; None if there is to be none."""
        now = asyncio.get_running_loop().time()
        self._tries += 1
        patient = error.ending.retry_after or _PAUSES[min(self._tries, len(_PAUSES)) - 1]
        if error.broken and self._mark is not None:
            return patient if now + patient < min(deadline, self._heard_at + self._silence) else None
        lost = self._mark is not None and error.ending.end in _BROKEN
        if not (error.again or lost) or self._text:
            return None
        if self._request.asked_before:  # people see a part of an answer, which is worth more patience
            pause = patient
            worth_it = now + pause < self._began_at + self._timeouts.idle
        else:
            pause = error.ending.retry_after or 0.5 * 2**self._tries
            worth_it = self._tries < _TRIES and pause <= _LONGEST_WAIT
        if not worth_it:
            return None
        self._heard_at = now + pause
        return pause

    @property
    def _silence(self) -> float:
        """Seconds without text after which the patience ends."""
        return self._timeouts.idle if self._text else self._timeouts.first_token
