"""Chat Completions: the whole history comes with every question, and nothing is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from aiohttp import web

from playground.openai import errors, parameters
from playground.openai.calls import Call, Route, answer_or_cut
from playground.openai.errors import ApiError, HttpError
from playground.openai.faults import ErrorEvent, Failed, Incomplete, JsonInstead
from playground.openai.record import Json, Said
from playground.openai.script import Part, Script, count_tokens
from playground.openai.sse import Event, obfuscation, send
from playground.openai.state import new_id, unix_now

_ROLES = ("developer", "system", "user", "assistant", "tool", "function")


async def create(call: Call) -> web.StreamResponse:
    state, body = call.state, call.body
    if state.chat == "off":
        raise ApiError(errors.unknown_url("POST", "/v1/chat/completions"))
    call.allow(parameters.COMPLETION)
    model = call.need("model")
    state.need_model(model)
    _check_gpt_6(call, model)
    seen = _read_messages(call.need("messages"))
    call.record.seen = tuple(seen)
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    script = state.next_script(seen).limited(limit)
    completion = _Completion(call, script, read=count_tokens(*(message.text for message in seen)))
    events = completion.events()
    if body.get("stream") and not isinstance(script.fault, JsonInstead):
        return await send(call.request, call.open_stream("chat", completion.id), events, script.fault)
    async with aclosing(events):
        async for _ in events:
            pass
    if isinstance(script.fault, Failed | ErrorEvent):
        raise ApiError(HttpError(500, script.fault.message, "server_error", script.fault.code))
    return answer_or_cut(call, completion.whole(), script.fault)


ROUTES: list[Route] = [("POST", "/chat/completions", create)]


class _Completion:
    """One completion, as chunks and as a whole."""

    def __init__(self, call: Call, script: Script, *, read: int) -> None:
        options: Json = call.body.get("stream_options") or {}
        self.id = new_id("chatcmpl")
        self._created = unix_now()
        self._model: str = call.body["model"]
        self._script = script
        self._read = read
        self._delivery = call.state.deliver(script)
        self._with_usage = bool(options.get("include_usage"))
        self._obfuscate = options.get("include_obfuscation", True)
        self._message: Json = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
        self._calls: list[Json] = []

    async def events(self) -> AsyncGenerator[Event, None]:
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        for part in self._script.parts():
            if part.kind in {"commentary", "search"}:
                continue  # this API has one message, no phases and no tools of its own
            async for event in self._part(part):
                yield event
            if self._delivery.broken:
                break
        await self._delivery.finish()
        fault = self._script.fault
        if isinstance(fault, Failed | ErrorEvent):
            error: Json = {"message": fault.message, "type": "server_error", "param": None, "code": fault.code}
            flat = isinstance(fault, ErrorEvent) and not fault.nested
            yield Event({"object": "error", **error} if flat else {"error": error}, last=True)
        else:
            yield self._chunk({}, finish=self._finish_reason(), last=True)
            if self._with_usage:
                yield Event(self._wire("chat.completion.chunk", [], usage=self._usage()))
        yield Event("[DONE]")

    def whole(self) -> Json:
        message = {**self._message, **({"tool_calls": self._calls} if self._calls else {})}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason()}
        return self._wire("chat.completion", [choice], usage=self._usage())

    async def _part(self, part: Part) -> AsyncGenerator[Event, None]:
        match part.kind:
            case "reasoning":  # not OpenAI's: how local servers show it
                async for piece in self._delivery.pieces(part):
                    yield self._chunk({"reasoning_content": piece})
            case "call":
                place = len(self._calls)
                call: Json = {"id": new_id("call"), "type": "function"}
                yield self._call_chunk(place, {**call, "function": {"name": part.name, "arguments": ""}})
                async for piece in self._delivery.pieces(part):
                    yield self._call_chunk(place, {"function": {"arguments": piece}})
                self._calls.append({**call, "function": {"name": part.name, "arguments": part.text}})
            case _:
                name = "refusal" if part.kind == "refusal" else "content"
                async for piece in self._delivery.pieces(part):
                    self._message[name] = (self._message[name] or "") + piece
                    yield self._chunk({name: piece}, spoken=piece)

    def _finish_reason(self) -> str:
        match self._script.fault:
            case Incomplete("max_output_tokens"):
                return "length"
            case Incomplete("content_filter"):
                return "content_filter"
            case _:
                return "tool_calls" if self._calls else "stop"

    def _call_chunk(self, place: int, call: Json) -> Event:
        return self._chunk({"tool_calls": [{"index": place, **call}]})

    def _chunk(self, delta: Json, *, finish: str | None = None, spoken: str = "", last: bool = False) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        extra: Json = {"usage": None} if self._with_usage else {}
        if self._obfuscate:
            extra["obfuscation"] = obfuscation(spoken)
        return Event(self._wire("chat.completion.chunk", [choice], **extra), delta=spoken, last=last)

    def _wire(self, kind: str, choices: list[Json], **fields: Any) -> Json:
        head = {"id": self.id, "object": kind, "created": self._created, "model": self._model}
        return {**head, "service_tier": "default", "choices": choices, **fields}

    def _usage(self) -> Json:
        thought = count_tokens(self._script.reasoning)
        written = self._delivery.count + thought
        return {
            "prompt_tokens": self._read,
            "completion_tokens": written,
            "total_tokens": self._read + written,
            "completion_tokens_details": {"reasoning_tokens": thought},
            "prompt_tokens_details": {"cached_tokens": 0},
        }


def _check_gpt_6(call: Call, model: str) -> None:
    """What the newest models refuse; servers of one's own take it."""
    if not model.startswith("gpt-6"):
        return
    if "max_tokens" in call.body:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise errors.bad_request(message, "max_tokens", "unsupported_parameter")
    if call.body.get("tools") and call.body.get("reasoning_effort") != "none":
        message = (
            "Tool calls are not supported with this model in Chat Completions unless 'reasoning_effort' is 'none'."
        )
        raise errors.bad_request(message, "reasoning_effort", "unsupported_value")


def _read_messages(messages: Any) -> list[Said]:
    if not isinstance(messages, list) or not messages:
        raise errors.bad_request("Invalid 'messages': expected an array with at least one message.", "messages")
    return [_read(message, f"messages[{place}]") for place, message in enumerate(cast(list[Any], messages))]


def _read(message: Any, param: str) -> Said:
    if not isinstance(message, dict):
        raise errors.bad_request(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    fields = cast(Json, message)
    role, content = fields.get("role"), fields.get("content")
    if role not in _ROLES:
        raise errors.bad_request(f"Invalid value: '{role}'.", f"{param}.role", "invalid_value")
    if content is None and role == "assistant":  # it called tools, or it refused
        return Said(role, fields.get("refusal") or "")
    if isinstance(content, list):
        parts = [cast(Json, part) for part in cast(list[Any], content) if isinstance(part, dict)]
        return Said(role, "".join(str(part.get("text") or part.get("refusal") or "") for part in parts))
    if not isinstance(content, str):
        message = (
            f"Invalid value for 'content': expected a string, got {'null' if content is None else 'something else'}."
        )
        raise errors.bad_request(message, f"{param}.content")
    return Said(role, content)
