"""Reading fields from the SDK's objects, which it builds without checking that the server sent what they promise."""

from __future__ import annotations

from typing import Any, cast


def text(thing: Any, name: str) -> str:
    """A text field; empty where it is missing or something else."""
    value = getattr(thing, name, None)
    return value if isinstance(value, str) else ""


def one(thing: Any, name: str) -> Any:
    """A field with fields of its own, or None."""
    return getattr(thing, name, None)


def many(thing: Any, name: str) -> list[Any]:
    """A list field; empty where it is missing or something else."""
    value = getattr(thing, name, None)
    return cast(list[Any], value) if isinstance(value, list) else []
