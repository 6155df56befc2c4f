"""What can go wrong on the model's side, as values; `after` counts pieces of text, None is after the whole text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playground.openai import errors
from playground.openai.errors import HttpError


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The connection breaks while the request is on its way: nothing is begun, and no status comes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks. What was asked for goes on where the API says so (background, runs)."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class SilentEnd:
    """The stream ends cleanly, without its terminal event."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing comes for a while; then it goes on."""

    seconds: float
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The text is cut off, and the server says so."""

    reason: Literal["max_output_tokens", "content_filter"] = "max_output_tokens"
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The server says that the answer failed: response.failed, thread.run.failed, an error chunk in chat."""

    code: str = "server_error"
    message: str = "The server had an error processing your request. Sorry about that!"
    after: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """An `error` event in the stream: flat, and the stream ends; or nested under `error`, and the answer also fails."""

    nested: bool = False
    code: str = "server_error"
    message: str = "The server had an error processing your request. Sorry about that!"
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """A run that took too long (Assistants only; elsewhere the answer completes)."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class JsonInstead:
    """A stream was asked for, and one JSON document with status 200 comes."""


@dataclass(frozen=True, slots=True)
class NotJson:
    """A piece of the stream cannot be read."""

    after: int | None = None


Fault = (
    HttpError | NoAnswer | Cut | SilentEnd | Stall | Incomplete | Failed | ErrorEvent | Expired | JsonInstead | NotJson
)

# Twelve pieces: enough text on the screen to see that it is kept.
WORDS: Mapping[str, Fault | Literal["refusal"]] = {
    "429": errors.RATE_LIMITED,
    "rate limit": errors.RATE_LIMITED,
    "credit": errors.NO_CREDIT,
    "quota": errors.NO_CREDIT,
    "401": errors.wrong_key("playground-wrong-key"),
    "403": errors.NOT_ALLOWED,
    "404": errors.unknown_model("a model that is not there"),
    "500": errors.SERVER_ERROR,
    "503": errors.OVERLOADED,
    "context": errors.TOO_LONG,
    "cut": Cut(after=12),
    "stall": Stall(seconds=15, after=12),
    "error event": ErrorEvent(after=12),
    "nested error": ErrorEvent(nested=True, after=12),
    "error": ErrorEvent(after=12),
    "failed": Failed(after=12),
    "silent end": SilentEnd(after=12),
    "incomplete": Incomplete(after=12),
    "filter": Incomplete("content_filter", after=12),
    "expired": Expired(after=12),
    "refusal": "refusal",
    "json": JsonInstead(),
}
_WISH = re.compile(
    r"(?:/fault|\bfault:|\bfail:)\s*(" + "|".join(sorted(map(re.escape, WORDS), key=len, reverse=True)) + r")\b", re.I
)


def wished(question: str) -> Fault | Literal["refusal"] | None:
    """What a person asked to go wrong: `fault: cut`, `/fault cut` or `please fail: cut`."""
    found = _WISH.search(question)
    return WORDS[found[1].lower()] if found else None
