"""What all parts of the stand-in share: its switches, the record, the queue of scripts and the conversations."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.openai import answers, errors
from playground.openai.errors import ApiError, Dropped, HttpError
from playground.openai.faults import Fault, NoAnswer
from playground.openai.record import Json, Request, Said, Stream
from playground.openai.script import Delivery, Script

Switch = Literal["on", "off"]
MODELS = ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-6-astra", "gpt-4o-mini", "llama3.3")


@dataclass
class Conversation:
    """A conversation of the Conversations API."""

    wire: Json
    items: list[Json] = field(default_factory=list[Json])
    holder: str = ""  # the response that is being made in it
    locked_until: float = 0.0  # monotonic


@dataclass
class State:
    """Everything may be changed while it runs."""

    api_key: str = "playground-openai-key"  # empty: any key will do, as with local servers
    models: Sequence[str] = MODELS
    tokens_per_second: float = 60.0  # 0: without any pause
    first_token: float = 0.4  # seconds
    responses: Switch = "on"
    conversations: Literal["on", "off", "ignored"] = "on"  # ignored: taken, but no response is ever bound to one
    assistants: Switch = "on"  # off: 404, as OpenAI answers since 2026-08-26
    chat: Switch = "on"
    background: Literal["on", "off", "ignored"] = "on"  # off: refused; ignored: taken, but answered synchronously
    background_delay: float = 0.0  # seconds by which a background response begins later than a synchronous one
    streamable: float = 300.0  # seconds after its creation in which a background response can be streamed again
    resumes: Literal["stream", "document"] = "stream"  # document: a stream of a known response is never given
    messages_grow: bool = True  # the message of a run can be read while it is written
    lock_after_abort: float = 0.0  # seconds for which an aborted response still holds its conversation
    answer: Callable[[Sequence[Said]], Script] = answers.answer  # what is said when no script is queued

    requests: list[Request] = field(default_factory=list[Request])
    streams: list[Stream] = field(default_factory=list[Stream])
    known_conversations: dict[str, Conversation] = field(default_factory=dict[str, Conversation])
    _scripts: deque[Script] = field(default_factory=deque[Script])
    _resumed_faults: deque[Fault] = field(default_factory=deque[Fault])
    _refusals: list[tuple[str, HttpError]] = field(default_factory=list[tuple[str, HttpError]])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def script(self, script: str | Script) -> None:
        """Queues what the next answer is, whichever API asks for it."""
        self._scripts.append(Script(script) if isinstance(script, str) else script)

    def break_resumed(self, fault: Fault) -> None:
        """Queues what breaks the next stream of a response that is taken up; `after` counts the pieces in it."""
        self._resumed_faults.append(fault)

    def next_resumed_fault(self) -> Fault | None:
        return self._resumed_faults.popleft() if self._resumed_faults else None

    def refuse_next(self, path: str, error: HttpError) -> None:
        """Refuses the next call whose path (below /openai/v1) begins so, whatever it asks for."""
        self._refusals.append((path, error))

    def check_refusals(self, path: str) -> None:
        """Raises ApiError where the next call to this path is to be refused."""
        for place, (prefix, error) in enumerate(self._refusals):
            if path.startswith(prefix):
                del self._refusals[place]
                raise ApiError(error)

    def next_script(self, seen: Sequence[Said]) -> Script:
        """Takes the next answer; one that is an HTTP error is raised as ApiError, one that is no answer as Dropped."""
        script = self._scripts.popleft() if self._scripts else self.answer(seen)
        if isinstance(script.fault, HttpError):
            raise ApiError(script.fault)
        if isinstance(script.fault, NoAnswer):
            raise Dropped
        return script

    def deliver(self, script: Script, *, delay: float = 0.0) -> Delivery:
        return Delivery(script, tokens_per_second=self.tokens_per_second, first_token=self.first_token, delay=delay)

    def need_model(self, model: str) -> None:
        if model not in self.models:
            raise ApiError(errors.unknown_model(model))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs something that outlives its HTTP call; `close_tasks` awaits it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(16)}"


def unix_now() -> int:
    return int(time.time())
