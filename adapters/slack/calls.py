"""One call of Slack's Web API: one request, and its answer or one of our errors."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Gone, PlatformError, Refused, Rejected, StreamEnded, Unreachable

WebClient: TypeAlias = Any  # slack_sdk's AsyncWebClient, whose types are partly unknown

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)  # seconds, for one call

# What a call of the SDK can end with. AttributeError and ValueError are what it runs into when an answer is not a JSON
# object: text/plain, a JSON list, bytes.
_SDK_ERRORS = (SlackApiError, aiohttp.ClientError, OSError, AttributeError, ValueError)

_RATE_LIMITED = {"ratelimited", "rate_limited"}  # a 429's word, and the word of some methods' 200
_SERVER_FAULTS = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_MESSAGE_GONE = {"message_not_found"}
_PLACE_GONE = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "is_inactive",  # chat.update's word for an archived channel
    "thread_not_found",
    "cannot_reply_to_message",
    "messages_tab_disabled",
    "user_not_found",
    "user_disabled",
    "token_revoked",
    "token_expired",
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "no_permission",
    "access_denied",
    "ekm_access_denied",
    "team_access_not_granted",
    "team_disabled",
    "org_login_required",
}


_UNSUPPORTED = {
    "unknown_method",
    "method_deprecated",
    "feature_not_enabled",
    "feature_disabled",
    "not_supported",
    "not_agent_app",
    "channel_type_not_supported",
}


class Unsupported(Rejected):
    """The workspace, or this kind of channel, does not have what the call is for. `word` is Slack's."""

    def __init__(self, word: str) -> None:
        super().__init__(f"Slack says {word}")
        self.word = word


class StillStreaming(Rejected):
    """The message is a stream that nobody has ended."""


class ScopeMissing(Gone):
    """The app was installed without a scope that this call needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack said to a call that it carried out."""

    data: Mapping[str, Any]
    headers: Mapping[str, str]


def web_client(api_url: str, token: str | None, logger: logging.Logger) -> WebClient:
    """The SDK's client, which makes each call once. Give it a session with `TIMEOUT`."""
    # retry_handlers: the SDK's default posts once more after a dropped connection, and the message appears twice
    client = AsyncWebClient(token, api_url, retry_handlers=[], logger=logger)
    if urlsplit(client.base_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        client.proxy = None  # the SDK takes HTTPS_PROXY from the environment for any address
    return client


async def made(call: Awaitable[Any], *, limit: str = "", wait: float = 3.0) -> Answer:
    """The answer to a call of the SDK. Raises PlatformError; `limit` and `wait` as in `to_platform_error`."""
    try:
        response = await call
    except _SDK_ERRORS as error:
        raise to_platform_error(error, limit=limit, wait=wait) from error
    return Answer(response.data, response.headers)


def to_platform_error(error: Exception, *, limit: str = "", wait: float = 3.0) -> PlatformError:
    """What a failed call means. `wait` (seconds) stands in for a Retry-After that Slack did not send."""
    status, code, headers = _answer(error)
    if status == 429 or code in _RATE_LIMITED:
        return Refused(_retry_after(headers, wait), limit=limit)
    if status >= 500 or not code or code in _SERVER_FAULTS:
        reason = f"answered {status}" if status else f"did not answer ({type(error).__name__})"
        return Unreachable(f"Slack {reason}{f': {code}' if code else ''}")
    if code in _MESSAGE_GONE:
        return Gone(f"Slack says {code}", message=True)
    if code == "missing_scope":
        return ScopeMissing(f"Slack says {code}")
    if code in {"message_not_in_streaming_state", "stopped_by_user"}:
        return StreamEnded(f"Slack says {code}", by_person=code == "stopped_by_user")
    if code in _UNSUPPORTED:
        return Unsupported(code)
    if code == "streaming_state_conflict":
        return StillStreaming(f"Slack says {code}")
    if code in _PLACE_GONE or code.startswith("restricted_action"):
        return Gone(f"Slack says {code}")
    return Rejected(f"Slack says {code}")


def _answer(error: Exception) -> tuple[int, str, Mapping[str, str]]:
    """Status, Slack's error word and headers, as far as there are any.

    `response` may be the SDK's (its data a dict, text, bytes or None) or, after invalid JSON, aiohttp's.
    """
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    data = getattr(response, "data", None)
    code = cast("dict[str, Any]", data).get("error") if isinstance(data, dict) else None
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    return (status if isinstance(status, int) else 0), (code if isinstance(code, str) else ""), headers


def _retry_after(headers: Mapping[str, str], wait: float) -> float:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return wait
    return seconds if math.isfinite(seconds) and seconds >= 0 else wait
