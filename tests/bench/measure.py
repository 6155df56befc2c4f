"""What one answer was like for a reader: the model's deltas beside the states of the messages that show them.

Each character is matched with the first state in which it can be read. Answers are plain words, so what is shown must
be the beginning of what the model wrote; only whitespace at a seam between two messages may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.timeline import Moment
from tests.cursor import without_cursor


@dataclass(frozen=True, slots=True)
class Figures:
    """One answer. Times are seconds; the delays are from the model's sending to a reader's seeing."""

    duration: float  # from the first delta to the last
    first: float  # from the first delta to the first visible text
    mean: float  # delay, over all characters
    lag: float  # from the last delta to the last state
    longest: float  # without anything new on the screen, from the first delta to the last state
    posts: int
    edits: int


def figures(deltas: Sequence[tuple[float, str]], moments: Iterable[Moment]) -> Figures:
    """`moments` are those of the bot's messages in the answer's room. Raises ValueError if they show something else."""
    text = "".join(piece for _, piece in deltas)
    written = [at for at, piece in deltas for _ in piece]
    messages: dict[str, str] = {}
    steps: list[float] = []
    shown, total, posts, edits = 0, 0.0, 0, 0
    for moment in moments:
        if moment.kind not in ("posted", "edited"):
            continue
        posts += moment.kind == "posted"
        edits += moment.kind == "edited"
        messages[moment.message] = moment.text
        readable = characters_shown(text, messages.values())
        if readable > shown:
            total += sum(moment.at - at for at in written[shown:readable])
            shown = readable
            steps.append(moment.at)
    if shown < len(text):
        raise ValueError(f"{len(text) - shown} of {len(text)} characters were never shown")
    begin, end = written[0], written[-1]
    waits = [later - earlier for earlier, later in zip([begin, *steps], steps, strict=False)]
    return Figures(
        duration=end - begin,
        first=steps[0] - begin,
        mean=total / len(text),
        lag=steps[-1] - end,
        longest=max(waits),
        posts=posts,
        edits=edits,
    )


def seen_by(deltas: Sequence[tuple[float, str]], moments: Iterable[Moment], at: float) -> float:
    """When all that the model had sent by then could be read. Raises ValueError if it never could."""
    text = "".join(piece for _, piece in deltas)
    sent = sum(len(piece) for sent_at, piece in deltas if sent_at <= at)
    messages: dict[str, str] = {}
    for moment in moments:
        if moment.kind in ("posted", "edited"):
            messages[moment.message] = moment.text
            if characters_shown(text, messages.values()) >= sent:
                return moment.at
    raise ValueError(f"of {sent} characters some were never shown")


def characters_shown(text: str, messages: Iterable[str]) -> int:
    """How much of the text can be read in these messages, one after the other. Raises ValueError for other words."""
    place = 0
    for message in map(without_cursor, messages):
        while text[place : place + 1].isspace():
            place += 1
        if not text.startswith(message, place):
            raise ValueError(f"a message does not go on with the model's text: {message[-80:]!r}")
        place += len(message)
    return place
