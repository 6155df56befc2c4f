"""One HTTP call: its key checked, its body read, recorded with its outcome, and refused in OpenAI's words."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from playground.openai import errors, parameters
from playground.openai.errors import ApiError, Dropped, HttpError
from playground.openai.faults import Cut, Fault
from playground.openai.record import Api, Json, Request, Stream
from playground.openai.state import State, new_id

log = logging.getLogger(__name__)
PREFIX = "/openai/v1"


@dataclass(frozen=True, slots=True)
class Call:
    """What an endpoint works with."""

    request: web.Request
    record: Request
    state: State

    @property
    def body(self) -> Json:
        return self.record.body

    def part(self, name: str) -> str:
        """A piece of the path."""
        return self.request.match_info[name]

    def query(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def number(self, name: str, default: int) -> int:
        """A whole number of the query. Raises ApiError."""
        try:
            return int(self.query(name) or default)
        except ValueError:
            raise errors.bad_request(f"Invalid type for '{name}': expected an integer.", name, "invalid_type") from None

    def need(self, name: str) -> Any:
        """A value that the body must have. Raises ApiError."""
        value = self.body.get(name)
        if value is None:
            raise errors.bad_request(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
        return value

    def allow(self, known: Collection[str]) -> None:
        """Refuses parameters that OpenAI does not know, values of a wrong kind, and metadata beyond its limits."""
        for name, value in self.body.items():
            if name not in known:
                raise errors.bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
            check_kind(name, value)
        check_metadata(self.body.get("metadata"))

    def open_stream(self, api: Api, identity: str) -> Stream:
        stream = Stream(api, identity, self.record, time.monotonic())
        self.state.streams.append(stream)
        return stream


Endpoint = Callable[[Call], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Endpoint]


def handler(state: State, api: Api, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        record = Request(time.monotonic(), api, request.method, path, {})
        state.requests.append(record)
        try:
            _check_key(state, request)
            state.check_refusals(path)
            record.body = await _read_body(request)
            response = await endpoint(Call(request, record, state))
        except ApiError as refused:
            response = refuse(refused.error)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # goes nowhere
        record.status = response.status
        log.debug("openai.answered", extra={"path": path, "status": response.status})
        return response

    return handle


def refuse(error: HttpError) -> web.Response:
    headers = {"x-request-id": new_id("req"), **error.headers()}
    return web.json_response(error.body(), status=error.status, headers=headers)


def answer(body: Json) -> web.Response:
    return web.json_response(body, headers={"x-request-id": new_id("req")})


def answer_or_cut(call: Call, body: Json, fault: Fault | None) -> web.StreamResponse:
    """The whole answer as one document, unless the connection is to break first."""
    if isinstance(fault, Cut) and call.request.transport is not None:
        call.request.transport.abort()
    return answer(body)


def check_kind(name: str, value: Any) -> None:
    """Null is always taken. Raises ApiError."""
    kind = parameters.kind_of(name)
    if value is None or kind is None:
        return
    said, kinds = kind
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise errors.bad_request(f"Invalid type for '{name}': expected {said}.", name, "invalid_type")


def check_metadata(metadata: Any) -> None:
    """16 pairs, keys of 64 and values of 512 characters: OpenAI's limits for every object. Raises ApiError."""
    check_kind("metadata", metadata)
    pairs = cast(dict[str, Any], metadata or {})
    if len(pairs) > 16:
        raise errors.bad_request("Invalid 'metadata': too many properties (at most 16).", "metadata")
    for key, value in pairs.items():
        if not isinstance(value, str):
            raise errors.bad_request(f"Invalid type for 'metadata.{key}': expected a string.", "metadata")
        if len(key) > 64 or len(value) > 512:
            raise errors.bad_request(f"Invalid 'metadata.{key}': string too long.", "metadata")


def page(objects: Collection[Json], call: Call) -> Json:
    """A list as OpenAI cuts it: `limit` (20, at most 100), `order` (newest first unless asked), `after`."""
    limit = call.number("limit", 20)
    if not 1 <= limit <= 100:
        raise errors.bad_request("Invalid 'limit': integer outside of 1 to 100.", "limit")
    rows = list(objects) if call.query("order", "desc") == "asc" else list(reversed(list(objects)))
    after = call.query("after")
    if after:
        place = next((place for place, row in enumerate(rows) if row["id"] == after), None)
        if place is None:
            raise errors.bad_request(f"Invalid 'after': no object with id '{after}'.", "after")
        rows = rows[place + 1 :]
    return as_list(rows[:limit], has_more=len(rows) > limit)


def as_list(rows: list[Json], *, has_more: bool = False) -> Json:
    first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
    return {"object": "list", "data": rows, "first_id": first, "last_id": last, "has_more": has_more}


def _check_key(state: State, request: web.Request) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if not state.api_key:
        return
    if scheme != "Bearer" or not key:
        raise ApiError(errors.NO_KEY)
    if key != state.api_key:
        raise ApiError(errors.wrong_key(key))


async def _read_body(request: web.Request) -> Json:
    text = await request.text()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.bad_request("We could not parse the JSON body of your request.")
    return cast(Json, body)
