"""What both dialects share: CommonMark without HTML, links that lead to the web only, and mentions shown as names.

Nothing in a message can become a tag or an attribute of its own choice: HTML is off, every text is escaped, and a link
is a link only if it starts with http, https or mailto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from playground.previews import trimmed

_SAFE = ("http://", "https://", "mailto:")
_BARE_URL = re.compile(r"://[^\s<>|\]]+")


class Markup(MarkdownIt):
    """A Markdown parser for one platform; `mention` finds a mention at `<`, with the groups `sign` and `id`."""

    def __init__(self, mention: re.Pattern[str]) -> None:
        super().__init__("commonmark", {"html": False, "breaks": True})
        self.enable("strikethrough")
        self.disable(["html_block", "html_inline"])
        self.core.ruler.push("dress", _dress)
        self.inline.ruler.before("autolink", "mention", _mention_rule(mention))
        self.inline.ruler.before("newline", "bare_url", _bare_url)
        self.add_render_rule("mention", _render_mention)

    def validateLink(self, url: str) -> bool:  # noqa: N802, the library's name
        return url.lower().startswith(_SAFE)

    def show(self, text: str, names: Mapping[str, str]) -> str:
        """The message as HTML; ids that have no name are shown as they are."""
        return cast("str", self.render(text, {"names": names}))


def push_link(state: StateInline, href: str, label: str) -> None:
    """Adds a link with a plain label."""
    state.push("link_open", "a", 1).attrSet("href", href)
    state.push("text", "", 0).content = label
    state.push("link_close", "a", -1)


def _dress(state: StateCore) -> None:
    """Gives tags what the page needs: no style attributes (its policy forbids them), and links that open beside it."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"  # below the page's own headings
        alignment = token.attrs.pop("style", None)
        if alignment:
            token.attrSet("class", str(alignment).removeprefix("text-align:"))
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("target", "_blank")
                child.attrSet("rel", "noopener noreferrer")


def _mention_rule(pattern: re.Pattern[str]):
    def mention(state: StateInline, silent: bool) -> bool:
        found = pattern.match(state.src, state.pos)
        if found is None:
            return False
        if not silent:
            names = cast("Mapping[str, str]", state.env.get("names", {}))
            sign = "#" if found["sign"] == "#" else "@"
            state.push("mention", "", 0).content = sign + names.get(found["id"], found["id"])
        state.pos = found.end()
        return True

    return mention


def _render_mention(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return f'<span class="mention">{escapeHtml(tokens[index].content)}</span>'


def _bare_url(state: StateInline, silent: bool) -> bool:
    """Makes https://… a link without brackets; the scheme has already been read as text when its colon is reached."""
    if silent or state.linkLevel or state.src[state.pos] != ":":
        return False
    scheme = next((scheme for scheme in ("https", "http") if state.pending.endswith(scheme)), "")
    found = _BARE_URL.match(state.src, state.pos, state.posMax)
    if not scheme or found is None:
        return False
    rest = trimmed(found[0])
    if rest == "://":
        return False
    state.pending = state.pending[: -len(scheme)]
    url = scheme + rest
    push_link(state, state.md.normalizeLink(url), url)
    state.pos += len(rest)
    return True
