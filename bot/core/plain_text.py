"""The words of Markdown without its markers, and which HTML tags are markers too."""

from __future__ import annotations

import re
from functools import lru_cache

from markdown_it.token import Token

from bot.core.formulas import readable, superscript
from bot.core.markdown import read_inline


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


CODE_TAGS = {"code", "kbd", "samp", "tt"}
LINE_TAGS = {"div", "p", "li", "tr", "dt", "dd", "figcaption", "caption", "summary", "h1", "h2", "h3", "h4", "h5", "h6"}
DROPPED_TAGS = LINE_TAGS | _names(
    "details span center font small big mark abbr table thead tbody tfoot ul ol dl section article header footer main "
    "nav aside figure picture source q address hgroup colgroup col blockquote label th td wbr"
)
TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)(?P<rest>[^>]*)>", re.DOTALL)
FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")
_STYLE_TAGS = _names("b strong i em cite var dfn u ins s del strike a sub sup img")
_WEB = re.compile(r"https?://[^\s<]+\Z", re.IGNORECASE)


@lru_cache(maxsize=8192)
def plain(source: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The words alone, with the links among them as text and address, for a cell in a code block."""
    tokens = read_inline(source)
    text, links = "", list[tuple[str, str]]()
    for at, token in enumerate(tokens):
        if token.type == "html_inline":
            text += _plain_tag(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            text += "\n"
        elif token.type == "formula":
            text += readable(token.content) or token.content
        elif token.type == "image":
            text += token.content
            links.append((token.content, str(token.attrs.get("src", ""))))
        elif token.type == "link_open" and token.markup != "autolink":
            label = "".join(inner.content for inner in tokens[at : closing(tokens, at)])
            links.append((label, str(token.attrs.get("href", ""))))
        else:
            text += token.content
    text = FOOTNOTE.sub(footnote_mark, text)
    return text, tuple((label, url) for label, url in links if _WEB.match(url) and label)


def footnote_mark(match: re.Match[str]) -> str:
    return (superscript(match[1]) if match[1].isdigit() else None) or f"[{match[1]}]"


def closing(tokens: list[Token], at: int) -> int:
    """Where the pair of an opening token is."""
    kind, depth = tokens[at].type, 0
    closing = kind.removesuffix("_open") + "_close"
    for number in range(at, len(tokens)):
        depth += (tokens[number].type == kind) - (tokens[number].type == closing)
        if depth == 0:
            return number
    return len(tokens) - 1


def _plain_tag(content: str) -> str:
    tag = TAG.fullmatch(content)
    if tag is None:
        return "" if content.startswith("<!--") else content
    name = tag["name"].lower()
    if name in {"br", "hr"} or (name in LINE_TAGS and tag["end"]):
        return "\n"
    known = name in DROPPED_TAGS or name in CODE_TAGS or name in _STYLE_TAGS
    return "" if known else content
