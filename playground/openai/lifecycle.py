"""The events of one response, in the order in which OpenAI sends them.

created, (queued,) in_progress, then for each output item: added, its parts' deltas, done; then one terminal event. The
terminal event is where success is told from failure, and a stream may end without one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Literal

from playground.openai.faults import ErrorEvent, Failed, Incomplete
from playground.openai.record import Json
from playground.openai.script import SPOKEN, Delivery, Part, Script, count_tokens
from playground.openai.sse import Event, obfuscation
from playground.openai.state import new_id, unix_now

Events = AsyncGenerator[Event, None]


class Lifecycle:
    """Makes the response while its events are drawn; `response` is always its present state."""

    def __init__(
        self, response: Json, script: Script, delivery: Delivery, *, input_tokens: int, obfuscate: bool
    ) -> None:
        self.response = response
        self._script = script
        self._delivery = delivery
        self._input_tokens = input_tokens
        self._obfuscate = obfuscate
        self._number = -1

    async def events(self) -> Events:
        yield self._state("created", last=False)
        if self.response["background"]:
            yield self._state("queued", last=False)
        self.response = {**self.response, "status": "in_progress"}
        yield self._state("in_progress", last=False)
        for part in self._script.parts():
            async for event in self._item(part):
                yield event
            if self._delivery.broken:
                break
        await self._delivery.finish()
        for event in self._end():
            yield event

    def _item(self, part: Part) -> Events:
        match part.kind:
            case "reasoning":
                return self._reasoning(part)
            case "call":
                return self._call(part)
            case "search":
                return self._search(part)
            case _:
                return self._message(part)

    async def _reasoning(self, part: Part) -> Events:
        item: Json = {"id": new_id("rs"), "type": "reasoning", "summary": []}
        place = {"item_id": item["id"], "output_index": len(self.response["output"]), "summary_index": 0}
        yield self._event("output_item.added", {"output_index": place["output_index"], "item": item})
        yield self._event("reasoning_summary_part.added", {**place, "part": {"type": "summary_text", "text": ""}})
        async for piece in self._delivery.pieces(part):
            yield self._delta("reasoning_summary_text.delta", piece, place)
        summary = {"type": "summary_text", "text": part.text}
        yield self._event("reasoning_summary_text.done", {**place, "text": part.text})
        yield self._event("reasoning_summary_part.done", {**place, "part": summary})
        yield self._done({**item, "summary": [summary]})

    async def _call(self, part: Part) -> Events:
        item: Json = {
            "id": new_id("fc"),
            "type": "function_call",
            "status": "in_progress",
            "call_id": new_id("call"),
            "name": part.name,
            "arguments": "",
        }
        place = {"item_id": item["id"], "output_index": len(self.response["output"])}
        yield self._event("output_item.added", {"output_index": place["output_index"], "item": item})
        async for piece in self._delivery.pieces(part):
            yield self._delta("function_call_arguments.delta", piece, place)
        yield self._event("function_call_arguments.done", {**place, "name": part.name, "arguments": part.text})
        yield self._done({**item, "arguments": part.text, "status": "completed"})

    async def _search(self, part: Part) -> Events:
        item: Json = {"id": new_id("ws"), "type": "web_search_call", "status": "in_progress"}
        place = {"item_id": item["id"], "output_index": len(self.response["output"])}
        yield self._event("output_item.added", {"output_index": place["output_index"], "item": item})
        yield self._event("web_search_call.in_progress", place)
        yield self._event("web_search_call.searching", place)
        async for _ in self._delivery.pieces(part):
            pass  # it takes the time of its words, and shows nothing of them
        yield self._event("web_search_call.completed", place)
        yield self._done({**item, "status": "completed", "action": {"type": "search", "query": part.text}})

    async def _message(self, part: Part) -> Events:
        kind: Literal["refusal", "output_text"] = "refusal" if part.kind == "refusal" else "output_text"
        item: Json = {"id": new_id("msg"), "type": "message", "status": "in_progress", "role": "assistant"}
        item = {**item, "content": [], "phase": "commentary" if part.kind == "commentary" else "final_answer"}
        place = {"item_id": item["id"], "output_index": len(self.response["output"]), "content_index": 0}
        logprobs: Json = {} if kind == "refusal" else {"logprobs": []}
        yield self._event("output_item.added", {"output_index": place["output_index"], "item": item})
        yield self._event("content_part.added", {**place, "part": _content(kind, "")})
        text = ""
        async for piece in self._delivery.pieces(part):
            text += piece
            yield self._delta(f"{kind}.delta", piece, {**place, **logprobs}, spoken=part.kind in SPOKEN)
        if self._delivery.broken and not isinstance(self._script.fault, Incomplete):
            return  # nothing is closed properly when the server fails
        yield self._event(f"{kind}.done", {**place, **logprobs, "refusal" if kind == "refusal" else "text": text})
        yield self._event("content_part.done", {**place, "part": _content(kind, text)})
        status = "incomplete" if self._delivery.broken else "completed"
        yield self._done({**item, "status": status, "content": [_content(kind, text)]})

    def _end(self) -> list[Event]:
        match self._script.fault:
            case Incomplete(reason):
                self._settle("incomplete", incomplete_details={"reason": reason})
            case Failed(code, message):
                self._settle("failed", error={"code": code, "message": message})
            case ErrorEvent(nested, code, message):
                self._settle("failed", error={"code": code, "message": message})
                self._number += 1
                said: Json = {"code": code, "message": message, "param": None}
                if not nested:
                    return [Event({"type": "error", "sequence_number": self._number, **said}, "error", last=True)]
                inner = {"type": "server_error", **said}
                error = Event({"type": "error", "sequence_number": self._number, "error": inner}, "error", last=True)
                return [error, self._state("failed", last=True)]
            case _:
                self._settle("completed", completed_at=unix_now())
        return [self._state(str(self.response["status"]), last=True)]

    def _settle(self, status: str, **changes: Any) -> None:
        unspoken = count_tokens(*(part.text for part in self._script.parts() if part.kind not in SPOKEN))
        used = usage(self._input_tokens, unspoken + self._delivery.count, count_tokens(self._script.reasoning))
        self.response = {**self.response, "status": status, "usage": used, **changes}

    def _done(self, item: Json) -> Event:
        place = len(self.response["output"])
        self.response = {**self.response, "output": [*self.response["output"], item]}
        return self._event("output_item.done", {"output_index": place, "item": item})

    def _state(self, name: str, *, last: bool) -> Event:
        return self._event(name, {"response": self.response}, last=last)

    def _delta(self, name: str, piece: str, place: Json, *, spoken: bool = False) -> Event:
        padding = {"obfuscation": obfuscation(piece)} if self._obfuscate else {}
        return self._event(name, {**place, "delta": piece, **padding}, spoken=piece if spoken else "")

    def _event(self, name: str, fields: Json, *, last: bool = False, spoken: str = "") -> Event:
        self._number += 1
        kind = f"response.{name}"
        data = {"type": kind, "sequence_number": self._number, **fields}
        return Event(data, kind, delta=spoken, last=last)


def _content(kind: Literal["refusal", "output_text"], text: str) -> Json:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def usage(read: int, written: int, thought: int) -> Json:
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }
