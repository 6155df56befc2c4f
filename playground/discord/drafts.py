"""What a call says of a message, checked as Discord checks it before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from playground.discord.attachments import FILES, File, Named, read_named
from playground.discord.errors import invalid_form
from playground.discord.mentions import AllowedMentions, read_allowed_mentions

CONTENT = 2000  # code points; the same for every bot, whatever its guild pays for
EMBEDS = 10
EMBED_TEXT = 6000  # all embeds of a message together
NONCE = 25

_EMBED_FIELDS = {"title": 256, "description": 4096, "footer.text": 2048, "author.name": 256}


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a message; None where the call says nothing of it."""

    content: str | None = None
    embeds: Sequence[dict[str, Any]] | None = None
    components: Sequence[dict[str, Any]] | None = None
    flags: int | None = None
    attachments: tuple[Named, ...] | None = None
    files: tuple[File, ...] = ()
    allowed_mentions: AllowedMentions | None = None
    nonce: str | int | None = None
    enforce_nonce: bool = False
    tts: bool = False


def read_draft(body: dict[str, Any], files: tuple[File, ...] = ()) -> Draft:
    """Raises ApiError (50035) where Discord would."""
    if len(files) > FILES:
        raise invalid_form("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
    return Draft(
        content=_content(body),
        embeds=_embeds(body),
        components=_objects(body, "components"),
        flags=_flags(body),
        attachments=_attachments(body),
        files=files,
        allowed_mentions=_allowed_mentions(body),
        nonce=_nonce(body),
        enforce_nonce=bool(body.get("enforce_nonce")),
        tts=bool(body.get("tts")),
    )


def _content(body: dict[str, Any]) -> str | None:
    if "content" not in body:
        return None
    content = body["content"]
    if content is None:
        return ""
    if isinstance(content, list | dict):
        raise invalid_form("content", "STRING_TYPE_CONVERT", 'Could not interpret "content" as string.')
    text = str(content)
    _must_fit("content", text, CONTENT)
    return text.strip()


def _embeds(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    embeds = _objects(body, "embeds")
    if embeds is None:
        return None
    if len(embeds) > EMBEDS:
        raise invalid_form("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    total = 0
    for number, embed in enumerate(embeds):
        for path, most in _EMBED_FIELDS.items():
            text = _text_at(embed, path)
            _must_fit(f"embeds.{number}.{path}", text, most)
            total += len(text)
        for field in cast("list[dict[str, Any]]", embed.get("fields") or []):
            total += len(_text_at(field, "name")) + len(_text_at(field, "value"))
    if total > EMBED_TEXT:
        raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TEXT}")
    return embeds


def _attachments(body: dict[str, Any]) -> tuple[Named, ...] | None:
    attachments = _objects(body, "attachments")
    return None if attachments is None else read_named(attachments)


def _allowed_mentions(body: dict[str, Any]) -> AllowedMentions | None:
    field = body.get("allowed_mentions")
    return None if field is None else read_allowed_mentions(field)


def _flags(body: dict[str, Any]) -> int | None:
    flags = body.get("flags")
    if flags is None:
        return None
    if not isinstance(flags, int) or flags < 0:
        raise invalid_form("flags", "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
    return flags


def _nonce(body: dict[str, Any]) -> str | int | None:
    nonce = body.get("nonce")
    if nonce is None:
        return None
    if not isinstance(nonce, str | int):
        raise invalid_form("nonce", "NONCE_TYPE_INVALID", "Must be a string or an integer.")
    _must_fit("nonce", str(nonce), NONCE)
    return nonce


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]] | None:
    if name not in body:
        return None
    given = body[name]
    if given is None:
        return []
    if not isinstance(given, list):
        raise invalid_form(name, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    for number, item in enumerate(cast("list[object]", given)):
        if not isinstance(item, dict):
            raise invalid_form(f"{name}.{number}", "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
    return cast("list[dict[str, Any]]", given)


def _text_at(embed: dict[str, Any], path: str) -> str:
    value: Any = embed
    for name in path.split("."):
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _must_fit(field: str, text: str, most: int) -> None:
    if len(text) > most:
        raise invalid_form(field, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
