"""What is inside a paragraph, a heading or a cell, as Discord writes it.

Discord reads a message with regular expressions tried in turn, not as CommonMark does: an emphasis ends at the first
marker that looks like one, even inside code. So each marker that is meant is written so that Discord finds its pair,
and each character that only looks like a marker is escaped. A reader never sees the backslash: Discord removes it
before punctuation.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

from markdown_it.token import Token

from bot.core.formulas import readable, subscript, superscript
from bot.core.markdown import read_inline
from bot.core.plain_text import CODE_TAGS, DROPPED_TAGS, FOOTNOTE, LINE_TAGS, TAG, closing, footnote_mark

ZERO_WIDTH = "\u200b"

_MARKS = {"strong": "**", "em": "*", "s": "~~"}
_DEEPEST = 20
_TAG_MARKS = {
    **dict.fromkeys(("b", "strong", "summary", "h1", "h2", "h3", "h4", "h5", "h6"), "**"),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), "*"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
    **dict.fromkeys(("u", "ins"), "__"),
}
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")

_ESCAPED = re.compile(
    r"\\(?=[^0-9A-Za-z\s]|\Z)"
    r"|[*_`]"
    r"|~(?=~|\Z)|(?<=~)~|\A~"
    r"|\|(?=\||\Z)|(?<=\|)\||\A\|"
    r"|<(?=#\d|a?:\w+:\d|t:-?\d|/[\w -]+:\d|id:\w|sound:\d)"
)
_PING = re.compile(r"@(?=everyone|here)|(?<=<)@(?=[!&]?\d)")
_AT_LINE_START = re.compile(r"^( *)(?:(\d+)(?=\.\s)|(?=#{1,3}\s|-#\s|>[\s>]|[-+]\s))", re.MULTILINE)
_SPACE_AROUND_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_FOOTNOTE_TEXT = re.compile(r"^\[\^([^\]\s]+)\]:(?=\s)", re.MULTILINE)

_WEB = re.compile(r"(?:https?|discord)://[^\s<]+\Z", re.IGNORECASE)
_OTHER_SITE = re.compile(
    r"(?:www\.)?((?:[a-z0-9-]+\.)+(?!(?:py|md|rs|sh|pl|cc|ml|so|ps|mk|vb|do|cs|tf|js|ts|go|in|st)\b)"
    r"(?:com|org|net|edu|gov|info|biz|app|dev|xyz|[a-z]{2}))(?:[/:?#]\S*)?",
    re.IGNORECASE,
)
_ENDS_URL = re.compile(r"[\s.,:;\"')\]]|\Z")


def defused(text: str) -> str:
    """Nothing in it looks like a mention. What really keeps people from being pinged is said in each call."""
    return _PING.sub("@" + ZERO_WIDTH, text)


@lru_cache(maxsize=8192)
def inline(source: str, *, bold: bool = False) -> str:
    """The content of a block, in lines; `bold`: all of it, for what Discord has no heading for."""
    writer = _Writer(read_inline(source), "](" in source)
    text = writer.all()
    if bold and text.strip() and not any("*" in raw for raw in writer.raw):
        text = f"**{_Writer(read_inline(source), '](' in source, bold=True).all()}**"
    return _AT_LINE_START.sub(r"\1\2\\", _SPACE_AROUND_BREAK.sub("\n", text).strip())


def escaped(text: str) -> str:
    """Plain words, so that Discord shows them as they are."""
    return _AT_LINE_START.sub(r"\1\2\\", defused(_ESCAPED.sub(r"\\\g<0>", text)))


def code(text: str) -> str:
    """Inline code."""
    text = text.replace("\n", " ")
    if "`" not in text:
        return f"`{text}`"
    text = re.sub(r"`(?=`)", "`" + ZERO_WIDTH, text)
    return f"``{' ' if text[0] == '`' else ''}{text}{' ' if text[-1] == '`' else ''}``"


def code_line(line: str) -> str:
    """A line of a code block, which three backticks would end."""
    return re.sub(r"``(?=`)", "``" + ZERO_WIDTH, line)


def link(text: str, url: str) -> str:
    """A link behind words, unless Discord would not make one of it or the words are those of another address."""
    shown = text.strip()
    bare = re.sub(r"\A(?:https?://|mailto:)|/\Z", "", url)
    if not shown or shown.replace("\\", "").rstrip("/") in {url.rstrip("/"), bare}:
        return f"<{_target(url)}>" if _WEB.match(url) else escaped(bare)
    if url.startswith("#") or not url:
        return text
    if not _WEB.match(url):
        return f"{text} ({escaped(url.removeprefix('mailto:'))})"
    site = _OTHER_SITE.fullmatch(shown)
    masks = "://" in shown or (site and site[1].lower() not in url.lower().split("://")[1].split("/")[0])
    if masks or not _balanced(shown):
        return f"{text} (<{_target(url)}>)"
    return f"[{text}]({_target(url)})"


def _target(url: str) -> str:
    url = url.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
    return url if _balanced(url, "()") else url.replace("(", "%28").replace(")", "%29")


def _balanced(text: str, brackets: str = "[]") -> bool:
    depth = 0
    for char in text:
        depth += (char == brackets[0]) - (char == brackets[1])
        if depth not in {0, 1}:
            return False
    return depth == 0


class _Writer:
    def __init__(self, tokens: list[Token], has_links: bool, *, bold: bool = False) -> None:
        self.raw: list[str] = []  # code and addresses, which are never escaped
        self._tokens = tokens
        self._has_links = has_links
        self._open = {"**"} if bold else set[str]()
        self._in_link = False
        self._depth = 0  # of HTML elements; Markdown's own are limited by the parser

    def all(self) -> str:
        return self._written(0, len(self._tokens))

    def _written(self, start: int, end: int) -> str:
        text, at = "", start
        while at < end:
            token = self._tokens[at]
            if token.type in {"text", "text_special"}:
                words, at = self._words(at, end)
                piece = self._escaped(words)
            else:
                piece, at = self._piece(token, at, end)
            if piece and text and piece[0] in "*~_" and piece[0] == text[-1]:
                piece = ZERO_WIDTH + piece  # or the end of one emphasis and the start of the next are one marker
            text += piece
        return text

    def _words(self, at: int, end: int) -> tuple[str, int]:
        words = ""
        while at < end and self._tokens[at].type in {"text", "text_special"}:
            words += self._tokens[at].content
            at += 1
        return words, at

    def _escaped(self, words: str) -> str:
        words = FOOTNOTE.sub(footnote_mark, _FOOTNOTE_TEXT.sub(footnote_mark, words)) if "[^" in words else words
        words = _ESCAPED.sub(r"\\\g<0>", words)
        if self._has_links and not self._in_link:
            words = words.replace("[", "\\[")
        return defused(words)

    def _piece(self, token: Token, at: int, end: int) -> tuple[str, int]:
        match token.type:
            case "softbreak" | "hardbreak":
                return "\n", at + 1
            case "code_inline":
                return self._raw(code(token.content)), at + 1
            case "url":
                return self._raw(self._url(token.content, at + 1, end)), at + 1
            case "formula":
                return self._formula(token.content), at + 1
            case "spoiler_mark":
                return "||", at + 1
            case "image":
                words = escaped(token.content)
                return (words if self._in_link else link(words, str(token.attrs.get("src", "")))), at + 1
            case "html_inline":
                return self._html(token.content, at, end)
            case "link_open":
                close = closing(self._tokens, at)
                return self._link(str(token.attrs.get("href", "")), at + 1, close), close + 1
            case _ if token.nesting == 1 and _MARKS.get(token.tag, "") in self._open:
                return "", at + 1  # emphasis within the same emphasis; its end says nothing either
            case _ if token.nesting == 1:
                close = closing(self._tokens, at)
                return self._marked(_MARKS.get(token.tag, ""), at + 1, close), close + 1
            case _:
                return self._escaped(token.content), at + 1

    def _raw(self, text: str) -> str:
        self.raw.append(text)
        return text

    def _marked(self, mark: str, start: int, end: int) -> str:
        if mark in self._open:
            return self._written(start, end)
        self._open.add(mark)
        before = len(self.raw)
        text = self._written(start, end)
        self._open.discard(mark)
        if not text.strip() or any(mark[:1] in raw for raw in self.raw[before:]):
            return text  # Discord would end the emphasis inside the code
        return f"{mark}{text}{mark}"

    def _link(self, url: str, start: int, end: int) -> str:
        if self._in_link:
            return self._written(start, end)
        self._in_link = True
        text = self._written(start, end)
        self._in_link = False
        if _WEB.match(url):
            self.raw.append(url)
        return link(text, url)

    def _url(self, url: str, at: int, end: int) -> str:
        """An address, in angle brackets where Discord would take more or less of the line for it."""
        following = self._tokens[at].content if at < end else ""
        is_whole = _ENDS_URL.match(following) and url[-1] != ")" and _target(url) == url
        return url if is_whole else f"<{_target(url)}>"

    def _formula(self, latex: str) -> str:
        text = readable(latex)
        text = text and escaped(text.replace("\n", "; "))
        return text if text and len(text) <= len(latex) + 2 else self._raw(code(latex))

    def _html(self, content: str, at: int, end: int) -> tuple[str, int]:
        tag = TAG.fullmatch(content)
        if tag is None:  # a comment says nothing to the reader; a declaration is shown
            return ("" if content.startswith("<!--") else escaped(content)), at + 1
        name = tag["name"].lower()
        attributes = {
            match[1].lower(): unescape(match[2] or match[3] or match[4] or "")
            for match in _ATTRIBUTE.finditer(tag["rest"])
        }
        if name == "img":
            return link(escaped(attributes.get("alt", "")), attributes.get("src", "")), at + 1
        if name == "br":
            return "\n", at + 1
        if name == "hr":
            return "\n──────\n", at + 1
        paired = name in _TAG_MARKS or name in CODE_TAGS or name in {"a", "sub", "sup"}
        close = self._end_tag(name, at + 1, end) if paired and not tag["end"] and self._depth < _DEEPEST else None
        if close is not None:
            self._depth += 1
            text = self._element(name, attributes, at + 1, close)
            self._depth -= 1
            return text, close + 1
        if name in DROPPED_TAGS:
            if name in {"td", "th"} and tag["end"]:
                return " | " if self._end_tag("tr", at, end) != at + 1 else "", at + 1
            return ("\n" if name in LINE_TAGS and tag["end"] else ""), at + 1
        return escaped(content), at + 1

    def _end_tag(self, name: str, start: int, end: int) -> int | None:
        for at in range(start, end):
            token = self._tokens[at]
            tag = TAG.fullmatch(token.content) if token.type == "html_inline" else None
            if tag and tag["end"] and tag["name"].lower() == name:
                return at
        return None

    def _element(self, name: str, attributes: dict[str, str], start: int, end: int) -> str:
        if name in CODE_TAGS:
            content = "".join(token.content or "\n" * token.type.endswith("break") for token in self._tokens[start:end])
            return self._raw(code(content)) if content.strip() else ""
        if name == "a":
            return self._link(attributes.get("href", ""), start, end)
        if name in {"sub", "sup"}:
            text = self._written(start, end)
            raised = superscript(text) if name == "sup" else subscript(text)
            mark = "^" if name == "sup" else "\\_"
            return raised or (f"{mark}{text}" if len(text) == 1 else f"{mark}({text})")
        return self._marked(_TAG_MARKS[name], start, end) + ("\n" if name in LINE_TAGS else "")
