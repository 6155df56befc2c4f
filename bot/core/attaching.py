"""What of an ended answer goes into files below it: pages that are too many, and code longer than a page."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.actions import Attach
from bot.core.dialects import Dialect
from bot.core.endings import sentence
from bot.core.files import File, files_of
from bot.core.model import End, Ending

COMING = "The rest comes as a file…"  # under the last page, until the file is there

_REST = "answer.md"
_MOST = 10  # files of one message, on every platform


@dataclass(frozen=True, slots=True)
class Attaching:
    """What goes into files."""

    max_pages: int = 0  # an answer has no more of them, what comes after goes into a file; 0: it has all
    code: bool = False  # code blocks longer than a page are offered as files too


def attachment(dialect: Dialect, source: str, rest: str, ending: Ending, *, code: bool) -> Attach | None:
    """The files of an answer that ended so, and the words above them; None where there are none (yet).

    `rest` is what its pages do not show. With it the words say also how the answer ended: they are the last of it.
    """
    if ending.end is End.SHUTDOWN:  # it goes on
        return None
    files = [File(_REST, rest)] if rest else []
    blocks: list[File] = []
    if code and ending.end is End.COMPLETED and len(source) > dialect.budget:
        blocks = files_of(source, dialect.budget, taken={file.name for file in files})
    files += blocks[: _MOST - len(files)]
    if not files:
        return None
    words = _words(bool(rest), len(blocks), all_there=len(files) == len(blocks) + bool(rest))
    if rest and (how := sentence(ending)):
        words = f"The answer goes on in the file. {how}"
    return Attach(dialect.note(dialect.render(words)), tuple(files))


def _words(rest: bool, blocks: int, *, all_there: bool) -> str:
    if not blocks:
        return "The rest of the answer is in the file."
    code = "long code block" if blocks == 1 else "long code blocks" if all_there else "first long code blocks"
    if not rest:
        return f"The {code} as {'a file' if blocks == 1 else 'files'}."
    where = "is in the second" if blocks == 1 else "are in the others"
    return f"The rest of the answer is in the first file, the {code} {where}."
