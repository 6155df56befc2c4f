"""The Responses API: one answer each, bound to a conversation, chained to an earlier response, or standing alone."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, field

from aiohttp import web

from playground.openai import conversations, errors, parameters
from playground.openai.calls import Call, Route, answer, answer_or_cut, page
from playground.openai.errors import ApiError
from playground.openai.faults import JsonInstead
from playground.openai.items import read_input, said
from playground.openai.lifecycle import Events, Lifecycle
from playground.openai.record import Json, Said
from playground.openai.script import Script, count_tokens
from playground.openai.sse import Log, send
from playground.openai.state import Conversation, State, new_id, unix_now


@dataclass
class _Kept:
    """A response and what it is made from."""

    lifecycle: Lifecycle
    given: list[Json]
    before: list[Json]  # every item of the conversation or of the chain
    conversation: Conversation | None
    streamable_until: float  # monotonic
    log: Log = field(default_factory=Log)  # of a background response
    resumable: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def response(self) -> Json:
        return self.lifecycle.response

    @property
    def ended(self) -> bool:
        return self.task is not None and self.task.done()


class Responses:
    """The endpoints below /responses, and the responses that are kept."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[str, _Kept] = {}
        self._streamable: deque[_Kept] = deque()  # those with a log, oldest first

    def routes(self) -> list[Route]:
        return [
            ("POST", "/responses", self.create),
            ("POST", "/responses/input_tokens", self.count),
            ("GET", "/responses/{response}", self.retrieve),
            ("DELETE", "/responses/{response}", self.delete),
            ("POST", "/responses/{response}/cancel", self.cancel),
            ("GET", "/responses/{response}/input_items", self.list_input),
        ]

    async def create(self, call: Call) -> web.StreamResponse:
        self._must_be_on(call)
        call.allow(parameters.RESPONSE)
        _check_person(call)
        self._state.need_model(call.need("model"))
        self._check_background(call)
        given = read_input(call.need("input"))
        conversation, before = self._memory(call)
        seen = _seen(call, before + given)
        call.record.seen = tuple(seen)
        script = self._state.next_script(seen).limited(call.body.get("max_output_tokens"))
        kept = self._begin(call, script, given, before, conversation)
        if kept.response["background"]:
            kept.task = self._state.spawn(self._fill_log(kept))
            return await self._answer(call, kept, script, kept.log.follow())
        try:
            return await self._answer(call, kept, script, self._events(kept))
        finally:
            self._release(kept)

    async def count(self, call: Call) -> web.Response:
        self._must_be_on(call)
        call.allow(parameters.RESPONSE)
        _, before = self._memory(call)
        seen = _seen(call, before + read_input(call.body.get("input") or []))
        tokens = count_tokens(*(message.text for message in seen))
        return answer({"object": "response.input_tokens", "input_tokens": tokens})

    async def retrieve(self, call: Call) -> web.StreamResponse:
        kept = self._asked(call)
        if call.query("stream") != "true" or self._state.resumes == "document":
            return answer(kept.response)
        if not kept.resumable:
            message = "This response cannot be streamed: it was not created with background=true and stream=true."
            raise errors.bad_request(message, "stream")
        if time.monotonic() > kept.streamable_until:
            raise errors.bad_request(errors.TOO_OLD)
        events = kept.log.follow(call.number("starting_after", -1) + 1)
        stream = call.open_stream("responses", kept.response["id"])
        return await send(call.request, stream, events, self._state.next_resumed_fault())

    async def delete(self, call: Call) -> web.Response:
        kept = self._asked(call)
        del self._kept[kept.response["id"]]
        return answer({"id": kept.response["id"], "object": "response", "deleted": True})

    async def cancel(self, call: Call) -> web.Response:
        kept = self._asked(call)
        if not kept.response["background"]:
            raise errors.bad_request("Cannot cancel a synchronous response.")
        if kept.task is not None and kept.response["status"] in {"queued", "in_progress"}:
            kept.task.cancel()
            kept.lifecycle.response = {**kept.response, "status": "cancelled"}
        return answer(kept.response)

    async def list_input(self, call: Call) -> web.Response:
        return answer(page(self._asked(call).given, call))

    def _begin(
        self, call: Call, script: Script, given: list[Json], before: list[Json], conversation: Conversation | None
    ) -> _Kept:
        background = bool(call.body.get("background")) and self._state.background == "on"
        response = _response(call.body, conversation, background=background)
        options: Json = call.body.get("stream_options") or {}
        read = count_tokens(*(message.text for message in call.record.seen))
        delivery = self._state.deliver(script, delay=self._state.background_delay if background else 0.0)
        lifecycle = Lifecycle(
            response, script, delivery, input_tokens=read, obfuscate=options.get("include_obfuscation", True)
        )
        kept = _Kept(lifecycle, given, before, conversation, time.monotonic() + self._state.streamable)
        if conversation is not None:
            conversation.holder = response["id"]
        if background:
            kept.resumable = bool(call.body.get("stream"))
            self._kept[response["id"]] = kept
            self._drop_old_logs()
            self._streamable.append(kept)
        return kept

    def _drop_old_logs(self) -> None:
        """Events that nobody can stream any more would soon be most of the memory; who still reads them has them."""
        now = time.monotonic()
        while self._streamable and self._streamable[0].ended and self._streamable[0].streamable_until < now:
            self._streamable.popleft().log = Log()

    async def _answer(self, call: Call, kept: _Kept, script: Script, events: Events) -> web.StreamResponse:
        if call.body.get("stream") and not isinstance(script.fault, JsonInstead):
            return await send(call.request, call.open_stream("responses", kept.response["id"]), events, script.fault)
        if not kept.response["background"]:  # which is answered as soon as it exists
            async with aclosing(events):
                async for _ in events:
                    pass
        return answer_or_cut(call, kept.response, script.fault)

    async def _events(self, kept: _Kept) -> Events:
        """The events; what is remembered is remembered before the last one is sent, nothing if it never comes."""
        async with aclosing(kept.lifecycle.events()) as events:
            async for event in events:
                if event.last:
                    self._remember(kept)
                yield event

    async def _fill_log(self, kept: _Kept) -> None:
        try:
            async with aclosing(self._events(kept)) as events:
                async for event in events:
                    kept.log.append(event)
        finally:
            kept.log.close()
            self._release(kept)

    def _release(self, kept: _Kept) -> None:
        """Lets go of the conversation where that has not been done with the last event."""
        conversation = kept.conversation
        if conversation is not None and conversation.holder == kept.response["id"]:
            conversation.holder = ""
            conversation.locked_until = time.monotonic() + self._state.lock_after_abort

    def _remember(self, kept: _Kept) -> None:
        response, conversation = kept.response, kept.conversation
        if response["store"]:
            self._kept[response["id"]] = kept
        if conversation is None:
            return
        conversation.holder = ""
        if response["status"] in {"completed", "incomplete"}:
            conversation.items.extend(kept.given + response["output"])

    def _check_background(self, call: Call) -> None:
        if call.body.get("background") and self._state.background == "off":
            raise errors.bad_request("Unknown parameter: 'background'.", "background", "unknown_parameter")

    def _memory(self, call: Call) -> tuple[Conversation | None, list[Json]]:
        """What the response is bound to, and all items before it. Raises ApiError."""
        bound, previous = call.body.get("conversation"), call.body.get("previous_response_id")
        if bound and previous:
            message = "Ensure you are only providing one of: 'previous_response_id' or 'conversation'."
            raise errors.bad_request(f"Mutually exclusive parameters: {message}", code="mutually_exclusive_parameters")
        if bound and self._state.conversations == "off":
            raise errors.bad_request("Unknown parameter: 'conversation'.", "conversation", "unknown_parameter")
        if bound and self._state.conversations == "on":
            identity = bound if isinstance(bound, str) else str(bound.get("id"))
            conversation = conversations.find(self._state, identity)
            if conversation.holder or conversation.locked_until > time.monotonic():
                raise ApiError(errors.LOCKED)
            return conversation, list(conversation.items)
        if previous:
            kept = self._kept.get(previous)
            if kept is None or not kept.response["store"]:
                message = f"Previous response with id '{previous}' not found."
                raise errors.bad_request(message, "previous_response_id", "previous_response_not_found")
            return None, kept.before + kept.given + kept.response["output"]
        return None, []

    def _asked(self, call: Call) -> _Kept:
        self._must_be_on(call)
        kept = self._kept.get(call.part("response"))
        if kept is None:
            raise errors.not_found("Response", call.part("response"))
        return kept

    def _must_be_on(self, call: Call) -> None:
        if self._state.responses == "off":
            raise ApiError(errors.unknown_url(call.request.method, f"/v1{call.record.path}"))


def _seen(call: Call, items: list[Json]) -> list[Said]:
    instructions = call.body.get("instructions")
    return [*([Said("system", instructions)] if isinstance(instructions, str) else []), *said(items)]


def _check_person(call: Call) -> None:
    person = call.body.get("safety_identifier")
    if isinstance(person, str) and len(person) > 128:  # OpenAI's limit
        message = "Invalid 'safety_identifier': string too long. Expected a string with maximum length 128."
        raise errors.bad_request(message, "safety_identifier", "string_above_max_length")


def _response(body: Json, conversation: Conversation | None, *, background: bool) -> Json:
    reasoning: Json = body.get("reasoning") or {}
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": unix_now(),
        "status": "queued" if background else "in_progress",
        "background": background,
        "completed_at": None,
        "conversation": {"id": conversation.wire["id"]} if conversation is not None else None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": reasoning.get("effort", "medium"), "summary": reasoning.get("summary")},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": body.get("store", True) is not False,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_logprobs": body.get("top_logprobs", 0),
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": None,
        "user": body.get("user"),
    }
