"""Discord's answers other than success, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from bot.errors import Gone, PlatformError, Refused, Rejected, Unreachable

# The key of the limit on all calls of a bot together.
GLOBAL = "discord:global"

# Seconds to wait after a 429 that says nothing: not Discord's but Cloudflare's, for a client that errs too often.
SILENT_429 = 30.0

UNKNOWN_MESSAGE = 10008
MISSING_PERMISSIONS = 50013
# What ends the turn because there is no place to write in (any more).
NO_PLACE = {
    10003,  # unknown channel
    10004,  # unknown server
    50001,  # missing access
    50007,  # cannot send messages to this user
    MISSING_PERMISSIONS,
    50083,  # the thread is archived
    160002,  # cannot reply without permission to read the history
    160005,  # the thread is locked
}


class TokenRefused(Rejected):
    """Discord does not accept the token."""


class Forbidden(Gone):
    """The bot lacks a permission in this channel, for this call at least."""


def to_error(status: int, headers: Mapping[str, str], data: object, limit: str) -> PlatformError:
    """The error that an answer means; `limit` is the key of the call's own limit."""
    body = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    if status == 429:
        everywhere = body.get("global") or headers.get("X-RateLimit-Scope") == "global"
        return Refused(_retry_after(headers, body), limit=GLOBAL if everywhere else limit)
    if status >= 500:
        return Unreachable(f"Discord answered {status}")
    sentence = "; ".join([str(body.get("message") or f"Discord answered {status}"), *_details(body.get("errors"))])
    if status == 401:
        return TokenRefused(sentence)
    code = body.get("code")
    if code == UNKNOWN_MESSAGE:
        return Gone(sentence, message=True)
    if code in NO_PLACE:
        return Forbidden(sentence) if code == MISSING_PERMISSIONS else Gone(sentence)
    return Rejected(sentence)


def _retry_after(headers: Mapping[str, str], body: Mapping[str, Any]) -> float:
    """Seconds: the body's are exact, the header's are whole."""
    for told in (body.get("retry_after"), headers.get("Retry-After")):
        try:
            return max(0.0, float(told))  # pyright: ignore[reportArgumentType]  # None is a TypeError
        except (TypeError, ValueError):
            continue
    return SILENT_429


def _details(errors: object, path: str = "") -> Iterator[str]:
    """The sentences in a form error's tree: `{"content": {"_errors": [{"message": "Must be 2000 or fewer …"}]}}`."""
    if isinstance(errors, dict):
        for name, below in cast("dict[str, object]", errors).items():
            if name == "_errors" and isinstance(below, list):
                for one in cast("list[dict[str, object]]", below):
                    yield f"{path}: {one.get('message')}"
            else:
                yield from _details(below, f"{path}.{name}" if path else name)
