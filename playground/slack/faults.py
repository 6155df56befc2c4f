"""Faults on request: the next calls of a method get a scripted answer, or none at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP; `drop` cuts the connection instead."""

    status: int = 200
    body: dict[str, Any] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: bool = False


@dataclass(slots=True)
class Fault:
    """A scripted answer, and how often it is given."""

    method: re.Pattern[str]
    answer: Answer
    times: int
    after_effect: bool  # the call does its work first


@dataclass
class Faults:
    """The script; the first fault that matches is used up first."""

    _script: list[Fault] = field(default_factory=list[Fault])

    def add(self, method: str, answer: Answer, *, times: int, after_effect: bool) -> None:
        """`method` is a regular expression that must match the method's whole name."""
        self._script.append(Fault(re.compile(method), answer, times, after_effect))

    def take(self, method: str) -> Fault | None:
        """The fault for this call, counted as used."""
        for fault in self._script:
            if fault.method.fullmatch(method):
                fault.times -= 1
                if fault.times <= 0:
                    self._script.remove(fault)
                return fault
        return None
