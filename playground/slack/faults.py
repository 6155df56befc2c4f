"""Faults on request: the next calls of a method get a scripted answer, or none at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP; `drop` cuts the connection instead, `hang` lets the caller wait."""

    status: int = 200
    body: dict[str, Any] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: bool = False
    hang: bool = False


@dataclass(eq=False, slots=True)
class Fault:
    """A scripted answer, and how often it is given."""

    method: re.Pattern[str]
    channel: str  # empty: any
    answer: Answer
    times: int
    after_effect: bool  # the call does its work first


@dataclass
class Faults:
    """The script; the first fault that matches is used up first."""

    _script: list[Fault] = field(default_factory=list[Fault])

    def add(self, method: str, answer: Answer, *, times: int, after_effect: bool, channel: str) -> Callable[[], None]:
        """`method` is a regular expression that must match the method's whole name; returns what ends the fault."""
        fault = Fault(re.compile(method), channel, answer, times, after_effect)
        self._script.append(fault)

        def mend() -> None:
            if fault in self._script:
                self._script.remove(fault)

        return mend

    def take(self, method: str, channel: str) -> Fault | None:
        """The fault for this call, counted as used."""
        for fault in self._script:
            if fault.method.fullmatch(method) and fault.channel in ("", channel):
                fault.times -= 1
                if fault.times <= 0:
                    self._script.remove(fault)
                return fault
        return None
