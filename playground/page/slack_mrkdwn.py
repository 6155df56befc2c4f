"""mrkdwn, Slack's older markup, as a `text` is shown: *bold*, _italic_, ~strike~, code, quotes, <…>; nothing else.

What Markdown has beyond that (headings, lists, tables, `**`, `[…](…)`) stays as it was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from itertools import groupby

from playground.previews import trimmed

_BLOCK = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_ATOM = re.compile(r"`(?P<code>[^`\n]+)`|<(?P<control>[^<>\n]+)>|(?P<url>https?://[^\s<>|\]]+)")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), "s"),
)
_KEPT = re.compile("\ue000(\\d+)\ue001")  # stands for what is finished, while the styles around it are found
_QUOTE = re.compile(r"(?:>|&gt;) ?")
_SAFE = ("http://", "https://", "mailto:")


def show_mrkdwn(text: str, names: Mapping[str, str]) -> str:
    """The message as HTML; `names` maps the ids in mentions to names."""
    shown: list[str] = []
    for place, part in enumerate(_BLOCK.split(re.sub("[\ue000\ue001]", "", text))):
        if place % 2:
            shown.append(f"<pre><code>{_escaped(part)}\n</code></pre>")
        elif part.strip():
            shown += _lines(part.strip("\n"), names)
    return "".join(shown)


def _lines(text: str, names: Mapping[str, str]) -> list[str]:
    shown: list[str] = []
    for quoted, lines in groupby(text.split("\n"), key=lambda line: bool(_QUOTE.match(line))):
        inside = "<br />".join(_inline(_QUOTE.sub("", line, count=1) if quoted else line, names) for line in lines)
        shown.append(f"<blockquote><p>{inside}</p></blockquote>" if quoted else f"<p>{inside}</p>")
    return shown


def _inline(line: str, names: Mapping[str, str]) -> str:
    kept: list[str] = []

    def keep(atom: re.Match[str]) -> str:
        kept.append(_finished(atom, names))
        return f"\ue000{len(kept) - 1}\ue001"

    line = _escaped(_ATOM.sub(keep, line))
    for style, tag in _STYLES:
        line = style.sub(rf"<{tag}>\1</{tag}>", line)
    return _KEPT.sub(lambda number: kept[int(number[1])], line)


def _finished(atom: re.Match[str], names: Mapping[str, str]) -> str:
    if atom["code"]:
        return f"<code>{_escaped(atom['code'])}</code>"
    if atom["url"]:
        url = trimmed(atom["url"])
        return _link(url, url) + _escaped(atom["url"][len(url) :])
    target, _, label = atom["control"].partition("|")
    if target.lower().startswith(_SAFE):
        return _link(target, label or target)
    if target[0] in "@#!":
        name = names.get(target[1:], label or target[1:])
        return f'<span class="mention">{"#" if target[0] == "#" else "@"}{_escaped(name)}</span>'
    return _escaped(atom[0])


def _link(url: str, label: str) -> str:
    return f'<a href="{_escaped(url)}" target="_blank" rel="noopener noreferrer">{_escaped(label)}</a>'


def _escaped(text: str) -> str:
    """As text of the page; &lt; &gt; &amp; are how Slack's markup writes these three, and it knows no others."""
    return html.escape(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
