"""Slack's Markdown, as `markdown_text` is shown: headings of one size, tables, task lists; images become links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from playground.page.markup import Markup, push_link

# <@U1>, <#C1|name>, <!channel>: what Slack's parser acts on, also in Markdown.
_MENTION = re.compile(r"<(?P<sign>[@#!])(?P<id>\w+)(\|[^>]*)?>")
_LABELLED = re.compile(r"<(?P<url>[a-zA-Z][a-zA-Z0-9+.-]*:[^\s|<>]+)\|(?P<label>[^>\n]+)>")


def show_slack(text: str, names: Mapping[str, str]) -> str:
    """The message as HTML; `names` maps the ids in mentions to names."""
    return _MARKUP.show(text, names)


def _markup() -> Markup:
    markup = Markup(_MENTION)
    markup.enable("table")
    markup.options["tasklists"] = True
    markup.inline.ruler.before("autolink", "labelled_link", _labelled_link)
    markup.add_render_rule("image", _image_as_link)
    return markup


def _labelled_link(state: StateInline, silent: bool) -> bool:
    found = _LABELLED.match(state.src, state.pos)
    if found is None or not state.md.validateLink(found["url"]):
        return False
    if not silent:
        push_link(state, state.md.normalizeLink(found["url"]), found["label"])
    state.pos = found.end()
    return True


def _image_as_link(renderer: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    image = tokens[index]
    href = escapeHtml(str(image.attrGet("src") or ""))
    label = escapeHtml(image.content) or href
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{label}</a>'


_MARKUP = _markup()
