"""Whatever is sent, the answer is a sentence in OpenAI's form, never a traceback."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from playground.openai import parameters
from playground.openai.server import OpenAIStandIn

ODD: list[Any] = [
    7,
    "x",
    [],
    [7],
    {"id": 7},
    [{"type": []}],
    [{"role": [], "content": {}}],
    [{"role": "user", "content": [7]}],
    [{"role": "user", "content": [{"type": []}]}],
]


@pytest.mark.parametrize(
    ("path", "good", "known"),
    [
        ("/responses", {"model": "gpt-6-luna", "input": "Hi"}, parameters.RESPONSE),
        ("/responses/input_tokens", {"input": "Hi"}, {"input", "conversation", "previous_response_id"}),
        (
            "/chat/completions",
            {"model": "llama3.3", "messages": [{"role": "user", "content": "Hi"}]},
            parameters.COMPLETION,
        ),
        ("/conversations", {}, {"items", "metadata"}),
        ("/assistants", {"model": "gpt-6-luna"}, parameters.ASSISTANT),
        ("/threads", {}, {"messages", "metadata", "tool_resources"}),
        ("/threads/runs", {"assistant_id": "ASSISTANT"}, parameters.THREAD_AND_RUN),
        ("/threads/THREAD/runs", {"assistant_id": "ASSISTANT"}, parameters.RUN),
        ("/threads/THREAD/messages", {"role": "user", "content": "Hi"}, {"role", "content", "metadata", "attachments"}),
    ],
)
async def test_a_value_of_a_wrong_kind_is_no_accident(
    stand_in: OpenAIStandIn, base_url: str, path: str, good: dict[str, Any], known: set[str]
) -> None:
    headers = {"Authorization": f"Bearer {stand_in.api_key}", "OpenAI-Beta": "assistants=v2"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def post(path: str, body: Any) -> tuple[int, Any]:
            async with session.post(base_url + path, json=body) as response:
                return response.status, await response.json() if response.content_type == "application/json" else None

        _, assistant = await post("/assistants", {"model": "gpt-6-luna"})
        for name in sorted(known):
            for value in ODD:
                thread = (await post("/threads", {}))[1] if "THREAD" in path else {"id": ""}
                body = {**good, name: value}
                if body.get("assistant_id") == "ASSISTANT":
                    body["assistant_id"] = assistant["id"]
                status, answer = await post(path.replace("THREAD", thread["id"]), body)
                assert status < 500, (name, value)
                assert status == 200 or answer["error"]["message"]
