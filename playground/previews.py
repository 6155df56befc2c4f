"""Which links of a text a platform would look at, to show a preview below the message."""

from __future__ import annotations

import re

_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_BRACKETED = re.compile(r"<https?://[^<>\s]+>")
_LINK = re.compile(r"https?://\w[^\s<>|\[\]]*")
_AFTERWARDS = ".,:;!?'\"*_~"  # what ends a sentence or a span, not a link


def previews(text: str, *, brackets_hush: bool) -> tuple[str, ...]:
    """The links outside of code, each once; `brackets_hush`: one in <…> gets no preview, as on Discord."""
    text = _CODE.sub(" ", text)
    if brackets_hush:
        text = _BRACKETED.sub(" ", text)
    return tuple(dict.fromkeys(trimmed(link) for link in _LINK.findall(text)))


def trimmed(link: str) -> str:
    """Without what belongs to the sentence around it: a bracket stays only if the link has opened it."""
    while True:
        shorter = link.rstrip(_AFTERWARDS)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == link:
            return link
        link = shorter
