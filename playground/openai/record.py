"""The record: what was asked, what the model was given, and what was sent when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Api = Literal["responses", "conversations", "assistants", "chat", "models"]


@dataclass(frozen=True, slots=True)
class Said:
    """One message that the model is given."""

    role: str  # system, developer, user, assistant, tool
    text: str


@dataclass
class Request:
    """One HTTP call, in the order of arrival."""

    at: float  # seconds, monotonic
    api: Api
    method: str
    path: str  # below /openai/v1
    body: Json
    status: int = 0  # 0 while it is not answered
    seen: tuple[Said, ...] = ()  # all that the model was given: instructions, history, question

    @property
    def question(self) -> str:
        """The last thing that a user said."""
        return next((said.text for said in reversed(self.seen) if said.role == "user"), "")

    @property
    def whole(self) -> str:
        """Everything that the model was given, as one text."""
        return "\n".join(f"{said.role}: {said.text}" for said in self.seen)


@dataclass
class Stream:
    """One stream of events, and what became of it. Times are seconds, monotonic."""

    api: Api
    id: str  # of the response, the run or the completion
    request: Request
    opened_at: float
    deltas: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])  # visible text, when it was sent
    finished_at: float | None = None  # ended by the server, well or by a fault
    closed_by_client_at: float | None = None

    @property
    def text(self) -> str:
        """What was sent."""
        return "".join(text for _, text in self.deltas)
