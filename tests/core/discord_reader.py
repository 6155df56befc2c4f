"""Reads a message as Discord's clients do, by the rules they publish or that people found out, so that a test can say
what a person sees.

The rules are regular expressions tried in turn at each position (discord/SimpleAST and what others documented of the
desktop client): a backslash before punctuation is dropped; of the emphases that match, the longest wins; headings,
lists, quotes and small print count only at the start of a line; a link must be http(s) and its text hold no address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_EMPHASES = [
    (
        "italic",
        re.compile(
            r"_((?:__|\\[\s\S]|[^\\_])+?)_\b|\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)",
            re.ASCII,
        ),
    ),
    ("bold", re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")),
    ("underline", re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)")),
]
_CODE_BLOCK = re.compile(r"```(?:([\w+.-]+?)\s*\n)?\n*([^\n][\s\S]*?)\n*```")
_INLINE_CODE = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_LINK = re.compile(r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?\s*\)")
_URL = re.compile(r"https?://[^\s<]+[^<.,:;\"')\]\s]")
_PILL = re.compile(r"<(?:@[!&]?\d+|#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|/[\w -]+:\d+|id:\w+)>|@everyone|@here")
_AT_LINE_START = [
    ("quote", re.compile(r" *>(?:>>)? ([^\n]*(?:\n *> [^\n]*)*)\n?")),
    ("heading", re.compile(r" *#{1,3} +(?!#)([^\n]+)\n?")),
    ("small", re.compile(r"-# +([^\n]+)\n?")),
]
_ITEM = re.compile(r"( *)([-*+]|\d+\.) +(?=\S)")


@dataclass
class Shown:
    """What a person sees: the words without markers, and what stands out among them."""

    text: str = ""
    spans: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def of(self, kind: str) -> list[str]:
        return [text for name, text in self.spans if name == kind]


def read(message: str) -> Shown:
    shown = Shown()
    _read(message, shown, at_line_start=True)
    return shown


def _inner(kind: str, content: str, shown: Shown, *, at_line_start: bool, in_link: bool = False) -> None:
    start = len(shown.text)
    number = len(shown.spans)
    _read(content, shown, at_line_start=at_line_start, in_quote=kind == "quote", in_link=in_link)
    shown.spans.insert(number, (kind, shown.text[start:]))


def _read(source: str, shown: Shown, *, at_line_start: bool, in_quote: bool = False, in_link: bool = False) -> None:
    at = 0
    while at < len(source):
        line_start = (at == 0 and at_line_start) or (at > 0 and source[at - 1] == "\n")
        if line_start and not in_link:
            rules = [
                (kind, rule.match(source, at)) for kind, rule in _AT_LINE_START if not (in_quote and kind == "quote")
            ]
            found = next(((kind, match) for kind, match in rules if match), None)
            if found:
                kind, match = found
                content = re.sub(r"(?m)^ *> ?", "", match[1]) if kind == "quote" else match[1]
                _inner(kind, content, shown, at_line_start=True)
                shown.text += "\n"
                at = match.end()
                continue
            if match := _ITEM.match(source, at):
                shown.spans.append(("item", match[2]))
                shown.text += "\n" + match[2] + " "
                end = source.find("\n", match.end())
                end = len(source) if end < 0 else end
                if source[match.end() : end].lstrip()[:3] != "```":
                    _read(source[match.end() : end], shown, at_line_start=True, in_quote=in_quote)
                    at = end
                else:
                    at = match.end()
                continue
        if match := re.compile(r"\\([^0-9A-Za-z\s])").match(source, at):
            shown.text += match[1]
        elif match := _CODE_BLOCK.match(source, at):
            shown.spans.append(("block", match[2]))
            shown.text += match[2]
        elif match := _INLINE_CODE.match(source, at):
            content = re.sub(r"^ (?=`)|(?<=`) $", "", match[2])
            shown.spans.append(("code", content))
            shown.text += content
        elif match := re.compile(r"<(https?://[^ >]+)>").match(source, at):
            shown.spans.append(("url", match[1]))
            shown.text += match[1]
        elif match := _PILL.match(source, at):
            shown.spans.append(("pill", match[0]))
        elif not in_link and (match := _URL.match(source, at)):
            shown.spans.append(("url", match[0]))
            shown.text += match[0]
        elif not in_link and (match := _LINK.match(source, at)) and _URL.match(match[2]) and "://" not in match[1]:
            shown.spans.append(("target", match[2]))
            _inner("link", match[1], shown, at_line_start=False, in_link=True)
        elif emphases := [
            (len(m[0]), -n, kind, m) for n, (kind, rule) in enumerate(_EMPHASES) if (m := rule.match(source, at))
        ]:
            _, _, kind, match = max(emphases)
            _inner(
                kind,
                next(group for group in match.groups() if group is not None),
                shown,
                at_line_start=line_start,
                in_link=in_link,
            )
        elif match := re.compile(r"~~([\s\S]+?)~~(?!_)").match(source, at):
            _inner("struck", match[1], shown, at_line_start=line_start, in_link=in_link)
        elif match := re.compile(r"\|\|([\s\S]+?)\|\|").match(source, at):
            _inner("spoiler", match[1], shown, at_line_start=line_start, in_link=in_link)
        else:
            match = re.compile(r"[\s\S]").match(source, at)
            assert match is not None
            shown.text += match[0]
        at = match.end()
