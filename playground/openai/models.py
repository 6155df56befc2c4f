"""GET /models: which models there are."""

from __future__ import annotations

from aiohttp import web

from playground.openai.calls import Call, Route, answer
from playground.openai.record import Json

# Announced ends, as OpenAI's own list tells them.
_SHUTDOWN = {"gpt-4o-mini": "2027-01-14"}
_CREATED = 1_780_000_000  # any moment will do; it only has to stay the same


async def list_models(call: Call) -> web.Response:
    return answer({"object": "list", "data": [_model(name) for name in call.state.models]})


async def retrieve(call: Call) -> web.Response:
    name = call.part("model")
    call.state.need_model(name)
    return answer(_model(name))


ROUTES: list[Route] = [("GET", "/models", list_models), ("GET", "/models/{model}", retrieve)]


def _model(name: str) -> Json:
    model: Json = {"id": name, "object": "model", "created": _CREATED, "owned_by": "system"}
    return {**model, "shutdown_date": _SHUTDOWN[name]} if name in _SHUTDOWN else model
