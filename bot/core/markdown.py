r"""The model's Markdown, read: CommonMark, GFM's tables and strikethrough, and what models write besides.

Formulas ($…$, $$…$$, \(…\), \[…\]), Discord's spoilers (||…||) and bare addresses become tokens of their own, so that
no marker inside them is taken for emphasis. Link reference definitions stay text: their use may be on another page.
Blocks and inline content are read apart, because what is inside a block can be remembered while a page grows.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_URL = re.compile(r"https?://[^\s<>\"`|\\。、，；：！？（）「」『』【】《》]+", re.IGNORECASE)
_SPOILER = re.compile(r"(?<![\w|])\|\|(?=[^\s|])[^|\n]*(?<=[^\s|])\|\|(?![\w|])")
_MATH = {
    "$$": re.compile(r"\$\$(?P<latex>[^$]+)\$\$"),
    "$": re.compile(r"\$(?P<latex>(?![\s$])(?:[^$\n\\]|\\.){0,200}?(?<!\s))\$(?![\w$])"),
    "\\(": re.compile(r"\\\((?P<latex>.+?)\\\)", re.DOTALL),
    "\\[": re.compile(r"\\\[(?P<latex>.+?)\\\](?!\()", re.DOTALL),
}
DEEPEST = 80  # levels of blocks; what is deeper is not read
_SIGNS = re.compile(r"[\\^_=<>+*/{}]")
_PROSE = re.compile(r"[^\W\d_]{2,}")


class _Reader(MarkdownIt):
    """Addresses stay as they were written; percent-encoding would make them longer than the source."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def _reader(*, html_blocks: bool) -> _Reader:
    reader = _Reader("commonmark", {"html": True, "maxNesting": DEEPEST})
    reader.enable(["table", "strikethrough"])
    reader.disable("reference")
    if not html_blocks:
        reader.disable("html_block")
    may_interrupt = ["paragraph", "blockquote", "list"]
    reader.block.ruler.before("table", "formula", _formula_block, {"alt": may_interrupt})
    reader.block.ruler.before("blockquote", "table_end", _table_end, {"alt": ["blockquote"]})
    reader.inline.add_terminator_char("|")
    reader.inline.ruler.before("escape", "formula", _formula)
    reader.inline.ruler.before("escape", "spoiler", _spoiler)
    reader.inline.ruler.before("escape", "url", _url)
    reader.core.ruler.enableOnly(["normalize", "block"])
    return reader


def one_newline(text: str) -> str:
    """The text with each line ending as CommonMark reads it written in one way."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_blocks(source: str) -> list[Token]:
    """The blocks; their inline content is left as source."""
    return _WITH_HTML.parse(source)


def read_markdown_in_html(source: str) -> list[Token]:
    """The blocks of a text whose tags are part of paragraphs."""
    return _WITHOUT_HTML.parse(source)


def read_inline(source: str) -> list[Token]:
    """The tokens of a paragraph, a heading or a cell."""
    return _WITH_HTML.inline.parse(source, _WITH_HTML, {}, [])


def is_formula(latex: str) -> bool:
    """Whether it is one, rather than the words between two prices or two brackets."""
    return bool(_SIGNS.search(latex)) or not _PROSE.search(latex)


def formula_at(source: str, at: int) -> re.Match[str] | None:
    """The formula that begins there; its group `latex` is what is inside the marks."""
    if source[at] not in "$\\":
        return None
    opening = source[at : at + 2] if source[at : at + 2] in _MATH else source[at]
    if opening == "$" and at and (source[at - 1].isalnum() or source[at - 1] == "$"):
        return None
    match = _MATH[opening].match(source, at) if opening in _MATH else None
    if match is None or not match["latex"].strip():
        return None
    latex = match["latex"]
    if opening == "\\[" and not _SIGNS.search(latex):
        return None  # an escaped bracket, as in \[1\]
    return match if opening == "$$" or is_formula(latex) else None


def _formula(state: StateInline, silent: bool) -> bool:
    match = formula_at(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = match["latex"]
    state.pos = match.end()
    return True


def _spoiler(state: StateInline, silent: bool) -> bool:
    """Both marks of a spoiler; what is between them is read as anything else."""
    source, at = state.src, state.pos
    if not source.startswith("||", at):
        return False
    env: MutableMapping[str, Any] = state.env
    if "spoilers" not in env:
        env["spoilers"] = {end for match in _SPOILER.finditer(source) for end in (match.start(), match.end() - 2)}
    if at not in env["spoilers"]:
        return False
    if not silent:
        state.push("spoiler_mark", "", 0)
    state.pos += 2
    return True


def _url(state: StateInline, silent: bool) -> bool:
    """A bare address, found at its colon, as GFM finds it."""
    source, at = state.src, state.pos
    if silent or not source.startswith("://", at) or state.linkLevel > 0:
        return False  # silent: the end of a link's text is being looked for
    scheme = next((name for name in ("https", "http") if source[:at].lower().endswith(name)), "")
    start = at - len(scheme)
    if not scheme or (start and source[start - 1].isalnum()) or (match := _URL.match(source, start)) is None:
        return False
    url = without_trailing_marks(match[0])
    if len(url) <= len(scheme) + 3:
        return False
    if not state.pending.endswith(source[start:at]):
        return False
    state.pending = state.pending[: -len(scheme)]
    state.push("url", "", 0).content = url
    state.pos = start + len(url)
    return True


def without_trailing_marks(url: str) -> str:
    """The address without the punctuation of the sentence around it."""
    while url:
        last = url[-1]
        unbalanced = (last == ")" and url.count(")") > url.count("(")) or (
            last == "]" and url.count("]") > url.count("[")
        )
        if not (last in "?!.,:;*_~'" or unbalanced):
            break
        url = url[:-1]
    return url


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""$$ … $$ or \[ … \] on lines of its own."""
    first = _line(state, start)
    closing = {"$$": "$$", "\\[": "\\]"}.get(first[:2])
    if closing is None or state.is_code_block(start):
        return False
    latex = [first[2:]]
    number = start
    while not latex[-1].endswith(closing):
        number += 1
        if number >= end or state.sCount[number] < state.blkIndent or not (line := _line(state, number)):
            return False
        latex.append(line)
    latex[-1] = latex[-1][:-2]
    content = "\n".join(latex).strip()
    if not content or closing in content or (closing == "\\]" and not _SIGNS.search(content)):
        return False
    if not silent:
        token = state.push("formula_block", "", 0)
        token.content = content
        token.map = [start, number + 1]
        state.line = number + 1
    return True


def _table_end(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A line without a pipe ends a table. GFM makes it one more row, which no one means who writes it."""
    return silent and state.parentType == "table" and "|" not in _line(state, start)


_WITH_HTML = _reader(html_blocks=True)
_WITHOUT_HTML = _reader(html_blocks=False)
