"""The Assistants API, part one: assistants, threads and messages. OpenAI removed it on 2026-08-26; here it lives on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from playground.openai import errors, parameters
from playground.openai.calls import Call, Route, answer, check_kind, check_metadata, page
from playground.openai.errors import ApiError, HttpError
from playground.openai.record import Json
from playground.openai.state import State, new_id, unix_now


@dataclass
class Thread:
    """A thread with its messages, oldest first."""

    wire: Json
    messages: list[Json] = field(default_factory=list[Json])
    active_run: str = ""  # the run that holds it


class Assistants:
    """The endpoints below /assistants and /threads, except those of runs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._assistants: dict[str, Json] = {}
        self._threads: dict[str, Thread] = {}

    def routes(self) -> list[Route]:
        return [
            ("POST", "/assistants", self.create),
            ("GET", "/assistants", self.list),
            ("GET", "/assistants/{assistant}", self.retrieve),
            ("POST", "/assistants/{assistant}", self.update),
            ("DELETE", "/assistants/{assistant}", self.delete),
            ("POST", "/threads", self.create_thread),
            ("GET", "/threads/{thread}", self.retrieve_thread),
            ("POST", "/threads/{thread}", self.update_thread),
            ("DELETE", "/threads/{thread}", self.delete_thread),
            ("POST", "/threads/{thread}/messages", self.create_message),
            ("GET", "/threads/{thread}/messages", self.list_messages),
            ("GET", "/threads/{thread}/messages/{message}", self.retrieve_message),
            ("DELETE", "/threads/{thread}/messages/{message}", self.delete_message),
        ]

    def check(self, call: Call) -> None:
        """Raises ApiError where the API is gone, or was not asked for by its beta header."""
        if self._state.assistants == "off":
            raise ApiError(errors.unknown_url(call.request.method, f"/v1{call.record.path}"))
        if call.request.headers.get("OpenAI-Beta") != "assistants=v2":
            raise ApiError(errors.NO_BETA)

    def assistant(self, identity: str) -> Json:
        return self._assistants.get(identity) or _missing("assistant", identity)

    def thread(self, identity: str) -> Thread:
        return self._threads.get(identity) or _missing("thread", identity)

    def make_thread(self, body: Json) -> Thread:
        """Raises ApiError where the messages or the metadata are not as they should be."""
        for name in ("messages", "metadata"):
            check_kind(name, body.get(name))
        check_metadata(body.get("metadata"))
        wire: Json = {"id": new_id("thread"), "object": "thread", "created_at": unix_now()}
        thread = Thread({**wire, "metadata": body.get("metadata") or {}, "tool_resources": {}})
        messages: list[Json] = body.get("messages") or []
        for message in messages:
            add_message(thread, message)
        self._threads[wire["id"]] = thread
        return thread

    async def create(self, call: Call) -> web.Response:
        self.check(call)
        call.allow(parameters.ASSISTANT)
        self._state.need_model(call.need("model"))
        assistant: Json = {
            "id": new_id("asst"),
            "object": "assistant",
            "created_at": unix_now(),
            "description": None,
            "instructions": None,
            "metadata": {},
            "name": None,
            "response_format": "auto",
            "temperature": 1.0,
            "tools": [],
            "tool_resources": {},
            "top_p": 1.0,
            **call.body,
        }
        self._assistants[assistant["id"]] = assistant
        return answer(assistant)

    async def list(self, call: Call) -> web.Response:
        self.check(call)
        return answer(page(self._assistants.values(), call))

    async def retrieve(self, call: Call) -> web.Response:
        self.check(call)
        return answer(self.assistant(call.part("assistant")))

    async def update(self, call: Call) -> web.Response:
        self.check(call)
        assistant = self.assistant(call.part("assistant"))
        call.allow(parameters.ASSISTANT)
        if "model" in call.body:
            self._state.need_model(call.body["model"])
        assistant.update(call.body)
        return answer(assistant)

    async def delete(self, call: Call) -> web.Response:
        self.check(call)
        identity = self.assistant(call.part("assistant"))["id"]
        del self._assistants[identity]
        return answer({"id": identity, "object": "assistant.deleted", "deleted": True})

    async def create_thread(self, call: Call) -> web.Response:
        self.check(call)
        call.allow({"messages", "metadata", "tool_resources"})
        return answer(self.make_thread(call.body).wire)

    async def retrieve_thread(self, call: Call) -> web.Response:
        return answer(self._asked(call).wire)

    async def update_thread(self, call: Call) -> web.Response:
        thread = self._asked(call)
        call.allow({"metadata", "tool_resources"})
        thread.wire.update(call.body)
        return answer(thread.wire)

    async def delete_thread(self, call: Call) -> web.Response:
        identity = self._asked(call).wire["id"]
        del self._threads[identity]
        return answer({"id": identity, "object": "thread.deleted", "deleted": True})

    async def create_message(self, call: Call) -> web.Response:
        thread = self._asked(call)
        call.allow({"attachments", "content", "metadata", "role"})
        if thread.active_run:
            message = f"Can't add messages to {thread.wire['id']} while a run {thread.active_run} is active."
            raise errors.bad_request(message)
        return answer(add_message(thread, call.body))

    async def list_messages(self, call: Call) -> web.Response:
        run = call.query("run_id")
        messages = [m for m in self._asked(call).messages if not run or m["run_id"] == run]
        if not self._state.messages_grow:
            messages = [m for m in messages if m["status"] != "in_progress"]
        return answer(page(messages, call))

    async def retrieve_message(self, call: Call) -> web.Response:
        return answer(self._message(call))

    async def delete_message(self, call: Call) -> web.Response:
        message = self._message(call)
        self._asked(call).messages.remove(message)
        return answer({"id": message["id"], "object": "thread.message.deleted", "deleted": True})

    def _asked(self, call: Call) -> Thread:
        self.check(call)
        return self.thread(call.part("thread"))

    def _message(self, call: Call) -> Json:
        identity = call.part("message")
        return next((m for m in self._asked(call).messages if m["id"] == identity), None) or _missing(
            "message", identity
        )


def add_message(thread: Thread, given: Any) -> Json:
    """Adds what a client wrote. Raises ApiError."""
    fields = cast(Json, given) if isinstance(given, dict) else {}
    role, content = fields.get("role"), fields.get("content")
    if role not in ("user", "assistant"):
        raise errors.bad_request(f"Invalid value: '{role}'. Supported values are: 'user' and 'assistant'.", "role")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list) or not content:
        raise errors.bad_request("Missing required parameter: 'content'.", "content", "missing_required_parameter")
    check_metadata(fields.get("metadata"))
    message = new_message(thread, role)
    message.update(
        status="completed",
        completed_at=unix_now(),
        content=[_block(part) for part in cast(list[Any], content)],
        metadata=fields.get("metadata") or {},
        attachments=fields.get("attachments") or [],
    )
    thread.messages.append(message)
    return message


def new_message(thread: Thread, role: str) -> Json:
    return {
        "id": new_id("msg"),
        "object": "thread.message",
        "created_at": unix_now(),
        "thread_id": thread.wire["id"],
        "role": role,
        "status": "in_progress",
        "content": [],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "completed_at": None,
        "incomplete_at": None,
        "incomplete_details": None,
        "metadata": {},
    }


def text_of(message: Json) -> str:
    """What the model reads in a message."""
    blocks: list[Json] = message["content"]
    texts = [block["text"]["value"] if block["type"] == "text" else block.get("refusal", "") for block in blocks]
    return "".join(texts)


def _block(part: Any) -> Json:
    fields = cast(Json, part) if isinstance(part, dict) else {}
    match fields.get("type"):
        case "text" if isinstance(fields.get("text"), str):
            return {"type": "text", "text": {"value": fields["text"], "annotations": []}}
        case "image_url" | "image_file":
            return fields
        case kind:
            raise errors.bad_request(f"Invalid value: '{kind}'.", "content", "invalid_value")


def _missing(what: str, identity: str) -> Any:
    raise ApiError(HttpError(404, f"No {what} found with id '{identity}'."))
