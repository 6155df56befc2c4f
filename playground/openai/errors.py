"""OpenAI's refusals before a stream begins, in OpenAI's own spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpError:
    """A status and the body that goes with it; also a fault that a script may ask for."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None  # seconds, sent as Retry-After

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}


class ApiError(Exception):
    """Ends the call with this error."""

    def __init__(self, error: HttpError) -> None:
        super().__init__(error.message)
        self.error = error


class Dropped(Exception):
    """Ends the call without an answer."""


RATE_LIMITED = HttpError(
    429,
    "Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 2s.",
    "requests",
    "rate_limit_exceeded",
    retry_after=2,
)
NO_CREDIT = HttpError(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    "credit_balance_exhausted",
)
SLOW_DOWN = HttpError(
    429, "Please slow down: the request rate rose too quickly.", "requests", "slow_down", retry_after=5
)
SERVER_ERROR = HttpError(
    500, "The server had an error while processing your request. Sorry about that!", "server_error"
)
OVERLOADED = HttpError(
    503,
    "Our servers are currently overloaded. Please try again later.",
    "service_unavailable_error",
    "server_is_overloaded",
)
NOT_ALLOWED = HttpError(403, "You have insufficient permissions for this operation.", code="insufficient_permissions")
NO_KEY = HttpError(
    401, "You didn't provide an API key. Send it in an Authorization header: Authorization: Bearer YOUR_KEY."
)
TOO_LONG = HttpError(
    400,
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    code="context_length_exceeded",
    param="input",
)
LOCKED = HttpError(
    400,
    "Another process is currently operating on this conversation. Please retry in a few seconds.",
    code="conversation_locked",
    param="conversation",
)
TOO_OLD = "This response can no longer be streamed because it is more than 5 minutes old"
NO_BETA = HttpError(
    400,
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
    code="invalid_beta",
)


def wrong_key(key: str) -> HttpError:
    shown = key if len(key) < 8 else f"{key[:3]}{'*' * (len(key) - 7)}{key[-4:]}"
    return HttpError(
        401,
        f"Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def unknown_model(model: str) -> HttpError:
    return HttpError(
        404, f"The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
    )


def unknown_url(method: str, path: str) -> HttpError:
    return HttpError(404, f"Invalid URL ({method} {path})")


def not_found(what: str, identity: str, param: str | None = None) -> ApiError:
    return ApiError(HttpError(404, f"{what} with id '{identity}' not found.", param=param))


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(HttpError(400, message, param=param, code=code))
