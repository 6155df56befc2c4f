"""What a person wrote, as plain text: Slack's `<…>` sequences and entities undone."""

from __future__ import annotations

import re
from collections.abc import Mapping

# A literal "<" arrives as "&lt;", so every "<" opens a sequence: <@U1>, <#C1|general>, <!here>, <https://a.b|label>.
_SEQUENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")


def mentioned(text: str) -> list[str]:
    """The ids of the people mentioned, in order, each once."""
    return list(dict.fromkeys(_USER.findall(text)))


def without_mention(text: str, user: str) -> str:
    """The text without the mentions of this user, and without the colon or comma after one that opens it."""
    mention = rf"<@{re.escape(user)}(?:\|[^<>]*)?>"
    text = re.sub(rf"\A\s*{mention}\s*[:,]?", "", text)
    return re.sub(rf"[ \t]*{mention}[ \t]*", " ", text).strip()


def to_plain(text: str, names: Mapping[str, str]) -> str:
    """The text as its author sees it. `names`: the display names of people by id; who is missing keeps the id."""

    def plain(match: re.Match[str]) -> str:
        sigil, target, label = match[1], match[2], match[3] or ""
        match sigil:
            case "@":
                return f"@{names.get(target) or label or target}"
            case "#":
                return f"#{label or target}"
            case "!":  # <!here>, <!subteam^S1|@ops>, <!date^1700000000^{date}|yesterday>
                return label if "^" in target and label else f"@{target.rpartition('^')[2]}"
            case _:
                return _link(target, label)

    return _unescaped(_SEQUENCE.sub(plain, text))


def _link(url: str, label: str) -> str:
    shown = re.sub(r"\A(https?://|mailto:|tel:)", "", url)  # Slack makes <http://a.b|a.b> of a written "a.b"
    if not label:
        return url.removeprefix("mailto:").removeprefix("tel:")
    return label if label.rstrip("/") in {url.rstrip("/"), shown.rstrip("/")} else f"{label} ({url})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
