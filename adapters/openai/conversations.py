"""Conversations on the server: made, told what was said, and asked what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from openai import APIStatusError, AsyncOpenAI

from adapters.openai.client import given, path
from adapters.openai.errors import FAULTS
from adapters.openai.fields import many, text
from adapters.openai.memory import Message, as_json


class Conversations:
    """Errors of the SDK pass through."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def create(self, said: Sequence[Message]) -> str:
        """A new conversation that knows this; empty where the server has no conversations."""
        items = [as_json(message) for message in said]
        body = {"metadata": {"made_by": "rivulet"}} | given(items=items[:_CHUNK])
        try:
            made = await self._client.post(path("conversations"), body=body, cast_to=object)
        except APIStatusError as error:
            if error.status_code not in _NONE_HERE:
                raise
            made = None
        conversation = text(made, "id")  # empty also where a catch-all page answers 200
        if not conversation:
            return ""
        try:
            for start in range(_CHUNK, len(items), _CHUNK):
                body = {"items": items[start : start + _CHUNK]}
                await self._client.post(path("conversations", conversation, "items"), body=body, cast_to=object)
        except FAULTS:
            with suppress(*FAULTS):  # one that knows a half of the history is of no use
                await self.delete(conversation)
            raise
        return conversation

    async def delete(self, conversation: str) -> None:
        await self._client.delete(path("conversations", conversation), cast_to=object)

    async def newest(self, conversation: str) -> list[Message]:
        """The newest messages that the server holds, oldest first."""
        newest = {"limit": _NEWEST, "order": "desc"}
        page = await self._client.get(
            path("conversations", conversation, "items"), cast_to=object, options={"params": newest}
        )
        held = [message for item in many(page, "data") if (message := _message(item))]
        return held[::-1]


_CHUNK = 20  # items: OpenAI's limit for one call
_NEWEST = 100  # items: the most that one call lists; reasoning and tool calls are items too

# How servers without an API answer to it; 400: some say so for every path that they do not know.
_NONE_HERE = {400, 404, 405, 501}


def _message(item: Any) -> Message | None:
    role = text(item, "role")
    if text(item, "type") != "message" or role not in ("user", "assistant"):
        return None
    texts = [text(part, "text") or text(part, "refusal") for part in many(item, "content")]
    return Message(role, "\n\n".join(filter(None, texts)))
