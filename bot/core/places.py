"""Places inside a line where a page may end, when it does not end between lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

_SENTENCE_END = re.compile(r"(?:[.!?…][\"'”’)\]*_]*[ \t]+|[。！？][」』”）]*)(?=\S)")
_WIDE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\u3000-\u303f\uff00-\uffef"
_WORD_START = regex.compile(
    rf"[ \t]+(?=\S)|(?<=[{_WIDE}])(?=[^\s\p{{M}}\p{{Emoji_Modifier}}\u200d\ufe0f、。，．！？：；）」』】…ー々])",
    regex.V1,
)
# What may stand at the start of a line without becoming something else there: a list item, a heading, a fence.
_HARMLESS = re.compile(r"[^-+#>|=~`_<$\\\d\s*]|\*{1,2}[^\s*]|_{1,2}[^\s_]|`{1,2}[^\s`]|~~[^\s~]")
_GRAPHEME = regex.compile(r"\X")
_LONGEST_GRAPHEME = 200
_MARKERS = str.maketrans("", "", "*_~`|")


def harmless(text: str, place: int, end: int) -> bool:
    """Whether what stands there would be the same at the start of a line."""
    return _HARMLESS.match(text, place, end) is not None


def sentence_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences begin behind another, in order; each with at least a character of its own before `end`."""
    return (place.end() for place in _SENTENCE_END.finditer(text, start, end) if place.end() < end)


def word_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where words begin behind another, in order, and characters in scripts without spaces."""
    return (place.end() for place in _WORD_START.finditer(text, start, end) if place.end() < end)


def last_grapheme(text: str, start: int, end: int) -> int:
    """Where the last grapheme begins; behind `start`, for one of hundreds of combining marks has to be split."""
    start = max(start, end - _LONGEST_GRAPHEME)
    *_, last = _GRAPHEME.finditer(text[start:end])
    return start + last.start() if last.start() else end - 1


def letters(text: str) -> str:
    """The text without the markers of emphasis and white space."""
    return "".join(text.translate(_MARKERS).split())
