"""The figures under each chat: calls that showed something, refused calls, the time to the last answer's first text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playground.timeline import Moment


@dataclass(frozen=True, slots=True)
class Figures:
    calls: int
    refusals: int
    first_text: float | None  # seconds from the question to the first visible text of its answer; None before the first


def figures(moments: Iterable[Moment], platform: str, refusals: int) -> Figures:
    """Counts what the bot did on one platform.

    A question is answered by the bot's first message that replies to it, stands in its thread, or just follows it.
    """
    calls, first_text = 0, None
    asked: dict[tuple[str, str], Moment] = {}  # (room, what an answer may reply to) -> the latest question there
    answered: set[str] = set()
    empty: dict[str, Moment] = {}  # an answer that has no text yet -> its question
    for moment in moments:
        if moment.platform != platform:
            continue
        if moment.bot:
            calls += 1
        question = empty.get(moment.message) if moment.kind == "edited" else None
        if moment.kind == "posted" and not moment.private_to:
            if not moment.bot:
                asked[moment.room, moment.message] = asked[moment.room, moment.reply_to] = moment
                continue
            question = asked.get((moment.room, moment.reply_to))
        if question is None or question.message in answered:
            continue
        if moment.text or moment.files:
            answered.add(question.message)
            first_text = moment.at - question.at
        else:
            empty[moment.message] = question
    return Figures(calls, refusals, first_text)
