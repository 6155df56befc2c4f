"""One text out of the parts in which an answer arrives, and how that text ended."""

from __future__ import annotations

from dataclasses import dataclass, field

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

    _part: tuple[object, ...] = ()
    _refused: bool = False
    empty: bool = field(default=True, init=False)

    def add(self, piece: Piece) -> Delta | None:
        """What to show of a piece: parts are set apart by a blank line; an empty piece shows nothing."""
        if not piece.text:
            return None
        new_part = not self.empty and piece.part != self._part
        self._part, self.empty = piece.part, False
        self._refused = self._refused or piece.refusal
        return Delta(f"\n\n{piece.text}" if new_part else piece.text)

    def end(self, ending: Ending) -> Ended:
        """The last event. A completed answer may turn out to be a refusal, or nothing at all."""
        if ending.end is End.COMPLETED and self._refused:
            return Ended(Ending(End.REFUSED))
        if ending.end is End.COMPLETED and self.empty:
            return Ended(Ending(End.EMPTY))
        return Ended(ending)
