"""What the chunks of a Chat Completions stream mean.

Not read on purpose: what a model thinks (local servers have extra fields for it; only that it thinks is told), tool
calls (none are offered), usage, log probabilities. Nothing is read without looking whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.openai.answer import Piece
from adapters.openai.errors import Server, failed
from adapters.openai.fields import many, one, text
from bot.core.model import End, Ending
from bot.errors import BackendError


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk may bring the last words and the end at once."""

    pieces: tuple[Piece, ...] = ()
    ending: Ending | None = None
    thinks: bool = False


def to_event(chunk: Any, server: Server) -> Chunk:
    """What a chunk means. Raises BackendError where it tells of a failure."""
    if text(chunk, "object") == "error":  # as vLLM wrote it until 0.10
        raise failed(chunk, server, kept=False)
    if error := one(chunk, "error"):
        raise failed(error, server, kept=False)
    choices = many(chunk, "choices")
    if not choices:  # usage, or a content filter's report about the question
        return Chunk()
    choice = choices[0]
    delta = one(choice, "delta")
    pieces: tuple[Piece, ...] = ()
    if content := text(delta, "content"):
        pieces += (Piece(("content",), content),)
    if refusal := text(delta, "refusal"):
        pieces += (Piece(("refusal",), refusal, refusal=True),)
    reason = text(choice, "finish_reason")
    thinks = bool(text(delta, "reasoning_content") or text(delta, "reasoning"))
    return Chunk(pieces, _ending(reason) if reason else None, thinks)


def _ending(reason: str) -> Ending:
    match reason:
        case "length":
            return Ending(End.LENGTH)
        case "content_filter":
            return Ending(End.FILTERED)
        case "error":  # OpenRouter and vLLM
            raise BackendError(Ending(End.FAILED), again=True)
        case "abort":  # vLLM and SGLang, when somebody else ended it
            raise BackendError(Ending(End.UNFINISHED), again=True)
        case _:  # stop, tool_calls, function_call, and other words for the same
            return Ending(End.COMPLETED)
