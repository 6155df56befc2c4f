"""Formulas in Slack's Markdown. Slack shows LaTeX as it is written, and takes some of its backslashes for its own."""

from __future__ import annotations

import re

from bot.core.formulas import readable
from bot.core.markdown import formula_at

_PLACE = re.compile(r"\\[^(\[]|(?:://|\]\()[^\s)]*|[$\\]", re.DOTALL)  # what is stepped over; where one may begin
_ACROSS = re.compile(r"\n[ \t]*(?:\n|>)")  # a paragraph's end, a quote's mark
_MARKUP = re.compile(r"[\\*_~`|\[\]]|<(?=\S)|^\s*(?:[-+#>=]|\d+[.)])", re.MULTILINE)


def with_readable_formulas(text: str) -> str:
    """The text, without code in it, with its formulas as text. Never longer."""
    parts: list[str] = []
    at = 0
    for place in _PLACE.finditer(text):
        if place.start() < at or place[0] not in {"$", "\\"}:
            continue
        found = formula_at(text, place.start())
        if found is None:
            continue
        shown = _shown(found["latex"], alone=_is_alone(text, found))
        if shown is not None and len(shown) <= len(found[0]) and not _ACROSS.search(found["latex"]):
            parts += text[at : found.start()], shown
            at = found.end()
    return "".join([*parts, text[at:]])


def _is_alone(text: str, found: re.Match[str]) -> bool:
    """Whether it has lines of its own, at the left edge."""
    before, after = text[: found.start()], text[found.end() :]
    return (not before or before.endswith("\n")) and (not after.strip(" \t") or after.lstrip(" \t").startswith("\n"))


def _shown(latex: str, *, alone: bool) -> str | None:
    """As text; in code where a part of it would be taken for markup, or where it cannot be said."""
    lines = (readable(latex) or latex.strip()).split("\n")
    if readable(latex) is None and (len(lines) > 1 or "`" in latex):
        return None
    if not alone:
        lines = ["; ".join(lines)]
    if readable(latex) is None or any(_MARKUP.search(line) for line in lines):
        lines = [f"`{line}`" for line in lines]
    return None if any("`" in line.strip("`") for line in lines) else "\n".join(lines)
