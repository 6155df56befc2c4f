"""A server that plays recorded answers, and keeps what it was asked."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

SAMPLES = Path(__file__).parents[2] / "samples" / "openai"


@dataclass
class Asked:
    method: str
    path: str
    body: dict[str, Any]
    connection: object  # the same for calls over the same one


@dataclass
class Answer:
    body: bytes
    status: int
    content_type: str
    headers: dict[str, str]


@dataclass
class Tape:
    """What is not recorded is answered 404, as by a server that does not have that API."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list[Asked])
    _answers: dict[tuple[str, str], deque[Answer]] = field(default_factory=dict[tuple[str, str], deque[Answer]])

    def plays(
        self,
        call: str,
        answer: str | dict[str, Any],
        status: int = 200,
        content_type: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        """`call` is like "POST /responses"; text may name a sample. The last answer of a call stays."""
        if isinstance(answer, dict):
            recorded = Answer(json.dumps(answer).encode(), status, content_type or "application/json", headers or {})
        elif answer.endswith(".sse"):
            recorded = Answer(
                (SAMPLES / answer).read_bytes(), status, content_type or "text/event-stream", headers or {}
            )
        else:
            recorded = Answer(answer.encode(), status, content_type or "text/plain", headers or {})
        method, _, path = call.partition(" ")
        self._answers.setdefault((method, path), deque()).append(recorded)

    def bodies(self, call: str) -> list[dict[str, Any]]:
        """What was sent with each such call."""
        return [asked.body for asked in self.asked if f"{asked.method} {asked.path}" == call]

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v1")
        body: dict[str, Any] = await request.json() if request.can_read_body else {}
        self.asked.append(Asked(request.method, path, body, request.transport))
        answers = self._answers.get((request.method, path))
        if answers is None:
            return web.json_response({"error": {"message": f"Invalid URL ({request.method} {path})"}}, status=404)
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        return web.Response(
            body=answer.body, status=answer.status, content_type=answer.content_type, headers=answer.headers
        )


@asynccontextmanager
async def playing() -> AsyncGenerator[Tape]:
    tape = Tape()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tape.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tape.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield tape
    await runner.cleanup()
