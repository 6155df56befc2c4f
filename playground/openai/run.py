"""One run of an assistant on its thread: a task of its own that goes on whoever listens.

    created -> queued -> in_progress -> completed | incomplete | failed | expired
                 ^            |  \\-> cancelling -> cancelled
                 |            v
                 +---- requires_action          (submit_tool_outputs begins another leg, with a log of its own)

Its objects are changed in place, so whoever retrieves them sees the present; events carry copies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal

from playground.openai.assistants import Thread, new_message
from playground.openai.faults import ErrorEvent, Expired, Failed, Incomplete
from playground.openai.record import Json
from playground.openai.script import Delivery, Part, Script
from playground.openai.sse import Event, Log
from playground.openai.state import new_id, unix_now

_RUN_EXPIRES = 600  # seconds after its creation, as OpenAI's did
_LAST = frozenset({"requires_action", "completed", "incomplete", "failed", "expired", "cancelled"})


class Run:
    """`wire` and `steps` are its present state, `log` the events of the present leg."""

    def __init__(
        self, wire: Json, thread: Thread, *, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]], read: int
    ) -> None:
        self.wire = wire
        self.thread = thread
        self.steps: list[Json] = []
        self.log = Log()
        self._spawn = spawn
        self._read = read
        self._written = 0
        self._task: asyncio.Task[None] | None = None
        self._message: Json | None = None  # what is open now
        self._step: Json | None = None

    @property
    def wanted(self) -> list[str]:
        """The calls whose outputs it waits for."""
        action: Json | None = self.wire["required_action"]
        return [call["id"] for call in action["submit_tool_outputs"]["tool_calls"]] if action else []

    def start(self, script: Script, delivery: Delivery, *, new_thread: bool) -> None:
        self.thread.active_run = self.wire["id"]
        if new_thread:
            self._emit("thread.created", self.thread.wire)
        self._emit("thread.run.created", self.wire)
        self._emit("thread.run.queued", self.wire)
        self._task = self._spawn(self._perform(script, delivery))

    def resume(self, outputs: Mapping[str, str], script: Script, delivery: Delivery) -> None:
        self.log = Log()
        if self._step is not None:
            details = self._step["step_details"]
            calls = [_with_output(call, outputs[call["id"]]) for call in details["tool_calls"]]
            self._step["step_details"] = {**details, "tool_calls": calls}
        self._close_step("completed")
        self._set("queued", required_action=None)
        self._task = self._spawn(self._perform(script, delivery))

    def cancel(self) -> None:
        waiting = self.wire["status"] == "requires_action"
        self._set("cancelling", required_action=None)
        if waiting:
            self._end("cancelled", "run_cancelled", cancelled_at=unix_now())
        elif self._task is not None:
            self._task.cancel()

    async def _perform(self, script: Script, delivery: Delivery) -> None:
        try:
            self._set("in_progress", started_at=unix_now())
            await self._speak(script, delivery)
        except asyncio.CancelledError:
            if self.wire["status"] != "cancelling":
                raise  # the stand-in is closing
            self._written += delivery.count
            self._end("cancelled", "run_cancelled", cancelled_at=unix_now())
        finally:
            self._close_log()
            self.log = Log()  # whoever listens has the other one; nobody can begin to now

    async def _speak(self, script: Script, delivery: Delivery) -> None:
        for part in script.parts():
            if part.kind in {"commentary", "text", "refusal"}:
                await self._say(part, delivery)
            if delivery.broken:
                break
        await delivery.finish()
        if script.calls and not delivery.broken:
            await self._call([part for part in script.parts() if part.kind == "call"], delivery)
        self._written += delivery.count
        match script.fault:
            case Incomplete("content_filter"):
                self._end("incomplete", "content_filter", incomplete_details={"reason": None})
            case Incomplete():
                self._end("incomplete", "max_tokens", incomplete_details={"reason": "max_completion_tokens"})
            case Failed(code, message):
                self._fail(code, message)
            case ErrorEvent(nested, code, message):
                error = {"message": message, "type": "server_error", "param": None, "code": code}
                self._emit("error", {"error": error} if nested else error, last=True)
                if not nested:
                    self._close_log()
                self._fail(code, message)
            case Expired():
                self._end("expired", "run_expired")
            case _ if script.calls:
                self._require_action()
            case _:
                self._end("completed", completed_at=unix_now())

    async def _say(self, part: Part, delivery: Delivery) -> None:
        message = self._message = new_message(self.thread, "assistant")
        message.update(run_id=self.wire["id"], assistant_id=self.wire["assistant_id"])
        self._open_step("message_creation", {"message_creation": {"message_id": message["id"]}})
        self.thread.messages.append(message)
        self._emit("thread.message.created", message)
        self._emit("thread.message.in_progress", message)
        refusal = part.kind == "refusal"
        text = ""
        async for piece in delivery.pieces(part):
            text += piece
            message["content"] = [_block(text, refusal=refusal)]
            delta = {"content": [{"index": 0, **_block(piece, refusal=refusal)}]}
            event = {"id": message["id"], "object": "thread.message.delta", "delta": delta}
            self.log.append(Event(event, "thread.message.delta", delta=piece))
        if not delivery.broken:
            message.update(status="completed", completed_at=unix_now())
            self._emit("thread.message.completed", message)
            self._message = None
            self._close_step("completed")

    async def _call(self, parts: Sequence[Part], delivery: Delivery) -> None:
        calls = [_function(new_id("call"), part.name, part.text) for part in parts]
        step = self._open_step("tool_calls", {"tool_calls": []})
        for place, (part, call) in enumerate(zip(parts, calls, strict=True)):
            self._step_delta(step, {"index": place, **_function(call["id"], part.name, "")})
            async for piece in delivery.pieces(part):
                self._step_delta(step, {"index": place, "type": "function", "function": {"arguments": piece}})
        step["step_details"] = {"type": "tool_calls", "tool_calls": calls}

    def _require_action(self) -> None:
        calls: list[Json] = self._step["step_details"]["tool_calls"] if self._step else []
        wanted = [_function(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls]
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": wanted}}
        self._set("requires_action", required_action=action)

    def _fail(self, code: str, message: str) -> None:
        self._end("failed", "run_failed", last_error={"code": code, "message": message}, failed_at=unix_now())

    def _end(
        self,
        status: Literal["completed", "incomplete", "failed", "expired", "cancelled"],
        why: str = "",
        **changes: Any,
    ) -> None:
        """Closes what is open, lets go of the thread, and says so."""
        if self._message is not None:
            self._message.update(status="incomplete", incomplete_at=unix_now(), incomplete_details={"reason": why})
            self._emit("thread.message.incomplete", self._message)
            self._message = None
        if self._step is not None:  # steps know no "incomplete"
            error = changes.get("last_error")
            self._close_step(
                "completed" if status == "incomplete" else status, **({"last_error": error} if error else {})
            )
        self.thread.active_run = ""
        used = {"prompt_tokens": self._read, "completion_tokens": self._written}
        self._set(status, usage={**used, "total_tokens": self._read + self._written}, **changes)

    def _open_step(self, kind: str, details: Json) -> Json:
        step = self._step = _new_step(self.wire, kind, details)
        self.steps.append(step)
        self._emit("thread.run.step.created", step)
        self._emit("thread.run.step.in_progress", step)
        return step

    def _step_delta(self, step: Json, call: Json) -> None:
        delta = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
        self._emit("thread.run.step.delta", {"id": step["id"], "object": "thread.run.step.delta", "delta": delta})

    def _close_step(self, status: str, **changes: Any) -> None:
        step, self._step = self._step, None
        if step is not None:
            step.update(status=status, **{f"{status}_at": unix_now()}, **changes)
            self._emit(f"thread.run.step.{status}", step)

    def _close_log(self) -> None:
        self.log.append(Event("[DONE]", "done"))
        self.log.close()

    def _set(self, status: str, **changes: Any) -> None:
        self.wire.update(status=status, **changes)
        self._emit(f"thread.run.{status}", self.wire, last=status in _LAST)

    def _emit(self, name: str, wire: Json, *, last: bool = False) -> None:
        self.log.append(Event(dict(wire), name, last=last))


def new_run(body: Json, assistant: Json, thread: Thread) -> Json:
    """A queued run. Its instructions are the assistant's unless it has its own, with what is added to them."""
    own = body.get("instructions")
    instructions = [own if own is not None else assistant["instructions"], body.get("additional_instructions")]
    return {
        "id": new_id("run"),
        "object": "thread.run",
        "created_at": unix_now(),
        "assistant_id": assistant["id"],
        "thread_id": thread.wire["id"],
        "status": "queued",
        "started_at": None,
        "expires_at": unix_now() + _RUN_EXPIRES,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "incomplete_details": None,
        "model": body.get("model") or assistant["model"],
        "instructions": "\n".join(text for text in instructions if text),
        "tools": body.get("tools") or assistant["tools"],
        "tool_choice": body.get("tool_choice") or "auto",
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "response_format": body.get("response_format") or "auto",
        "truncation_strategy": body.get("truncation_strategy") or {"type": "auto", "last_messages": None},
        "max_prompt_tokens": body.get("max_prompt_tokens"),
        "max_completion_tokens": body.get("max_completion_tokens"),
        "metadata": body.get("metadata") or {},
        "temperature": body.get("temperature", 1.0),
        "top_p": body.get("top_p", 1.0),
        "usage": None,
    }


def _new_step(run: Json, kind: str, details: Json) -> Json:
    return {
        "id": new_id("step"),
        "object": "thread.run.step",
        "created_at": unix_now(),
        "run_id": run["id"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "type": kind,
        "status": "in_progress",
        "step_details": {"type": kind, **details},
        "last_error": None,
        "cancelled_at": None,
        "completed_at": None,
        "expired_at": None,
        "failed_at": None,
        "metadata": {},
        "usage": None,
    }


def _function(identity: str, name: str, arguments: str) -> Json:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def _with_output(call: Json, output: str) -> Json:
    return {**call, "function": {**call["function"], "output": output}}


def _block(text: str, *, refusal: bool) -> Json:
    return (
        {"type": "refusal", "refusal": text}
        if refusal
        else {"type": "text", "text": {"value": text, "annotations": []}}
    )
