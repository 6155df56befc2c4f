"""A page of the model's Markdown as Discord shows it well.

Discord knows headings 1 to 3, lists, quotes, links, emphasis, spoilers and code. What it does not know becomes
something that reads as well: a table stands in columns in a code block, a deeper heading is bold, a formula is a line
of text. A page must fit a message before it is rendered, so each kind of line has a measure that rendering never
exceeds; a block that would exceed it, which only strange Markdown does, is sent as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markdown_it.token import Token

from bot.core.discord_inline import code, code_line, defused, escaped, inline
from bot.core.discord_tables import TableMeasure, table_cost, table_lines, text_cost
from bot.core.formulas import readable
from bot.core.markdown import DEEPEST, one_newline, read_blocks, read_markdown_in_html
from bot.core.tables import Alignment

LIMIT = 2000  # code points: Discord's limit for one message, also for bots (discord-api-docs#1315)

_LANGUAGE = re.compile(r"[\w+.-]{1,20}\Z")
_TASK = re.compile(r"\[([ xX])\](?=\s)")
_BLANK = re.compile(r"[>\s]*\Z")
_TAGS = re.compile(r"<[^>]+>")


def render(page: str) -> str:
    """What to send for a page that stands by itself. Never longer than the measure of its lines; empty if nothing in
    it is to be seen, as in a comment or a code block without code."""
    page = one_newline(page)
    text = _within_measure(page)
    return text if len(text) <= LIMIT else min(text, defused(page), key=len)  # what may still be accepted


def _within_measure(page: str) -> str:
    for rule in ("──────", "───"):
        writer = _Writer(page, rule)
        text = writer.all()
        if len(text) <= writer.measured():
            return text
    return writer.all_within_measure()


class Measure:
    """What a page will cost at most, in code points."""

    def text(self, text: str) -> int:
        """A part of a line outside code and tables. Additive."""
        return text_cost(text)

    def code(self, text: str) -> int:
        """A part of a line of code. Additive."""
        return len(text) + text.count("`") + 3 * text.count("\t")

    def table(self) -> TableMeasure:
        """A table that begins."""
        return TableMeasure()


class _Written(NamedTuple):
    """A block of the page itself."""

    place: slice  # among the lines written
    source: list[int]  # its first line and the one after it
    tokens: list[Token]


class _Writer:
    """Writes blocks as lines. A quote is always outermost, since Discord knows no quote inside something else; code
    and tables stand at the left edge, since Discord would show a list's indentation as part of them."""

    def __init__(self, source: str, rule: str, *, inside_html: bool = False) -> None:
        self._rule = rule
        self._source = source.split("\n")
        self._tokens = read_markdown_in_html(source) if inside_html else read_blocks(source)
        self._lines: list[str] = []
        self._written: list[_Written] = []
        self._quote = ""
        self._indent = ""
        self._lead: str | None = None  # what the next line of text begins with: the markers of a list or a quote

    def all(self) -> str:
        self._blocks(0, len(self._tokens))
        return "\n".join(self._lines).strip("\n")

    def measured(self) -> int:
        """What a pager charges for the page."""
        return self._measured([0, len(self._source)], self._tokens) - 1

    def all_within_measure(self) -> str:
        """As `all`, with the blocks as they were written that have become longer than their measure."""
        for block in reversed(self._written):
            if sum(len(line) + 1 for line in self._lines[block.place]) > self._measured(block.source, block.tokens):
                self._lines[block.place] = [defused(line) for line in self._source[slice(*block.source)]]
        return "\n".join(self._lines).strip("\n")

    def _blocks(self, start: int, end: int) -> None:
        at, last = start, -1
        while at < end:
            token = self._tokens[at]
            close = _closing(self._tokens, at)
            lines = token.map or [0, 0]
            while lines[1] > lines[0] + 1 and _BLANK.match(self._source[lines[1] - 1]) and token.nesting == 1:
                lines = [lines[0], lines[1] - 1]
            if last >= 0 and lines[0] > last:
                self._blank()
            before = len(self._lines)
            if close - at >= DEEPEST and max(inner.level for inner in self._tokens[at:close]) >= DEEPEST - 1:
                self._lines += [defused(line) for line in self._source[slice(*lines)]]
            else:
                self._block(token, at, close)
            if token.level == 0:
                self._written.append(_Written(slice(before, len(self._lines)), lines, self._tokens[at : close + 1]))
            last = lines[1]
            at = close + 1

    def _measured(self, lines: list[int], tokens: list[Token]) -> int:
        measure = Measure()
        costs = {number: measure.text(self._source[number]) + 1 for number in range(*lines)}
        for token in tokens:
            if token.type == "fence" and token.map:
                inside = range(token.map[0] + 1, token.map[1] - 1)
                costs.update((number, measure.code(self._source[number]) + 1) for number in inside)
            elif token.type == "table_open" and token.map:
                rows = [self._source[number] for number in range(*token.map)]
                costs.update(dict.fromkeys(range(*token.map), 0))
                costs[token.map[0]] = table_cost(rows)
        return sum(costs.values())

    def _blank(self) -> None:
        if self._lead is None and self._lines and self._lines[-1].strip(" >"):
            self._lines.append(self._quote)

    def _text(self, text: str) -> None:
        if not text:
            return
        for line in text.split("\n"):
            lead = self._quote + self._indent if self._lead is None else self._lead
            self._lead = None
            self._lines.append(lead + line)

    def _spend_lead(self) -> None:
        """Markers without text keep a line of their own."""
        if self._lead is not None:
            self._lines.append(self._lead.rstrip() if self._lead.strip(" >") else self._lead)
            self._lead = None

    def _at_edge(self, lines: Iterable[str]) -> None:
        self._spend_lead()
        self._lines.extend(self._quote + line for line in lines)

    def _code(self, content: str, language: str = "") -> None:
        lines = [code_line(line) for line in content.rstrip("\n").split("\n")]
        if any(line.strip() for line in lines):  # of an empty block Discord would show the backticks
            self._at_edge([f"```{language}", *lines, "```"])

    def _block(self, token: Token, at: int, close: int) -> None:
        match token.type:
            case "paragraph_open":
                self._text(inline(self._tokens[at + 1].content))
            case "heading_open":
                self._heading(int(token.tag[1]), self._tokens[at + 1].content)
            case "fence":
                language = token.info.split()[0] if token.info.split() else ""
                self._code(token.content, language if _LANGUAGE.match(language) else "")
            case "code_block":
                content = token.content.rstrip("\n")
                if "\n" in content or "`" in content:
                    self._code(content)
                else:
                    self._text(code(content))
            case "hr":
                self._text(self._rule)
            case "formula_block":
                self._formula(token.content)
            case "html_block":
                self._html(token.content)
            case "blockquote_open":
                self._quoted(at + 1, close)
            case "bullet_list_open" | "ordered_list_open":
                self._list(token, at + 1, close)
            case "table_open":
                self._table(at, close)
            case _:
                self._text(escaped(token.content))

    def _heading(self, level: int, content: str) -> None:
        text = inline(content, bold=level > 3).replace("\n", " ")
        if text:
            self._text(f"{'#' * level} {text}" if level <= 3 else text)

    def _formula(self, latex: str) -> None:
        text = readable(latex)
        if text:
            self._text(escaped(text))
        elif "\n" in latex:
            self._code(latex)
        else:
            self._text(code(latex))

    def _html(self, content: str) -> None:
        tag = re.match(r"\s*<(!--|[?]|!|[a-z]*)", content, re.IGNORECASE)
        kind = tag[1].lower() if tag else ""
        if kind == "!--":
            content = content.partition("-->")[2]
        elif kind == "pre":
            body, _, content = content.partition("</pre>")
            self._code(_TAGS.sub("", body).strip("\n"))
        elif kind in {"script", "style", "textarea", "?", "!"}:
            self._code(content)
            return
        if content.strip():
            inner = _Writer(content.strip("\n"), self._rule, inside_html=True).all()
            self._text(re.sub(r"\n{3,}", "\n\n", inner).strip("\n"))

    def _quoted(self, start: int, end: int) -> None:
        quote, indent = self._quote, self._indent
        mark = "│ " if quote else "> "
        if self._lead is not None:
            self._lead += mark
        self._quote, self._indent = "> ", (indent + mark if quote else "")
        self._blocks(start, end)
        self._spend_lead()
        self._quote, self._indent = quote, indent

    def _list(self, opening: Token, start: int, end: int) -> None:
        indent = self._indent
        numbers = [
            token.info
            for token in self._tokens[start:end]
            if token.type == "list_item_open" and token.level == opening.level + 1
        ]
        counted = len(set(numbers)) == 1  # 1. 1. 1. is how some write 1. 2. 3.
        at, last, number = start, -1, 0
        while at < end:
            close = _closing(self._tokens, at)
            first = (self._tokens[at].map or [0, 0])[0]
            if last >= 0 and first > last:
                self._blank()
            marker = "- "
            if opening.type == "ordered_list_open":
                marker = f"{int(numbers[number]) + (number if counted else 0)}. "
            self._indent = indent
            self._item(marker, at + 1, close)
            lines = self._tokens[at].map or [0, 0]
            last = lines[1]
            while last > lines[0] and _BLANK.match(self._source[last - 1]):
                last -= 1
            at, number = close + 1, number + 1
        self._indent = indent

    def _item(self, marker: str, start: int, end: int) -> None:
        self._lead = (self._quote + self._indent if self._lead is None else self._lead) + marker
        self._indent += "  "
        first = self._tokens[start + 1] if end - start >= 3 else None
        if first is not None and self._tokens[start].type == "paragraph_open" and (task := _TASK.match(first.content)):
            self._lead += "☐" if task[1] == " " else "☑"
            first.content = first.content[task.end() :].lstrip()
            self._lead += " "
        self._blocks(start, end)
        self._spend_lead()

    def _table(self, at: int, close: int) -> None:
        rows: list[list[str]] = []
        alignments: list[Alignment] = []
        for number in range(at, close):
            token = self._tokens[number]
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                rows[-1].append(self._tokens[number + 1].content)
                if token.type == "th_open":
                    style = str(token.attrs.get("style", ""))
                    alignments.append("center" if "center" in style else "right" if "right" in style else "left")
        self._at_edge(table_lines(rows, alignments))


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Where a block ends; a block without content ends where it begins."""
    level = tokens[at].level
    if tokens[at].nesting != 1:
        return at
    return next(number for number in range(at + 1, len(tokens)) if tokens[number].level == level)
