"""The Web API: a call arrives, takes effect after half of the latency, and is answered after the other half.

A call that has arrived takes effect even if its caller hangs up, as on the real server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from playground.slack.arguments import Call, read_call
from playground.slack.errors import SlackError, TooMany
from playground.slack.faults import Answer, Faults
from playground.slack.methods import METHODS
from playground.slack.service import Service

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Called:
    """One call and how it ended."""

    at: float  # seconds on the timeline's clock
    method: str
    channel: str
    outcome: str  # "ok", Slack's error code, or "fault"


class WebAPI:
    """Every method under one path."""

    def __init__(self, service: Service, tokens: dict[str, str], latency: Callable[[], float]) -> None:
        self.calls: list[Called] = []
        self.faults = Faults()
        self._service = service
        self._tokens = tokens
        self._latency = latency
        self._running: set[asyncio.Task[Answer]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call over HTTP."""
        try:
            call: Call | SlackError = await read_call(request)
        except SlackError as error:
            call = error
        work = asyncio.create_task(self._delayed(request.match_info["method"], call))
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        answer = await asyncio.shield(work)
        if answer.hang:
            await asyncio.Event().wait()  # until the caller hangs up
        if answer.drop and request.transport is not None:
            request.transport.abort()
        return self._response(answer)

    async def close(self) -> None:
        for work in self._running:
            work.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _delayed(self, method: str, call: Call | SlackError) -> Answer:
        await asyncio.sleep(self._latency() / 2)
        answer = self._answer(method, call)
        await asyncio.sleep(self._latency() / 2)
        return answer

    def _answer(self, method: str, call: Call | SlackError) -> Answer:
        channel = _channel(call)
        fault = self.faults.take(method, channel)
        if fault is not None and not fault.after_effect:
            self._note(method, channel, "fault")
            return fault.answer
        try:
            if isinstance(call, SlackError):
                raise call
            answer = Answer(body={"ok": True, **self._effect(call, channel)})
        except TooMany as error:
            answer = self._refused(error)
        except SlackError as error:
            answer = Answer(body=error.as_dict())
        outcome = "ok" if isinstance(answer.body, dict) and answer.body["ok"] else str(_error(answer))
        self._note(method, channel, "fault" if fault is not None else outcome)
        return answer if fault is None else fault.answer

    def _effect(self, call: Call, channel: str) -> dict[str, Any]:
        method, features = METHODS.get(call.method), self._service.features
        if method is None or not features.known(call.method):
            raise SlackError("unknown_method", req_method=call.method)
        if not call.token:
            raise SlackError("not_authed")
        if call.token not in self._tokens:
            raise SlackError("invalid_auth")
        if self._tokens[call.token] != method.token:
            raise SlackError("not_allowed_token_type")
        self._service.limiter.count(call.method, method.tier, channel)
        self._service.require_scope(method.scope)
        features.require(call.method, self._service.workspace.channels.get(channel))
        return method.run(self._service, call.arguments(json_allowed=method.json_allowed))

    def _refused(self, error: TooMany) -> Answer:
        if self._service.limits.refuse_with_200:
            return Answer(body={"ok": False, "error": "rate_limited"})
        return Answer(429, error.as_dict(), {"Retry-After": str(error.retry_after)})

    def _note(self, method: str, channel: str, outcome: str) -> None:
        self.calls.append(Called(self._service.timeline.now(), method, channel, outcome))
        if outcome != "ok":
            log.info("slack.call.refused", extra={"method": method, "outcome": outcome})

    def _response(self, answer: Answer) -> web.Response:
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._service.scopes)), **answer.headers}
        if isinstance(answer.body, dict):
            return web.json_response(answer.body, status=answer.status, headers=headers)
        kind = headers.pop("Content-Type", "text/html")
        return web.Response(status=answer.status, text=answer.body, headers=headers, content_type=kind)


def _channel(call: Call | SlackError) -> str:
    if isinstance(call, SlackError):
        return ""
    arguments = call.arguments(json_allowed=True)
    return arguments.text("channel") or arguments.text("channel_id")


def _error(answer: Answer) -> Any:
    return answer.body.get("error") if isinstance(answer.body, dict) else answer.status
