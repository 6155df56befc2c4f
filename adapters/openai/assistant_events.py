"""What the 24 events of a run's stream mean.

Events are told apart by their names. Nothing is read from an event without looking whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.openai.answer import A_TOOL, Piece
from adapters.openai.errors import Server, failed
from adapters.openai.fields import many, number, one, text
from adapters.openai.streams import log_unknown
from bot.core.model import End, Ending, Working
from bot.errors import BackendError


@dataclass(frozen=True, slots=True)
class Started:
    """The run has an id."""

    run: str


@dataclass(frozen=True, slots=True)
class Said:
    """The model said something, perhaps in several parts of its message."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """A content filter has cut the message; the end of the run comes separately."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model wants an output of a function of ours. Arguments are JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Calls:
    """The run waits for the outputs of these calls, and this stream ends."""

    calls: tuple[FunctionCall, ...]


def to_event(kind: str, data: Any, server: Server) -> Started | Working | Said | Filtered | Calls | Ending | None:
    """What an event means; None for what nobody needs to know. Raises BackendError for a failure."""
    if error := one(data, "error"):
        raise failed(error, server, kept=True)
    match kind:
        case "thread.run.created" | "thread.run.queued" | "thread.run.in_progress":
            return Started(text(data, "id"))
        case "thread.message.delta":
            contents = many(one(data, "delta"), "content")
            return Said(tuple(_piece(data, number(content, "index"), content) for content in contents))
        case "thread.run.step.created":
            return Working(A_TOOL) if text(data, "type") == "tool_calls" else None
        case "thread.message.incomplete":
            # max_tokens, run_cancelled, run_expired and run_failed are told by the end of the run as well
            return Filtered() if is_filtered(data) else None
        case "thread.run.requires_action":
            return Calls(_calls(data))
        case "thread.run.completed":
            return Ending(End.COMPLETED)
        case "thread.run.incomplete":  # max_completion_tokens or max_prompt_tokens
            return Ending(End.LENGTH)
        case "thread.run.failed":
            raise failed(one(data, "last_error"), server, kept=True)
        case "thread.run.cancelled":
            raise BackendError(Ending(End.FAILED, "The answer was cancelled on the server."))
        case "thread.run.expired":
            raise BackendError(Ending(End.TIMED_OUT, "The answer took longer than the server allows."))
        case "error":
            raise failed(data, server, kept=True)
        case _:
            if kind not in IGNORED:
                log_unknown(kind)
            return None


def pieces(message: Any) -> list[Piece]:
    """A message that was looked up, as its deltas would tell it."""
    return [_piece(message, index, content) for index, content in enumerate(many(message, "content"))]


def is_filtered(message: Any) -> bool:
    """A content filter has cut it."""
    return text(one(message, "incomplete_details"), "reason") == "content_filter"


def _piece(message: Any, index: int, content: Any) -> Piece:
    part = (text(message, "id"), index)
    if text(content, "type") == "refusal":
        return Piece(part, text(content, "refusal"), refusal=True)
    return Piece(part, text(one(content, "text"), "value"))  # images have none


def _calls(run: Any) -> tuple[FunctionCall, ...]:
    wanted = one(one(run, "required_action"), "submit_tool_outputs")
    return tuple(
        FunctionCall(text(call, "id"), text(one(call, "function"), "name"), text(one(call, "function"), "arguments"))
        for call in many(wanted, "tool_calls")
    )


# Not text, or text that came as deltas before.
IGNORED = frozenset(
    {
        "thread.created",  # threads are made before the run
        "thread.run.cancelling",  # cancelled follows
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.completed",
        "thread.run.step.in_progress",  # steps: which message is written, which tool is used
        "thread.run.step.delta",
        "thread.run.step.completed",
        "thread.run.step.failed",  # the run fails with it
        "thread.run.step.cancelled",
        "thread.run.step.expired",
    }
)
