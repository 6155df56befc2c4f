"""What the model says next, and how fast."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from playground.openai.faults import ErrorEvent, Expired, Failed, Fault, Incomplete, Stall


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of one of the application's own functions."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Part:
    """One output item of an answer."""

    kind: Literal["reasoning", "commentary", "search", "text", "refusal", "call"]
    text: str
    name: str = ""  # of the function, for a call


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. Pace that is None is the stand-in's own; 0 tokens a second means without any pause."""

    text: str = ""
    tokens_per_second: float | None = None
    first_token: float | None = None  # seconds
    fault: Fault | None = None
    reasoning: str = ""  # a reasoning summary before everything else
    commentary: str = ""  # a message of its own before the text (not in Chat Completions)
    search: str = ""  # what is looked up on the web after the commentary (only in Responses)
    refusal: str = ""  # said instead of the text
    calls: Sequence[FunctionCall] = ()

    def parts(self) -> list[Part]:
        parts: list[Part] = []
        if self.reasoning:
            parts.append(Part("reasoning", self.reasoning))
        if self.commentary:
            parts.append(Part("commentary", self.commentary))
        if self.search:
            parts.append(Part("search", self.search))
        if self.refusal:
            parts.append(Part("refusal", self.refusal))
        elif self.text or not self.calls:
            parts.append(Part("text", self.text))
        parts.extend(Part("call", call.arguments, call.name) for call in self.calls)
        return parts

    def limited(self, tokens: int | None) -> Script:
        """The same answer under a limit of output tokens."""
        spoken = count_tokens(*(part.text for part in self.parts() if part.kind in SPOKEN))
        if tokens is None or spoken <= tokens:
            return self
        return replace(self, fault=Incomplete("max_output_tokens", after=tokens))


SPOKEN = frozenset({"commentary", "text", "refusal"})  # the kinds that a reader sees; their pieces count for faults
_PIECE = re.compile(r" ?\w{1,12}|\n+| ?[^\w\s]{1,3}|\s+?")


def pieces(text: str) -> list[str]:
    """Cuts a text as a model's tokens would; joined again they are exactly the text."""
    return _PIECE.findall(text)


def count_tokens(*texts: str) -> int:
    return sum(len(pieces(text)) for text in texts)


class Delivery:
    """The pieces of one answer in their time, up to the place where its fault ends it."""

    def __init__(self, script: Script, *, tokens_per_second: float, first_token: float, delay: float = 0.0) -> None:
        self.broken = False  # the fault has ended the answer before its whole text was said
        self.count = 0  # pieces of visible text so far
        self._fault = script.fault
        self._speed = script.tokens_per_second if script.tokens_per_second is not None else tokens_per_second
        self._due = asyncio.get_running_loop().time()
        self._due += delay + (script.first_token if script.first_token is not None else first_token)

    async def pieces(self, part: Part) -> AsyncIterator[str]:
        spoken = part.kind in SPOKEN
        for piece in pieces(part.text):
            if spoken:
                await self._meet_fault(self.count)
                if self.broken:
                    return
                self.count += 1
            await self._wait()
            yield piece

    async def finish(self) -> None:
        """Waits where the answer stalls after its last piece."""
        if not self.broken:
            await self._meet_fault(None)

    async def _meet_fault(self, place: int | None) -> None:
        match self._fault:
            case Stall(seconds, after) if after == place:
                await asyncio.sleep(seconds)
                self._due += seconds
            case Incomplete() | Failed() | ErrorEvent() | Expired() as fault if place is not None:
                self.broken = fault.after == place
            case _:
                pass

    async def _wait(self) -> None:
        """Counts from the beginning, so that the mean speed is kept however late a wake-up comes."""
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        if self._speed > 0:
            self._due += 1 / self._speed
