"""Faults of the model's server, on each API: at the request, and in the stream."""

from __future__ import annotations

from dataclasses import replace

from playground.openai import errors
from playground.openai.errors import HttpError
from playground.openai.faults import (
    Cut,
    ErrorEvent,
    Failed,
    Fault,
    Incomplete,
    JsonInstead,
    NoAnswer,
    NotJson,
    SilentEnd,
    Stall,
)
from tests.faults.room import Room
from tests.faults.row import Break, Mend, Row

APIS = ("responses", "background", "assistants", "chat")  # background: the Responses API, in the background
_TEXT = 12  # pieces of the answer that come before the fault

_PLAIN = {
    400: "Invalid value for 'input'.",
    402: "Payment required.",
    408: "Request timeout.",
    409: "The request conflicts with another one.",
    413: "Request entity too large.",
    502: "Bad gateway.",
    504: "Gateway timeout.",
}
_WAIT = "429 with Retry-After"
_ASKING: list[tuple[str, Fault, int]] = [  # times; 0: each time
    ("400", HttpError(400, _PLAIN[400]), 0),
    ("400 context exceeded", errors.TOO_LONG, 0),
    ("401", errors.wrong_key("sk-wrong"), 0),
    ("402", HttpError(402, _PLAIN[402]), 0),
    ("403", errors.NOT_ALLOWED, 0),
    ("404 of the model", errors.unknown_model("gpt-6-luna"), 0),
    ("404 of the API", errors.unknown_url("POST", "/v1/responses"), 0),
    ("408", HttpError(408, _PLAIN[408]), 1),
    ("409", HttpError(409, _PLAIN[409]), 1),
    ("413", HttpError(413, _PLAIN[413]), 0),
    (f"{_WAIT} of 1 second", replace(errors.RATE_LIMITED, retry_after=1), 1),
    (f"{_WAIT} of 1 minute", replace(errors.RATE_LIMITED, retry_after=60), 0),
    ("429 without Retry-After", replace(errors.RATE_LIMITED, message="Rate limit reached.", retry_after=None), 1),
    ("429 no credit", errors.NO_CREDIT, 0),
    ("500", errors.SERVER_ERROR, 1),
    ("500", errors.SERVER_ERROR, 0),
    ("502", HttpError(502, _PLAIN[502], "server_error"), 1),
    ("503 overloaded", errors.OVERLOADED, 1),
    ("503 overloaded", errors.OVERLOADED, 0),
    ("504", HttpError(504, _PLAIN[504], "server_error"), 1),
    ("cut before any answer", NoAnswer(), 1),
]
_STREAMING: list[tuple[str, Fault]] = [
    ("cut before the first word", Cut(after=0)),
    ("cut in the middle", Cut(after=_TEXT)),
    ("ends before the first word, without saying so", SilentEnd(after=0)),
    ("ends in the middle, without saying so", SilentEnd(after=_TEXT)),
    ("silent before the first word", Stall(30, after=0)),
    ("silent in the middle", Stall(30, after=_TEXT)),
    ("failed before the first word", Failed(after=0)),
    ("failed in the middle", Failed(after=_TEXT)),
    ("an error event in the middle", ErrorEvent(after=_TEXT)),
    ("an error event in the middle, nested", ErrorEvent(nested=True, after=_TEXT)),
    ("incomplete: its length", Incomplete(after=_TEXT)),
    ("incomplete: the content filter", Incomplete("content_filter", after=_TEXT)),
    ("one JSON document instead of a stream", JsonInstead()),
    ("half a JSON in the middle", NotJson(after=_TEXT)),
]


def rows() -> list[Row]:
    asking = [
        Row(
            "The model: the request",
            name + ("" if times else ", each time"),
            _saying(fault, times),
            spoils=False,
            api=api,
        )
        for name, fault, times in _ASKING
        for api in APIS
    ]
    streaming = [
        Row("The model: its stream", name, _saying(fault, 1), spoils=False, api=api)
        for name, fault in _STREAMING
        for api in APIS
    ]
    return asking + streaming


def _saying(fault: Fault, times: int) -> Break:
    def breaks(room: Room) -> Mend:
        well = Row("", "", breaks).script
        room.model_says(*[replace(well, fault=fault)] * (times or 1), *([well] if times else []))
        return lambda: None

    return breaks
