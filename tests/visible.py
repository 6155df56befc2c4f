"""Reads states of messages as the platforms do, as far as tests ask: what looks broken in one, and what can be read.

It is small, and shares nothing with what the bot renders by. Discord looks for pairs of marks by regular expressions,
and knows no tables; Slack reads lines of Markdown, with tables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from playground.timeline import Moment
from tests.cursor import MARK, without_cursor

_DISCORD_BLOCK = re.compile(r"```(?:[\w+.-]+?\s*\n)?\n*[^\n][\s\S]*?\n*```")
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)")
_CONTAINERS = re.compile(r"\A(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])(?=[ \t]|$)[ \t]?)*[ \t]*")
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|_{1,3}|~~)(?=[^\s*_~])[^*_~\n]*(?<=[^\s*_~])\1(?![\w*_~])")
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_HALF_WRITTEN = {
    "half a link": re.compile(r"\[[^\[\]\n]*(?:\]\([^()\s]*(?:\([^()\s]*\)?[^()\s]*)?)?\Z"),
    "emphasis that has only begun": re.compile(
        r"(?<![\w*_~\\])(?:(?:\*{2,3}|__|~~)\Z|(?:\*{1,3}|_{1,3}|~~)[^\s*_~][^*_~]*\Z)"
    ),
    "code that has only begun": re.compile(r"(?<![`\\])`+[^`]*\Z"),
    "a lone marker": re.compile(r"(?:\A|\n)[ \t]*(?:#{1,6}|[-+*|]|\d+[.)]|=+|\|[^\n|]*)[ \t]*\Z"),
}


def faults(moment: Moment) -> list[str]:
    """What looks broken or half written in a state.

    A fence that is open at the end of a live stream of Slack's own is none: what it shows can only grow, so the fence
    is closed by the text that comes, and Slack draws what is there as code meanwhile.
    """
    text = without_cursor(moment.text)
    if moment.platform == "discord":
        rest = _DISCORD_BLOCK.sub("\n", text)
        is_open = "```" in _CODE_SPAN.sub("", rest)
    else:
        rest, is_open = _outside_fences(text)
    if is_open:
        return [] if moment.live else ["an open fence"]
    found = _broken_tables(rest, raw=moment.platform == "slack")
    if not re.search(r"(?:```|~~~)\s*\Z", text):
        last = _EMPHASIS.sub("x", _CODE_SPAN.sub("x", rest.rpartition("\n\n")[2]))
        found += [name for name, mark in _HALF_WRITTEN.items() if mark.search(last)]
    return found


def _outside_fences(text: str) -> tuple[str, bool]:
    """The lines outside of fences, and whether one is open at the end."""
    outside: list[str] = []
    mark = ""
    for line in text.split("\n"):
        bare = line.lstrip(" \t>") if mark else _CONTAINERS.sub("", line, count=1)
        fence = _FENCE.match(bare)
        if not mark and fence:
            mark = fence[1]
            outside.append("")
        elif not mark:
            outside.append(line)
        elif fence and fence[1].startswith(mark) and not fence[2].strip():
            mark = ""
    return "\n".join(outside), bool(mark)


def _broken_tables(text: str, *, raw: bool) -> list[str]:
    """`raw`: the platform draws tables, from their Markdown; else none may be seen."""
    found: list[str] = []
    for table in re.findall(r"(?m)(?:^\|[^|\n][^\n]*(?:\n|\Z))+", text):
        rows = [re.split(r"(?<!\\)\|", row.strip()) for row in table.strip().split("\n")]
        whole = len(rows) > 1 and all(not row[-1] and len(row) == len(rows[0]) for row in rows)
        if not raw:
            found.append("a table in the raw")
        elif not whole or not all(re.fullmatch(r" *:?-+:? *", cell) for cell in rows[1][1:-1]):
            found.append("half a table's row")
    return found


def readable(text: str) -> str:
    """The letters, digits and symbols of a text: what stays of it whatever marks and lines a dialect writes it in."""
    return "".join(character for character in text if _is_read(character))


def _is_read(character: str) -> bool:
    if character.isascii():
        return character.isalnum()
    is_drawn = "\u2500" <= character <= "\u259f"  # the lines of tables, and the cursor
    return not is_drawn and (character.isalnum() or unicodedata.category(character) in {"So", "Sk"})


def words(text: str) -> list[str]:
    """Each character of a script without spaces is a word."""
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+", text)


def reached(source: str, shown: Iterable[str]) -> int:
    """How many characters of a source, as `readable` gives them, can be read in these messages, in their order.

    What seams repeat is passed over.
    """
    at = 0
    for text in shown:
        for character in readable(text):
            at += source[at : at + 1] == character
    return at


def screens(moments: Sequence[Moment]) -> list[tuple[float, list[Moment]]]:
    """What stands in a room after each of its moments: the messages, oldest first."""
    there: dict[str, Moment] = {}
    found: list[tuple[float, list[Moment]]] = []
    for moment in moments:
        if moment.kind == "deleted":
            there.pop(moment.message, None)
        elif moment.kind in ("posted", "edited"):
            there[moment.message] = moment
        else:
            continue
        found.append((moment.at, list(there.values())))
    return found


def has_cursor(moment: Moment) -> bool:
    return MARK in moment.text
