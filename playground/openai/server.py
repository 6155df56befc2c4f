"""OpenAI's stand-in: the three APIs that answer questions, below /openai/v1."""

from __future__ import annotations

from aiohttp import web

from playground.openai import chat, conversations, errors, models
from playground.openai.assistants import Assistants
from playground.openai.calls import PREFIX, Call, Route, handler
from playground.openai.errors import ApiError
from playground.openai.record import Api
from playground.openai.responses import Responses
from playground.openai.runs import Runs
from playground.openai.state import State


class OpenAIStandIn(State):
    """Point an OpenAI client at `<server>/openai/v1`, queue answers with `script`, look at `requests` and `streams`.

    The application must be run with `handler_cancellation=True`, so that a client that goes away is noticed at once.
    """

    def mount(self, app: web.Application) -> None:
        assistants = Assistants(self)
        runs = Runs(self, assistants)
        tables: list[tuple[Api, list[Route]]] = [
            ("responses", Responses(self).routes()),
            ("conversations", conversations.ROUTES),
            ("assistants", runs.routes() + assistants.routes()),  # /threads/runs before /threads/{thread}
            ("chat", chat.ROUTES),
            ("models", models.ROUTES),
            ("models", [("*", "/{anything:.*}", _unknown_url)]),
        ]
        for api, routes in tables:
            for method, path, endpoint in routes:
                app.router.add_route(method, PREFIX + path, handler(self, api, endpoint))

    async def close(self) -> None:
        """Ends runs and background responses that are still going on."""
        await self.close_tasks()


async def _unknown_url(call: Call) -> web.StreamResponse:
    raise ApiError(errors.unknown_url(call.request.method, f"/v1{call.record.path}"))
