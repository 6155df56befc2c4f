"""Files to attach to an answer: code that is longer than a page, under the name that it should have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markdown_it import MarkdownIt

from bot.core.languages import EXTENSIONS, WHOLE_NAMES, usual_name

# A name that is harmless wherever it is saved: no path, nothing hidden, no letters that look like others, and an
# extension that says it is a text. Windows keeps some names to itself, with any extension.
_PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)\.)[a-z0-9_][a-z0-9_.+-]{0,79}", re.IGNORECASE | re.ASCII)

_ATTRIBUTE = re.compile(
    r"\b(?:title|file|filename|name|path)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,}]+))", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[^\s,:;{}=]+")

# A line that is nothing but a name: `**app.py**:`, `### 2. src/app.py`, "- File: `app.py`".
_BEFORE_NAME = re.compile(
    r"(?:[\s>#*`]|(?:[-+]|\d{1,9}[.)])[ \t])*(?:(?:file|file ?name|path)[*`]*:[\s*`]*)?", re.IGNORECASE
)
_AFTER_NAME = "*`:# \t"

_NEWLINE = re.compile(r"\r\n?|\n")  # what ends a line for the parser


@dataclass(frozen=True, slots=True)
class File:
    """A text with a name of its own."""

    name: str
    text: str

    def encoded(self) -> bytes:
        """As UTF-8; halves of characters, which a model may write, are question marks."""
        return self.text.encode("utf-8", "replace")


def files_of(source: str, budget: float, *, taken: Iterable[str] = ()) -> list[File]:
    """The code blocks of more than `budget` characters, in order, without the indentation and the marks of the lists
    and quotes that they stand in.

    A block is named as the model named it, in its info string or on the line before it, where that is a plain name;
    else after its language. No two names are the same, also where upper and lower case are; none is one of `taken`.
    """
    lines = _NEWLINE.split(source)
    names = {name.lower() for name in taken}
    files: list[File] = []
    for token in _reader().parse(source):
        if token.type in {"fence", "code_block"} and len(token.content) > budget and token.map is not None:
            above = (lines[number] for number in range(token.map[0] - 1, -1, -1))
            before = next((line for line in above if line.strip(" \t>")), "")
            name = _name_in_info(token.info) or _name_in_line(before) or usual_name(_language(token.info))
            files.append(File(_distinct(name, names), token.content))
    return files


def _reader() -> MarkdownIt:
    """A parser that finds blocks and does not look into them. No chat service knows blocks of HTML."""
    reader = MarkdownIt("commonmark").disable("html_block")
    reader.core.ruler.enableOnly(["normalize", "block"])
    return reader


def _language(info: str) -> str:
    """`python title="x"`, `{.python}`, `python:app.py`, `c++`: the first word."""
    word = _LANGUAGE.search(info)
    return word[0].lstrip(".") if word else ""


def _name_in_info(info: str) -> str:
    if attribute := _ATTRIBUTE.search(info):
        return _plain(attribute[attribute.lastindex or 0])
    names = (_plain(word[0]) for word in re.finditer(r"[^\s:{}]+", info))
    return next(filter(None, names), "")


def _name_in_line(line: str) -> str:
    opening = _BEFORE_NAME.match(line)
    return _plain(line[opening.end() if opening else 0 :].rstrip(_AFTER_NAME))


def _plain(path: str) -> str:
    """The last part of a path, if it is a plain name; else nothing."""
    name = re.split(r"[/\\]", path)[-1]
    if name in WHOLE_NAMES.values():
        return name
    extension = name.rpartition(".")[2].lower()
    return name if "." in name and extension in EXTENSIONS and _PLAIN.fullmatch(name) else ""


def _distinct(name: str, taken: set[str]) -> str:
    stem, dot, extension = name.partition(".")
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}{dot}{extension}"
    taken.add(name.lower())
    return name
