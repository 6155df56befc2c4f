"""Faults on request: what goes wrong with the next call that matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.discord.limits import too_many


@dataclass(frozen=True, slots=True)
class Fault:
    """Discord's own words where the body is not text; text stands for a proxy in between, which does not say Via."""

    status: int
    body: Any
    headers: Mapping[str, str]
    after_effect: bool
    drop: bool
    hang: bool


@dataclass(eq=False)
class _Scripted:
    method: str
    path: re.Pattern[str]
    fault: Fault
    times: int


@dataclass
class Faults:
    """Scripted faults, the oldest matching one first."""

    _scripted: list[_Scripted] = field(default_factory=list[_Scripted])

    def add(
        self,
        method: str,
        path_regex: str,
        *,
        status: int,
        body: Any,
        headers: Mapping[str, str] | None,
        times: int,
        after_effect: bool,
        drop: bool,
        hang: bool,
    ) -> Callable[[], None]:
        """Returns what ends the fault before it has been met so often."""
        if body is None and status == 429:
            refusal = too_many(1.0, scope="user")
            body, headers = refusal.body, {**refusal.headers, **(headers or {})}
        elif body is None:
            body = {"message": f"{status}: Scripted Fault", "code": 0}
        fault = Fault(status, body, headers or {}, after_effect, drop, hang)
        scripted = _Scripted(method.upper(), re.compile(path_regex), fault, times)
        self._scripted.append(scripted)

        def mend() -> None:
            if scripted in self._scripted:
                self._scripted.remove(scripted)

        return mend

    def take(self, method: str, path: str) -> Fault | None:
        for scripted in self._scripted:
            if scripted.method == method and scripted.path.search(path):
                scripted.times -= 1
                if scripted.times <= 0:
                    self._scripted.remove(scripted)
                return scripted.fault
        return None
