"""One text out of the parts in which an answer arrives, and how that text ended."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model import Delta, End, Ended, Ending

THINKING, A_TOOL = "Thinking", "Using a tool"  # what a model does that writes nothing, for people


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one part of an answer; an answer may have several messages, and a message several parts."""

    part: tuple[object, ...]
    text: str
    refusal: bool = False  # the model says why it does not answer


@dataclass(slots=True)
class Answer:
    """Feed it the pieces in the order in which they come, then end it once."""

    part: tuple[object, ...] = ()  # of the last piece
    refused: bool = False
    empty: bool = True

    def add(self, piece: Piece) -> Delta | None:
        """What to show of a piece: parts are set apart by a blank line; an empty piece shows nothing."""
        if not piece.text:
            return None
        new_part = not self.empty and piece.part != self.part
        self.part, self.empty = piece.part, False
        self.refused = self.refused or piece.refusal
        return Delta(f"\n\n{piece.text}" if new_part else piece.text)

    def end(self, ending: Ending) -> Ended:
        """The last event. A completed answer may turn out to be a refusal, or nothing at all."""
        if ending.end is End.COMPLETED and self.refused:
            return Ended(Ending(End.REFUSED))
        if ending.end is End.COMPLETED and self.empty:
            return Ended(Ending(End.EMPTY))
        return Ended(ending)


class Beyond:
    """Of a text that comes once more from its beginning, what is beyond the part of it that is known already.

    Feed it what comes, then end it once. Raises AnotherText.
    """

    def __init__(self, known: str) -> None:
        self._left = known

    def add(self, text: str) -> str:
        known = self._left[: len(text)]
        if not text.startswith(known):
            raise AnotherText
        self._left = self._left[len(known) :]
        return text[len(known) :]

    def end(self) -> None:
        if self._left:
            raise AnotherText


class AnotherText(Exception):
    """What comes is not the text that is known."""
