"""Reading fields from JSON that a server sent, which may lack anything that its API promises."""

from __future__ import annotations

from typing import Any, cast


def text(thing: Any, name: str) -> str:
    """A text field; empty where it is missing or something else."""
    value = one(thing, name)
    return value if isinstance(value, str) else ""


def number(thing: Any, name: str) -> int:
    """A whole number; 0 where it is missing or something else."""
    value = one(thing, name)
    return value if isinstance(value, int) else 0


def one(thing: Any, name: str) -> Any:
    """Any field; None where it is missing."""
    return cast("dict[str, Any]", thing).get(name) if isinstance(thing, dict) else None


def many(thing: Any, name: str) -> list[Any]:
    """A list field; empty where it is missing or something else."""
    value = one(thing, name)
    return cast("list[Any]", value) if isinstance(value, list) else []
