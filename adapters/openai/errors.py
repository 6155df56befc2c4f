"""Every way in which the SDK, the network or the server says no, as a BackendError.

One question decides what may be asked again: can the server have begun an answer that it keeps? After a refusal by HTTP
status it cannot, nor where nothing was reached; once a stream is open it can, unless the server keeps nothing at all.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

import aiohttp
import httpx2
import openai

from adapters.openai.fields import text
from bot.core.model import End, Ending
from bot.errors import BackendError

# What gets out of a call or a stream: errors of the SDK, of httpx2, through which it speaks, and of aiohttp, which does
# it (that of an answer that is no HTTP); bad JSON; a key that no header can carry.
FAULTS = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    aiohttp.ClientError,
    json.JSONDecodeError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Server:
    """Whom a backend asks for what, for the sentences that name it."""

    api: str  # responses, assistants or chat
    address: str
    model: str


def translate(error: Exception, server: Server, *, kept: bool, goes_on: bool = False) -> BackendError:
    """What to tell of an error. `kept`: the server keeps answers, so one whose stream broke may still be there.

    `goes_on`: it was named and can be taken up, so that it is not lost where only the way to it broke.
    """
    fault = _fault(error, server, kept=kept)
    return BackendError(fault.ending, broken=_passes(error, fault)) if goes_on else fault


def _passes(error: Exception, fault: BackendError) -> bool:
    """Whether the same call may go better soon, given that it begins nothing."""
    if isinstance(error, openai.APIStatusError):
        return fault.again or error.status_code in {408, 504}
    return fault.ending.end is not End.BAD_REQUEST


def _fault(error: Exception, server: Server, *, kept: bool) -> BackendError:
    match error:
        case openai.APIStatusError():
            return _refused(error, server)
        case (
            openai.APIConnectionError()
            | httpx2.HTTPError()
            | httpx2.StreamError()
            | httpx2.InvalidURL()
            | aiohttp.ClientError()
        ):
            causes = _causes(error)
            if any(isinstance(cause, _NEVER_REACHED) for cause in causes):
                detail = f"Nothing answers at {server.address}."
                return BackendError(Ending(End.UNREACHABLE, detail), again=True)
            if any(isinstance(cause, httpx2.ReadTimeout | httpx2.WriteTimeout) for cause in causes):
                return BackendError(Ending(End.TIMED_OUT, f"{server.address} went silent."))
            return BackendError(Ending(End.CONNECTION_LOST), again=not kept)
        case json.JSONDecodeError():
            detail = f"{server.address} sent something that is not JSON."
            return BackendError(Ending(End.FAILED, detail), again=not kept)
        case _:
            return BackendError(Ending(End.BAD_REQUEST, f"The request could not be sent ({type(error).__name__})."))


def failed(error: object, server: Server, *, kept: bool) -> BackendError:
    """What to tell of an error that came inside a stream: an object with a code, a type and a message, or a sentence.

    Either of code and type may be the one that tells; llama.cpp's and vLLM's codes are numbers.
    """
    codes = (text(error, "code"), text(error, "type"))
    code = next((code for code in codes if code in _BY_CODE or code in _PASSING), "")
    message = sentence(error)
    end = _BY_CODE.get(code, End.FAILED)
    if end is End.FAILED and _too_long(message):
        end = End.TOO_LONG
    wait = _wait_in(message) if end in {End.RATE_LIMITED, End.OVERLOADED} else None
    passing = end in {End.RATE_LIMITED, End.OVERLOADED} or code in _PASSING
    return BackendError(Ending(end, _detail(end, message, server), wait), again=passing and not kept)


def not_a_stream(content_type: str, server: Server) -> BackendError:
    """The server answered 200, but with something else than a stream of events."""
    detail = f"{server.address} answered with {content_type} instead of a stream; is the address right?"
    return BackendError(Ending(End.FAILED, detail))


def another_api(server: Server) -> BackendError:
    """The server answered 200, but what it made has no id: it does not know this API."""
    return BackendError(Ending(End.API_GONE, _detail(End.API_GONE, "", server)))


def unfinished(*, kept: bool, goes_on: bool = False) -> BackendError:
    """The stream ended cleanly, but without its terminal event."""
    return BackendError(Ending(End.UNFINISHED), again=not kept and not goes_on, broken=goes_on)


def no_rest(server: Server) -> BackendError:
    """An answer that had begun is to be taken up, but the server knows nothing of it."""
    return BackendError(Ending(End.UNFINISHED, f"{server.address} does not have the rest of this answer."))


def another_answer(server: Server) -> BackendError:
    """An answer that had begun is to be taken up, but the one at the server begins otherwise."""
    return BackendError(Ending(End.UNFINISHED, f"{server.address} has another answer than the one that had begun."))


def model_is_unknown(error: openai.APIStatusError) -> bool:
    """Whether a 404 or 400 is about the model. OpenAI has a code for it, Ollama and vLLM only a sentence."""
    if error.code in {"model_not_found", "invalid_model"}:
        return True
    words = sentence(error.body).lower()
    return error.status_code == 404 and "model" in words and ("not found" in words or "not exist" in words)


def sentence(body: object) -> str:
    """The server's own words in the body of an error; empty where there are none fit for a person."""
    if isinstance(body, Mapping):
        fields = cast(Mapping[str, object], body)
        body = fields.get("message") or fields.get("detail") or fields.get("error")
    if not isinstance(body, str) or body.lstrip().startswith("<"):  # a proxy's HTML page
        return ""
    words = " ".join(body.split())
    return words if len(words) <= _SENTENCE else words[: _SENTENCE - 1] + "…"


_SENTENCE = 300  # characters: what a person reads under an answer

# The codes of HTTP errors and of errors inside streams; facts change, so what is not here is told by its status alone.
_BY_CODE = {
    "rate_limit_exceeded": End.RATE_LIMITED,
    "slow_down": End.OVERLOADED,
    "server_is_overloaded": End.OVERLOADED,
    "service_unavailable_error": End.OVERLOADED,
    "overloaded_error": End.OVERLOADED,
    "insufficient_quota": End.NO_CREDIT,
    "credit_balance_exhausted": End.NO_CREDIT,
    "billing_hard_limit_reached": End.NO_CREDIT,
    "organization_spend_limit_exceeded": End.NO_CREDIT,
    "organization_usage_limit_exceeded": End.NO_CREDIT,
    "project_spend_limit_exceeded": End.NO_CREDIT,
    "context_length_exceeded": End.TOO_LONG,
    "exceed_context_size_error": End.TOO_LONG,  # llama.cpp
    "string_above_max_length": End.TOO_LONG,
    "model_not_found": End.UNKNOWN_MODEL,
    "invalid_model": End.UNKNOWN_MODEL,
    "invalid_api_key": End.WRONG_KEY,
    "timeout": End.TIMED_OUT,
}

_PASSING = {"server_error", "internal_error"}  # of a stream: nothing is wrong with the question


def _refused(error: openai.APIStatusError, server: Server) -> BackendError:
    end = _end_of(error)
    # 504: a gateway gave up waiting for a server that may well be answering
    again = end in {End.RATE_LIMITED, End.OVERLOADED} or (
        error.status_code >= 500 and error.status_code not in {501, 504}
    )
    words = sentence(error.body)
    wait = _wait(error.response.headers) if again else None
    if wait is None and end is End.RATE_LIMITED:
        wait = _wait_in(words)
    return BackendError(Ending(end, _detail(end, words, server), wait), again=again)


def _end_of(error: openai.APIStatusError) -> End:
    by_code = _BY_CODE.get(error.code or "") or _BY_CODE.get(error.type or "")
    if by_code is not None:
        return by_code
    if model_is_unknown(error):
        return End.UNKNOWN_MODEL
    match error.status_code:
        case 401:
            return End.WRONG_KEY
        case 402:
            return End.NO_CREDIT
        case 403:
            return End.NOT_ALLOWED
        case 404 | 405 | 410 | 501:
            return End.API_GONE
        case 408 | 504:
            return End.TIMED_OUT
        case 413:
            return End.TOO_LONG
        case 429:
            return End.RATE_LIMITED
        case 409 | 503 | 529:
            return End.OVERLOADED
        case status if status >= 500:
            return End.FAILED
        case _:
            return End.TOO_LONG if _too_long(sentence(error.body)) else End.BAD_REQUEST


def _too_long(message: str) -> bool:
    """The context is exceeded, in the words of OpenAI, vLLM, llama.cpp and Ollama, who have no common code for it."""
    return re.search(r"(context (window|length|size)|context_length)", message, re.IGNORECASE) is not None


def _detail(end: End, message: str, server: Server) -> str:
    match end:
        case End.UNKNOWN_MODEL:
            return f"{server.address} has no model “{server.model}”."
        case End.WRONG_KEY:  # the server's sentence repeats parts of the key
            return f"{server.address} does not accept the API key."
        case End.API_GONE:
            return f"{server.address} {_GONE.get(server.api, 'does not speak the configured API.')}"
        case _:
            return message


_GONE = {
    "responses": 'does not speak the Responses API; is the address right? Else set api = "chat".',
    "assistants": (
        "does not speak the Assistants API, which OpenAI removed on 2026-08-26; "
        'set api = "responses", or the address of a server that has it.'
    ),
    "chat": 'does not speak Chat Completions; is the address right? It often ends in "/v1".',
}


# The causes that tell it. What httpx2 is told says too little: a connection that broke is a ConnectTimeout there.
_NEVER_REACHED = (
    aiohttp.ClientConnectorError,  # refused, no such host, no TLS
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)


def _causes(error: BaseException) -> list[BaseException]:
    """The error, what it was made of, and so on."""
    causes = [error]
    while cause := causes[-1].__cause__:
        causes.append(cause)
    return causes


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds, from Retry-After-Ms or Retry-After (which is a number or a date)."""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


# "Please try again in 20s", "in 6m0s", "in 450ms": the only place where an error inside a stream tells the wait.
_TRY_AGAIN = re.compile(
    r"try again in (?:(?P<m>\d+)m(?!s))?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+)ms)?", re.IGNORECASE
)


def _wait_in(message: str) -> float | None:
    found = _TRY_AGAIN.search(message)
    if found is None or not any(found.groups()):
        return None
    minutes, seconds, thousandths = (float(found[name] or 0) for name in ("m", "s", "ms"))
    return 60 * minutes + seconds + thousandths / 1000
