"""Discord's Markdown: three sizes of headings, underline, spoilers, subtext; no tables, images, rules or HTML.

What Discord does not know it shows as it was typed, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, fence, heading, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, escape

from playground.page.markup import Markup

_MENTION = re.compile(r"<(?P<sign>@|#)[!&]?(?P<id>\d+)>")
_TIME = re.compile(r"<t:(-?\d{1,11})(?::[tTdDfFR])?>")  # eleven digits: until the year 5138
_HEADING = re.compile(r"#{1,3} +\S")
_ITEM = re.compile(r"([-*]|\d+\.) ")
_SUBTEXT = re.compile(r"-# +(\S.*)")
_QUOTE = re.compile(r"> ")
_QUOTED_REST = re.compile(r">>> ")
_LISTED = re.compile(r"( *)((?:[-*]|\d+\.) +)")
_FENCE = re.compile(r" *`{3,}\s*$")
_SPOILER = re.compile(r"\|\|(?=\S)(.+?)\|\|", re.DOTALL)

# Rules that may end a paragraph without a blank line before them.
_ENDS_A_PARAGRAPH: RuleOptionsType = {"alt": ["paragraph"]}


def show_discord(text: str, names: Mapping[str, str]) -> str:
    """The message as HTML; `names` maps the ids in mentions to names."""
    return _MARKUP.show(_indented(text), names)


def _markup() -> Markup:
    markup = Markup(_MENTION)
    markup.disable(["code", "hr", "lheading", "reference", "image", "entity"])
    blocks = markup.block.ruler
    blocks.at("heading", _heading, _ENDS_A_PARAGRAPH)
    blocks.at("list", _list, _ENDS_A_PARAGRAPH)
    blocks.at("fence", _fence, _ENDS_A_PARAGRAPH)
    blocks.at("blockquote", _quote, _ENDS_A_PARAGRAPH)
    blocks.before("list", "subtext", _subtext, _ENDS_A_PARAGRAPH)
    blocks.before("list", "outdent", _outdent, _ENDS_A_PARAGRAPH)
    markup.inline.add_terminator_char("|")
    markup.inline.ruler.before("link", "spoiler", _spoiler)
    markup.inline.ruler.before("autolink", "time", _time)
    markup.inline.ruler.at("escape", _escape)
    for kind in ("softbreak", "hardbreak"):
        markup.add_render_rule(kind, lambda *_: "<br />")  # every space is shown, also one that follows this
    markup.core.ruler.push("underline", _underline)
    return markup


def _indented(text: str) -> str:
    """With lists indented as CommonMark wants them: on Discord two spaces nest, whatever the marker above is."""
    lines: list[str] = []
    items: list[tuple[int, str]] = []  # those that are open: their indentation, and that of what they hold
    is_code = False
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        item = None if is_code else _LISTED.match(line)
        if not is_code and line.strip():
            nests = 2 if item else 1
            while items and indent < items[-1][0] + nests:
                items.pop()
        within = items[-1][1] if items and not is_code else ""
        lines.append(within + line[indent:] if within and line.strip() else line)
        if item:
            items.append((indent, (within or item[1]) + " " * len(item[2])))
        elif line.startswith("```"):
            is_code = not is_code
    return "\n".join(lines)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return bool(_HEADING.match(_line(state, start))) and heading(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return bool(_ITEM.match(_line(state, start))) and list_block(state, start, end, silent)


def _outdent(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A line that is not indented ends a list item, where CommonMark would let the item's paragraph go on."""
    return silent and state.sCount[start] < state.blkIndent


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A fence that is never closed is plain text on Discord."""
    if not _line(state, start).startswith("```"):
        return False
    closed = any(_FENCE.match(_line(state, line)) for line in range(start + 1, end))
    return closed and fence(state, start, end, silent)


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`> ` quotes its own line, `>>> ` everything that follows; quotes do not nest."""
    first = _line(state, start)
    if state.env.get("quoted") or not (_QUOTE.match(first) or _QUOTED_REST.match(first)):
        return False
    if silent:
        return True
    after = start + 1
    if _QUOTED_REST.match(first):
        after = end
    while after < end and _QUOTE.match(_line(state, after)):
        after += 1
    lines = state.getLines(start, after, state.blkIndent, False).split("\n")
    quoted = "\n".join(_QUOTE.sub("", _QUOTED_REST.sub("", line, count=1), count=1) for line in lines)
    state.push("blockquote_open", "blockquote", 1)
    state.md.block.parse(_indented(quoted), state.md, {**state.env, "quoted": True}, state.tokens)
    state.push("blockquote_close", "blockquote", -1)
    state.line = after
    return True


def _subtext(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    found = _SUBTEXT.match(_line(state, start))
    if found is None:
        return False
    if silent:
        return True
    state.push("subtext_open", "small", 1).block = True
    inline = state.push("inline", "", 0)
    inline.content, inline.children = found[1].strip(), []
    state.push("subtext_close", "small", -1).block = True
    state.line = start + 1
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    """A backslash at the end of a line is shown, where CommonMark would break the line."""
    return not state.src.startswith("\\\n", state.pos) and escape(state, silent)


def _time(state: StateInline, silent: bool) -> bool:
    """<t:…> is a moment in the reader's own time, whose zone is not known here."""
    found = _TIME.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        moment = datetime.fromtimestamp(int(found[1]), UTC)
        state.push("mention", "", 0).content = f"{moment:%Y-%m-%d %H:%M} UTC"
    state.pos = found.end()
    return True


def _spoiler(state: StateInline, silent: bool) -> bool:
    found = _SPOILER.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        end, state.posMax = state.posMax, found.end(1)
        state.pos = found.start(1)
        opened = state.push("spoiler_open", "span", 1)
        opened.attrs = {"class": "spoiler", "tabindex": "0"}  # it is revealed while it has the focus
        state.md.inline.tokenize(state)
        state.push("spoiler_close", "span", -1)
        state.posMax = end
    state.pos = found.end()
    return True


def _underline(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.markup == "__" and child.tag == "strong":
                child.tag = "u"


_MARKUP = _markup()
