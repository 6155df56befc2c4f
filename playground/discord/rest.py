"""REST v10: the way of every call, from its arrival through its effect to its answer.

    arrival --- latency/2 ---> fault? token? limits? then the effect --- latency/2 ---> answer

A call that has arrived takes effect even if the caller hangs up meanwhile, as it does at Discord.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from aiohttp import web

from playground.discord.bodies import read_body
from playground.discord.call import Answer, Call
from playground.discord.errors import ApiError, not_found, unauthorized
from playground.discord.faults import Fault, Faults
from playground.discord.limits import Budgets, Limit, Refusal
from playground.discord.route import Route
from playground.discord.settings import Settings
from playground.timeline import Timeline

log = logging.getLogger(__name__)

BASE = "/discord/api/v10"
_NOWHERE = Route("*", "/{rest:.*}", lambda _: _no_such_route(), bot=False)


@dataclass(frozen=True, slots=True)
class Called:
    """One call and how it was answered."""

    at: float  # seconds, on the timeline's clock
    method: str
    path: str
    status: int  # 0: it was never answered


@dataclass
class Rest:
    timeline: Timeline
    settings: Settings
    budgets: Budgets
    faults: Faults = field(default_factory=Faults)
    calls: list[Called] = field(default_factory=list[Called])
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    _running: set[asyncio.Task[Answer | Fault]] = field(default_factory=set[asyncio.Task[Answer | Fault]])

    def mount(self, app: web.Application, routes: Sequence[Route]) -> None:
        for route in [*routes, _NOWHERE]:
            app.router.add_route(route.method, BASE + route.path, partial(self._handle, route))

    async def close(self) -> None:
        """Waits for the effects of calls that have arrived."""
        await asyncio.gather(*self._running)

    async def _handle(self, route: Route, request: web.Request) -> web.Response:
        path = request.path.removeprefix(BASE)
        call = Call(request.method, path, request.match_info, request.query, await read_body(request))
        effect = asyncio.create_task(self._take_effect(route, call, request.headers.get("Authorization", "")))
        self._running.add(effect)
        effect.add_done_callback(self._running.discard)
        answer = await asyncio.shield(effect)
        await asyncio.sleep(self.settings.latency / 2)
        if isinstance(answer, Answer):
            return _response(answer)
        if answer.hang:
            await asyncio.Event().wait()  # until the caller hangs up
        if request.transport:
            request.transport.abort()
        return web.Response()  # goes nowhere

    async def _take_effect(self, route: Route, call: Call, authorization: str) -> Answer | Fault:
        """The fault where there is to be no answer."""
        await asyncio.sleep(self.settings.latency / 2)
        fault = self.faults.take(call.method, call.path)
        if fault is None or fault.after_effect:
            answer = self._answer(route, call, authorization)
            if fault is None:
                return self._recorded(call, answer)
        if fault.drop or fault.hang:
            self.calls.append(Called(self.timeline.now(), call.method, call.path, 0))
            return fault
        return self._recorded(call, Answer(fault.body, fault.status, fault.headers))

    def _recorded(self, call: Call, answer: Answer) -> Answer:
        self.calls.append(Called(self.timeline.now(), call.method, call.path, answer.status))
        if answer.status == 429:
            self._refused(call, answer)
        return answer

    def _answer(self, route: Route, call: Call, authorization: str) -> Answer:
        headers: dict[str, str] = {}
        try:
            if route.bot:
                if authorization != f"Bot {self.settings.token}":
                    raise unauthorized()
                self.budgets.admit_bot(self.settings.limits.whole_bot)
            if route.counted:
                limit: Limit = getattr(self.settings.limits, route.counted)
                headers = self.budgets.admit(route.counted, call.ids[route.major], limit)
            answer = route.handle(call)
        except ApiError as error:
            return Answer(error.body, error.status, {**headers, **error.headers})
        return Answer(answer.body, answer.status, {**headers, **answer.headers})

    def _refused(self, call: Call, answer: Answer) -> None:
        body = cast("dict[str, Any]", answer.body) if isinstance(answer.body, dict) else {}
        scope = answer.headers.get("X-RateLimit-Scope", "")
        refusal = Refusal(self.timeline.now(), call.method, call.path, scope, float(body.get("retry_after", 0)))
        self.refusals.append(refusal)
        log.info("discord.refused", extra={"method": call.method, "path": call.path, "scope": scope})


def _response(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=204 if answer.status == 200 else answer.status, headers={**_VIA, **answer.headers})
    if isinstance(answer.body, str):
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)
    # Exactly this content type: with a charset behind it, discord.py would not see JSON.
    headers = {**_VIA, "Content-Type": "application/json", **answer.headers}
    return web.Response(status=answer.status, body=json.dumps(answer.body).encode(), headers=headers)


_VIA = {"Via": "1.1 google"}  # by which discord.py tells Discord's 429 from that of a proxy in between


def _no_such_route() -> Answer:
    raise not_found()
