"""Asking a backend one question, and a notebook that forgets at the end of the test."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.model import Began, Delta, End, Ended, Ending, Event, Request
from bot.errors import BackendError
from bot.ports import Backend


@dataclass
class Outcome:
    """Everything that came, and how it ended."""

    events: list[Event] = field(default_factory=list[Event])
    error: BackendError | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def began(self) -> Began:
        """All that became known in the end."""
        return [event for event in self.events if isinstance(event, Began)][-1]

    @property
    def ending(self) -> Ending:
        if self.error:
            return self.error.ending
        (ended,) = (event for event in self.events if isinstance(event, Ended))
        return ended.ending

    @property
    def end(self) -> End:
        return self.ending.end

    @property
    def again(self) -> bool:
        return self.error is not None and self.error.again


async def ask(backend: Backend, request: Request | str) -> Outcome:
    """Only BackendError may come out of a stream; anything else fails the test."""
    outcome = Outcome()
    try:
        async with backend.stream(Request(request) if isinstance(request, str) else request) as events:
            async for event in events:
                outcome.events.append(event)
    except BackendError as error:
        outcome.error = error
    return outcome


@dataclass
class MemoryNotebook:
    notes: dict[str, str] = field(default_factory=dict[str, str])

    async def read(self, name: str) -> str | None:
        return self.notes.get(name)

    async def write(self, name: str, text: str | None) -> None:
        if text is None:
            self.notes.pop(name, None)
        else:
            self.notes[name] = text
