"""Slack's control sequences: what a person's typing becomes on the wire, and what acts in a bot's text.

A person who types `a < b` is seen by apps as `a &lt; b`. In a bot's text, also inside markdown_text, `<!channel>`,
`<@U1>` and `<https://elsewhere|label>` act unless the bracket was escaped.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any, Literal

_CONTROL = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|![a-z]+[^<>\s]*|[a-z][a-z0-9+.-]*:[^<>\s|]+)(?:\|[^<>]*)?>")
_EVERYONE = re.compile(r"<!(?:channel|here|everyone)(?:\|[^<>]*)?>")
_GROUP = re.compile(r"<!subteam\^[A-Z0-9]+(?:\|[^<>]*)?>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_DISGUISED_LINK = re.compile(r"<[a-z][a-z0-9+.-]*:[^<>\s|]+\|[^<>]+>")


@dataclass(frozen=True, slots=True)
class Ping:
    """A control sequence of the bot's that acted: somebody was notified, or a link wore another's name."""

    channel: str
    ts: str
    kind: Literal["everyone", "group", "person", "link"]
    sequence: str


def encode(typed: str) -> str:
    """What apps receive of what a person typed; control sequences stand for what Slack's editor offers as such."""
    pieces: list[str] = []
    end = 0
    for control in _CONTROL.finditer(typed):
        pieces += [html.escape(typed[end : control.start()], quote=False), control.group()]
        end = control.end()
    return "".join([*pieces, html.escape(typed[end:], quote=False)])


def mentions(text: str, person: str) -> bool:
    return person in _PERSON.findall(text)


def pings(channel: str, ts: str, text: str) -> list[Ping]:
    """Everything in a bot's text that acts."""
    found: list[Ping] = []
    for control in _CONTROL.finditer(text):
        sequence = control.group()
        if _EVERYONE.fullmatch(sequence):
            found.append(Ping(channel, ts, "everyone", sequence))
        elif _GROUP.fullmatch(sequence):
            found.append(Ping(channel, ts, "group", sequence))
        elif _PERSON.fullmatch(sequence):
            found.append(Ping(channel, ts, "person", sequence))
        elif _DISGUISED_LINK.fullmatch(sequence):
            found.append(Ping(channel, ts, "link", sequence))
    return found


def rich_text(encoded: str) -> list[dict[str, Any]]:
    """The rich_text block that Slack's editor makes of a person's message."""
    elements: list[dict[str, Any]] = []
    end = 0
    for control in _CONTROL.finditer(encoded):
        _append_text(elements, encoded[end : control.start()])
        elements.append(_element(control.group()[1:-1]))
        end = control.end()
    _append_text(elements, encoded[end:])
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]


def _append_text(elements: list[dict[str, Any]], encoded: str) -> None:
    if encoded:
        elements.append({"type": "text", "text": html.unescape(encoded)})


def _element(inside: str) -> dict[str, Any]:
    target, _, label = inside.partition("|")
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            return {"type": "link", "url": target, **({"text": label} if label else {})}
