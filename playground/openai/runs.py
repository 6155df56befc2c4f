"""The Assistants API, part two: the endpoints of runs and their steps."""

from __future__ import annotations

from typing import Any, cast

from aiohttp import web

from playground.openai import errors, parameters
from playground.openai.assistants import Assistants, Thread, add_message, text_of
from playground.openai.calls import Call, Route, answer, answer_or_cut, page
from playground.openai.errors import ApiError, HttpError
from playground.openai.faults import JsonInstead
from playground.openai.record import Json, Said
from playground.openai.run import Run, new_run
from playground.openai.script import Script, count_tokens
from playground.openai.sse import send
from playground.openai.state import State


class Runs:
    """The endpoints below /threads/{thread}/runs, and every run."""

    def __init__(self, state: State, assistants: Assistants) -> None:
        self._state = state
        self._assistants = assistants
        self._runs: dict[str, Run] = {}

    def routes(self) -> list[Route]:
        return [
            ("POST", "/threads/runs", self.create_thread_and_run),
            ("POST", "/threads/{thread}/runs", self.create),
            ("GET", "/threads/{thread}/runs", self.list),
            ("GET", "/threads/{thread}/runs/{run}", self.retrieve),
            ("POST", "/threads/{thread}/runs/{run}/cancel", self.cancel),
            ("POST", "/threads/{thread}/runs/{run}/submit_tool_outputs", self.submit_tool_outputs),
            ("GET", "/threads/{thread}/runs/{run}/steps", self.list_steps),
            ("GET", "/threads/{thread}/runs/{run}/steps/{step}", self.retrieve_step),
        ]

    async def create(self, call: Call) -> web.StreamResponse:
        self._assistants.check(call)
        call.allow(parameters.RUN)
        return await self._create(call, self._assistants.thread(call.part("thread")), new_thread=False)

    async def create_thread_and_run(self, call: Call) -> web.StreamResponse:
        self._assistants.check(call)
        call.allow(parameters.THREAD_AND_RUN)
        return await self._create(call, self._assistants.make_thread(call.body.get("thread") or {}), new_thread=True)

    async def list(self, call: Call) -> web.Response:
        self._assistants.check(call)
        thread = self._assistants.thread(call.part("thread"))
        return answer(page([run.wire for run in self._runs.values() if run.thread is thread], call))

    async def retrieve(self, call: Call) -> web.Response:
        return answer(self._asked(call).wire)

    async def cancel(self, call: Call) -> web.Response:
        run = self._asked(call)
        if run.wire["status"] not in {"queued", "in_progress", "requires_action"}:
            raise errors.bad_request(f"Cannot cancel run with status '{run.wire['status']}'.")
        run.cancel()
        return answer({**run.wire, "status": "cancelling"})

    async def submit_tool_outputs(self, call: Call) -> web.StreamResponse:
        run = self._asked(call)
        call.allow({"stream", "tool_outputs"})
        if run.wire["status"] != "requires_action":
            raise errors.bad_request(f'Runs in status "{run.wire["status"]}" do not accept tool outputs.')
        outputs = _read_outputs(call.need("tool_outputs"), run.wanted)
        seen = [*_seen(run.thread, run.wire["instructions"]), *(Said("tool", text) for text in outputs.values())]
        call.record.seen = tuple(seen)
        script = self._state.next_script(seen)
        run.resume(outputs, script, self._state.deliver(script))
        return await self._answer(call, run, script)

    async def list_steps(self, call: Call) -> web.Response:
        return answer(page(self._asked(call).steps, call))

    async def retrieve_step(self, call: Call) -> web.Response:
        identity = call.part("step")
        for step in self._asked(call).steps:
            if step["id"] == identity:
                return answer(step)
        raise ApiError(HttpError(404, f"No run step found with id '{identity}'."))

    async def _create(self, call: Call, thread: Thread, *, new_thread: bool) -> web.StreamResponse:
        assistant = self._assistants.assistant(call.need("assistant_id"))
        wire = new_run(call.body, assistant, thread)
        self._state.need_model(wire["model"])
        if thread.active_run:
            message = f"Thread {thread.wire['id']} already has an active run {thread.active_run}."
            raise errors.bad_request(message)
        additions: list[Json] = call.body.get("additional_messages") or []
        for message in additions:
            add_message(thread, message)
        seen = _seen(thread, wire["instructions"])
        call.record.seen = tuple(seen)
        script = self._state.next_script(seen).limited(call.body.get("max_completion_tokens"))
        read = count_tokens(*(message.text for message in seen))
        run = Run(wire, thread, spawn=self._state.spawn, read=read)
        self._runs[wire["id"]] = run
        run.start(script, self._state.deliver(script), new_thread=new_thread)
        return await self._answer(call, run, script)

    async def _answer(self, call: Call, run: Run, script: Script) -> web.StreamResponse:
        """A run goes on whatever becomes of the connection."""
        if call.body.get("stream") and not isinstance(script.fault, JsonInstead):
            stream = call.open_stream("assistants", run.wire["id"])
            return await send(call.request, stream, run.log.follow(), script.fault)
        return answer_or_cut(call, run.wire, script.fault)

    def _asked(self, call: Call) -> Run:
        self._assistants.check(call)
        thread = self._assistants.thread(call.part("thread"))
        run = self._runs.get(call.part("run"))
        if run is None or run.thread is not thread:
            raise ApiError(HttpError(404, f"No run found with id '{call.part('run')}'."))
        return run


def _seen(thread: Thread, instructions: str) -> list[Said]:
    system = [Said("system", instructions)] if instructions else []
    return [*system, *(Said(message["role"], text_of(message)) for message in thread.messages)]


def _read_outputs(given: Any, wanted: list[str]) -> dict[str, str]:
    """Every call's output, in the order of the calls. Raises ApiError."""
    rows = [cast(Json, row) for row in cast(list[Any], given) if isinstance(row, dict)]
    outputs = {str(row.get("tool_call_id")): str(row.get("output") or "") for row in rows}
    if set(outputs) != set(wanted):
        raise errors.bad_request(f"Expected tool outputs for call_ids {wanted}, got {list(outputs)}")
    return {identity: outputs[identity] for identity in wanted}
