"""What the events of a Responses stream mean.

Events are told apart by their `type`: not every server sends the name that a stream of events has for it. Nothing is
read from an event without looking whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.openai.answer import A_TOOL, THINKING, Piece
from adapters.openai.errors import Server, failed, no_rest
from adapters.openai.fields import many, number, one, text
from adapters.openai.streams import log_unknown
from bot.core.model import End, Ending, Working
from bot.errors import BackendError


@dataclass(frozen=True, slots=True)
class Created:
    """The response has an id. `conversation` is empty where the server did not take the one that it was given."""

    response: str
    conversation: str
    background: bool  # it goes on when nobody listens


@dataclass(frozen=True, slots=True)
class Finished:
    """The server has ended the response. `pieces` are the whole answer, for servers that send no deltas."""

    ending: Ending
    pieces: tuple[Piece, ...]
    conversation: str


def to_event(event: Any, server: Server, *, kept: bool) -> Created | Working | Piece | Finished | None:
    """What an event means; None for what nobody needs to know. Raises BackendError for a failure."""
    if error := one(event, "error"):  # with or without a type; the other shape is below
        raise failed(error, server, kept=kept)
    kind = text(event, "type")
    match kind:
        case "response.output_text.delta":
            return Piece(_part(event), text(event, "delta"))
        case "response.refusal.delta":
            return Piece(_part(event), text(event, "delta"), refusal=True)
        case "response.output_item.added":
            return _working(text(one(event, "item"), "type"))
        case "response.created" | "response.queued" | "response.in_progress":
            response = one(event, "response")
            return Created(text(response, "id"), _conversation(response), one(response, "background") is True)
        case "response.completed" | "response.incomplete":
            response = one(event, "response")
            return Finished(_ending(kind, response, server, kept), said(response), _conversation(response))
        case "response.failed":
            raise failed(one(one(event, "response"), "error"), server, kept=kept)
        case "error":
            raise failed(event, server, kept=kept)
        case _:
            if kind not in IGNORED:
                log_unknown(kind)
            return None


def ended(response: Any, server: Server) -> Ending | None:
    """How a response ended that was looked up; None while it goes on. Raises BackendError for a failure."""
    match status := text(response, "status"):
        case "queued" | "in_progress":
            return None
        case "completed" | "incomplete" | "failed" | "cancelled":
            return _ending(status, response, server, kept=True)
        case _:
            raise no_rest(server)


def said(response: Any) -> tuple[Piece, ...]:
    """The texts of all messages of a response."""
    return tuple(
        Piece((place, index), text(part, "text") or text(part, "refusal"), refusal=text(part, "type") == "refusal")
        for place, item in enumerate(many(response, "output"))
        if text(item, "type") == "message"
        for index, part in enumerate(many(item, "content"))
    )


def _ending(kind: str, response: Any, server: Server, kept: bool) -> Ending:
    """The status in the response counts; some servers call everything response.completed."""
    match text(response, "status") or kind.removeprefix("response."):
        case "incomplete":
            reason = text(one(response, "incomplete_details"), "reason")
            match reason:
                case "content_filter":
                    return Ending(End.FILTERED)
                case "max_output_tokens" | "max_tokens" | "max_messages" | "":
                    return Ending(End.LENGTH)
                case _:
                    raise BackendError(Ending(End.UNFINISHED, f"The server stopped early: {reason}."), again=not kept)
        case "failed":
            raise failed(one(response, "error"), server, kept=kept)
        case "cancelled":
            raise BackendError(Ending(End.FAILED, "The answer was cancelled on the server."))
        case _:
            return Ending(End.COMPLETED)


def _working(item: str) -> Working | None:
    if doing := _DOING.get(item):
        return Working(doing)
    return Working(A_TOOL) if item.endswith("_call") else None


def _part(event: Any) -> tuple[object, ...]:
    return (number(event, "output_index"), number(event, "content_index"))


def _conversation(response: Any) -> str:
    return text(one(response, "conversation"), "id")


_DOING = {
    "reasoning": THINKING,
    "web_search_call": "Searching the web",
    "file_search_call": "Searching files",
    "code_interpreter_call": "Running code",
    "image_generation_call": "Making an image",
}

# Not text, or text that came as deltas before: items and parts, reasoning, every kind of tool call, audio, compaction.
IGNORED = frozenset(
    {
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.done",
        "response.output_text.annotation.added",
        "response.refusal.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call.completed",
        "response.code_interpreter_call_code.delta",
        "response.code_interpreter_call_code.done",
        "response.image_generation_call.in_progress",
        "response.image_generation_call.generating",
        "response.image_generation_call.completed",
        "response.image_generation_call.partial_image",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_list_tools.in_progress",
        "response.mcp_list_tools.completed",
        "response.mcp_list_tools.failed",
        "response.shell_call_command.added",
        "response.shell_call_command.delta",
        "response.shell_call_command.done",
        "response.shell_call_output_content.delta",
        "response.shell_call_output_content.done",
        "response.audio.delta",
        "response.audio.done",
        "response.audio.transcript.delta",
        "response.audio.transcript.done",
        "response.compaction.compacting",
    }
)
