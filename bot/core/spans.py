"""Spans: emphasis, code, links and formulas inside a paragraph that is still being written.

A parser can only say what a marker means when the paragraph is whole. Two questions come earlier: where may a page end
without tearing a span in two (`is_free`), and what should be shown of the text so far, so that nobody sees a bare
marker or half a link (`healed`). An opening marker is believed for a while; one that nothing closes within a few lines
was a character like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<math>\\[(\[]|\$\$|(?<![\w$])\$(?![\s\d$]|[A-Z_]{2}))
      | \\[!-/:-@\[-`{-~]
      | (?P<code>`+)
      | (?P<run>\*+|_+|~~+)
      | (?P<bars>\|\|)
      | \[\^[\w-]{1,30}\]
      | (?P<open>\[(?!\^))
      | (?P<close>\])
      | </?[a-zA-Z][\w-]*(?:\s[^<>\n]{0,60})?>
      | https?://[^\s<>`|"*_~]*""",
    re.VERBOSE,
)
_TARGET = re.compile(
    r"\([ \t]*(?:<[^<>\n]*>|(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
_PART_OF_TARGET = re.compile(r"\([^\s]*(?:[ \t]+(?:[\"'][^\n]*)?)?\Z")
# What the next character may still make a part of: a marker, an escape, a tag, an address.
_GROWING = re.compile(
    r"(?:\\[(\[]?|</?[a-zA-Z]?[\w-]*(?:\s[^<>\n]{0,60})?|\bhttps?:?/?|https?://[^\s<>`|\"*_~]*|"
    r"\$.?|\[\^[\w-]{0,30}|[*_`|~$\[\]]+)\Z"
)
_LONGEST_GROWING = 400
_LONGEST_SCHEME = 5  # "https": so many letters may turn out to begin an address
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~\u2000-\u206f\u3000-\u303f\uff01-\uff0f]")

_CLOSER = {
    "$$": re.compile(r"\$\$"),
    "$": re.compile(r"(?<![\s\\])\$(?![\w$])"),
    "\\(": re.compile(r"\\\)"),
    "\\[": re.compile(r"\\\]"),
}
_PROSE = re.compile(r"(?:\s+[^\W\d_]{2,}){3}")  # behind a dollar: it was no formula's
_CAN_BE_REOPENED = "*_~`|"

# How many characters an opening marker is believed for, by its first character.
_BELIEVED = {"*": 400, "_": 300, "~": 300, "`": 300, "|": 300, "[": 300, "$": 200, "$$": 600, "\\": 600}
_LONGEST_TARGET = 600  # of a link; a longer one is shown as it was written


@dataclass(slots=True)
class _Open:
    mark: str  # of a run what is left to close
    start: int
    inner: int  # where what it holds begins

    @property
    def believed_until(self) -> int:
        return self.start + _BELIEVED.get(self.mark, _BELIEVED[self.mark[0]])


class Spans:
    """Reads one paragraph, which begins at `start` of a growing text. `read` may be called at any time with more of
    it; what it knows then depends on that text alone, not on the pieces in which it came."""

    def __init__(self, start: int, marks: Sequence[str] = ()) -> None:
        """`marks` are open from the beginning: those of spans that an earlier page has begun."""
        self.start = start
        self._marks = marks
        self._at = start  # read up to here
        self._stop = start  # shown up to here, as long as what follows may become something else
        self._open = [_Open(mark, start, start) for mark in marks]
        self._free: list[tuple[int, int]] = []  # stretches outside of spans
        self._free_from: int | None = None if marks else start

    def anew(self) -> Spans:
        """The same paragraph, not read yet."""
        return Spans(self.start, self._marks)

    def read(self, text: str, end: int) -> None:
        """Reads on up to `end`. What could be another marker with the next character is left for later."""
        while self._at < end:
            if self._open and self._open[-1].mark[0] in "`$\\":
                if not self._verbatim(self._open[-1], text, end):
                    return
                continue
            token = _TOKEN.search(text, self._at, end)
            if token is None or token.end() + (token[0] == "$") >= end:
                growing = _GROWING.search(text, max(self._at, end - _LONGEST_GROWING), end)
                self._stop = growing.start() if growing else end
                self._at = max(self._at, min(self._stop, end - _LONGEST_SCHEME))
                break
            self._forget(token.start())
            after = self._take(text, token, end)
            if after is None:
                self._at = self._stop = token.start()
                break
            self._at = self._stop = after
        self._forget(self._at)

    def is_free(self, place: int) -> bool:
        """Whether the text can be parted there without tearing a span."""
        if self._free_from is not None and place >= self._free_from:
            return place <= self._stop
        return any(start <= place <= end for start, end in reversed(self._free))

    def marks_at(self, place: int) -> list[str]:
        """The markers of what is open at the end, outermost first, that can be closed there and opened again."""
        return [span.mark for span in self._open if span.mark[0] in _CAN_BE_REOPENED and span.inner < place]

    def healed(self, text: str, end: int) -> str:
        """The paragraph so far as it should be seen: what is open closed, what is half written left out."""
        self.read(text, end)
        stop = end if self._verbatim_at_end else self._stop
        for span in self._open:
            if span.mark == "$" and _PROSE.search(text, span.inner, end):
                stop = end
            elif span.mark in _CLOSER:
                stop = span.start
        if self._verbatim_at_end:
            stop -= len(text[:stop]) - len(text[:stop].rstrip("`"))
        shown, at, closing = "", self.start, ""
        for span in self._open:
            if span.start >= stop or span.mark in _CLOSER:
                break
            hidden = span.mark == "[" or not text[span.inner : stop].strip()
            if hidden:
                before = span.start - (span.mark == "[" and text[at : span.start].endswith("!"))
                shown += text[at:before]
                at = span.inner
            else:
                closing = span.mark + closing
        shown += text[at:stop]
        return shown.rstrip() + closing if closing else shown

    @property
    def _verbatim_at_end(self) -> bool:
        """Whether the text ends inside of code, where everything is shown but what may close it."""
        return bool(self._open) and self._open[-1].mark[0] == "`"

    def _verbatim(self, span: _Open, text: str, end: int) -> bool:
        """Looks for the end of code or a formula; whether it is known."""
        pattern = _CLOSER.get(span.mark) or re.compile(rf"(?<!`){span.mark}(?!`)")
        closer = pattern.search(text, span.inner, min(end, span.believed_until))
        if closer is not None and closer.end() < end:
            self._open.pop()
            self._at = self._stop = closer.end()
            self._set_free(self._at)
            return True
        if end <= span.believed_until:
            return False
        self._open.pop()  # it was no marker
        self._at = self._stop = span.inner
        self._set_free(span.start)
        return True

    def _take(self, text: str, token: re.Match[str], end: int) -> int | None:
        """Reads one token; where to go on, or None if that depends on what follows."""
        start, after = token.span()
        match token.lastgroup:
            case "math" | "code" | "open":
                self._push(_Open(token[0], start, after))
            case "run":
                self._run(text, start, after)
            case "bars":
                self._bars(text, start, after)
            case "close":
                return self._bracket(text, after, end)
            case _:
                pass
        return after

    def _run(self, text: str, start: int, after: int) -> None:
        """A run of asterisks, underscores or tildes, by CommonMark's rules of what can open and close."""
        char, count = text[start], after - start
        before, behind = text[start - 1] if start > self.start else " ", text[after]
        punctuated, punctuates = bool(_PUNCTUATION.match(before)), bool(_PUNCTUATION.match(behind))
        left = not behind.isspace() and (not punctuates or before.isspace() or punctuated)
        right = not before.isspace() and (not punctuated or behind.isspace() or punctuates)
        opens, closes = left, right
        if char == "_":
            opens, closes = left and (not right or punctuated), right and (not left or punctuates)
        while closes and count:
            number = next((n for n in reversed(range(len(self._open))) if self._open[n].mark[0] == char), None)
            if number is None:
                break
            span = self._open[number]
            taken = min(count, len(span.mark))
            span.mark, count = span.mark[taken:], count - taken
            del self._open[number + (1 if span.mark else 0) :]
            self._set_free(after)
        if opens and count and not (right and count == 1):  # 2*3*4: what stands between letters may be a sign
            self._push(_Open(char * count, start, after))

    def _bars(self, text: str, start: int, after: int) -> None:
        number = next((n for n, span in enumerate(self._open) if span.mark == "||"), None)
        if number is not None:
            del self._open[number:]
            self._set_free(after)
        elif not text[after].isspace() and text[after] != "|":
            self._push(_Open("||", start, after))

    def _bracket(self, text: str, after: int, end: int) -> int | None:
        """The end of a link's text, and its target."""
        number = next((n for n in reversed(range(len(self._open))) if self._open[n].mark == "["), None)
        if number is None:
            return after
        if text[after] == "(":
            if target := _TARGET.match(text, after, end):
                after = target.end()
            elif end - after <= _LONGEST_TARGET and _PART_OF_TARGET.match(text[after:end]):
                return None
        del self._open[number:]
        self._set_free(after)
        return after

    def _push(self, span: _Open) -> None:
        if self._free_from is not None:
            self._free.append((self._free_from, span.start))
            self._free_from = None
        self._open.append(span)

    def _set_free(self, place: int) -> None:
        if not self._open and self._free_from is None:
            self._free_from = place

    def _forget(self, place: int) -> None:
        """Markers that nothing has closed for long were none."""
        stale = [span for span in self._open if span.believed_until < place]
        if stale and self._open[-1].mark[0] not in "`$\\":
            self._open = [span for span in self._open if span.believed_until >= place]
            self._set_free(max(span.believed_until for span in stale))
