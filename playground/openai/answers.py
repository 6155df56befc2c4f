"""The built-in assistant: what it says when nobody has scripted an answer.

It is no model. It looks for a few words in the question, remembers a name, and otherwise says back what it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.openai import long_texts, texts
from playground.openai.faults import wished
from playground.openai.record import Said
from playground.openai.rich_text import RICH
from playground.openai.script import Script

# The first row that has a word which begins so in the question is answered.
_TOPICS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("400[- ]lines?", r"long code\b"), long_texts.LONG_CODE),
    (("60[- ]rows?", r"long table\b"), long_texts.LONG_TABLE),
    ((r"japanese\b", "日本語"), long_texts.JAPANESE),
    ((r"(?:one|single)[- ]line\b",), long_texts.ONE_LINE),
    (("30[., ]?000", r"book\b"), long_texts.BOOK),
    ((r"rich\b", r"markdown\b", "everything at once"), RICH),
    ((r"code\b", "python", "program", "function"), texts.CODE),
    (("table", "compar"), texts.TABLE),
    (("long", "essay", "detail"), texts.LONG),
    (("story", r"tales?\b"), texts.STORY),
    ((r"lists?\b", "steps", "ideas", r"tips\b"), texts.LIST),
    ((r"help\b", "what can you", "who are you", "how do you work"), texts.HELP),
    (("thank", "cheers"), texts.THANKS),
    ((r"hello\b", r"hi\b", r"hey\b", r"hallo\b", "good morning", "good evening"), texts.HELLO),
)
_SPEAKER = re.compile(r"^([^\W\d_][\w .'-]{0,31}): (?=\S)")  # how a question begins where several people write
_INTRODUCTION = re.compile(r"\b(?:my name is|call me)\s+([^\W\d_][\w'-]*)", re.I)
_ASKS_NAME = re.compile(r"\bwhat(?:'s| is|’s) my name\b|\bwho am i\b|\bdo you (?:know|remember) my name\b", re.I)
_ASKS_EARLIER = re.compile(r"\bwhat did i (?:just )?(?:ask|say)\b|\bmy (?:last|previous|first) question\b", re.I)


def answer(said: Sequence[Said]) -> Script:
    """The answer to the last thing that a user said, given all that was said before."""
    asked = [message.text for message in said if message.role == "user"]
    question = asked[-1] if asked else ""
    match wished(question):
        case None:
            if said and said[-1].role == "tool":
                return Script(texts.TOOL.format(output=said[-1].text))
            return Script(_words(question, asked[:-1]))
        case "refusal":
            return Script(refusal=texts.REFUSAL)
        case fault:
            return Script(texts.FAULTY, fault=fault)


def _words(question: str, before: Sequence[str]) -> str:
    speaker, words = _split(question)
    if _ASKS_NAME.search(words):
        return _recall_name(speaker, before)
    if introduced := _INTRODUCTION.search(words):
        return texts.NICE_TO_MEET.format(name=introduced[1])
    if _ASKS_EARLIER.search(words):
        return texts.EARLIER.format(question=_quote(_split(before[-1])[1])) if before else texts.NOTHING_EARLIER
    for beginnings, text in _TOPICS:
        if re.search(r"\b(?:" + "|".join(beginnings) + ")", words, re.I):
            return text
    if not words.strip():
        return texts.EMPTY
    return texts.DEFAULTS[len(before) % len(texts.DEFAULTS)].format(question=_quote(words))


def _recall_name(speaker: str, before: Sequence[str]) -> str:
    for earlier in reversed(before):
        who, words = _split(earlier)
        if who == speaker and (introduced := _INTRODUCTION.search(words)):
            return texts.YOUR_NAME.format(name=introduced[1])
    return texts.SHOWN_NAME.format(name=speaker) if speaker else texts.NO_NAME


def _split(question: str) -> tuple[str, str]:
    """Who is speaking, where it says so, and what is said."""
    named = _SPEAKER.match(question)
    return (named[1], question[named.end() :]) if named else ("", question)


def _quote(words: str) -> str:
    return "\n".join(f"> {line}" for line in words.strip().splitlines())
