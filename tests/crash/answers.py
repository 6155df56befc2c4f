"""What the model says: a text made for each question, the same whenever it is asked.

Its words are numbered: `q17x0 q17x1 …` is the answer to question 17. So a screen tells by itself whose text stands on
it, and whether a word is missing, stands there twice or stands at the wrong place, whatever a dialect makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from playground.openai.record import Said
from playground.openai.script import Script

KINDS = ("line", "paragraph", "list", "code", "table", "pages", "long code")
_WORD = re.compile(r"\bq(\d+)x(\d+)\b")
_QUESTION = re.compile(r"\bq(\d+): (\D+), please")


def question(number: int, kind: str) -> str:
    return f"q{number}: {kind}, please"


def numbered(text: str) -> list[tuple[int, int]]:
    """The numbered words that can be read in a text, in order: the question's number and the word's."""
    return [(int(question), int(word)) for question, word in _WORD.findall(text)]


def answer(said: Sequence[Said]) -> Script:
    """The script for the last thing that a user said, at a speed that differs from one question to the other."""
    asked = next((message.text for message in reversed(said) if message.role == "user"), "")
    found = _QUESTION.search(asked)
    if found is None:
        return Script(f"Nobody has asked this: {asked}")
    number, kind = int(found[1]), found[2]
    pace = Random(number)
    long = kind in {"pages", "long code"}
    speed = pace.uniform(200, 300) if long else pace.uniform(60, 300)
    return Script(answer_to(number, kind), tokens_per_second=speed, first_token=pace.uniform(0.02, 0.3))


def answer_to(number: int, kind: str, *, code_words: int = 450) -> str:
    """The Markdown. `code_words`: of the block of a "long code"; 450 are more than one page of Discord."""
    words = _Words(number)
    blocks: dict[str, Callable[[], list[str]]] = {
        "line": lambda: [words.sentence()],
        "paragraph": lambda: [words.paragraph(5), words.paragraph(3)],
        "list": lambda: [words.paragraph(1), words.items("-"), words.paragraph(2), words.items()],
        "code": lambda: [words.paragraph(2), words.code(60), words.paragraph(2)],
        "table": lambda: [words.paragraph(1), words.table(), words.paragraph(1)],
        "pages": words.pages,
        "long code": lambda: [words.paragraph(2), words.code(code_words), words.paragraph(1)],
    }
    return "\n\n".join(blocks[kind]())


def long_blocks(text: str) -> list[str]:
    """The code of each fence, which is what a file of it holds."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


class _Words:
    """Gives out the numbered words of one answer."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._random = Random(number)
        self._next = 0

    def sentence(self) -> str:
        words = self._take(self._random.randint(5, 14))
        if self._random.random() < 0.3:
            words[1] = self._random.choice(["**{}**", "`{}`", "*{}*"]).format(words[1])
        return f"{' '.join(words)}."

    def paragraph(self, sentences: int) -> str:
        return " ".join(self.sentence() for _ in range(sentences))

    def items(self, mark: str = "") -> str:
        """Without a mark they are numbered."""
        items = range(1, self._random.randint(4, 8))
        return "\n".join(f"{mark or f'{number}.'} {self.sentence()}" for number in items)

    def code(self, words: int) -> str:
        lines: list[str] = []
        while words > 0:
            line = self._take(self._random.randint(2, 5))
            words -= len(line)
            lines.append(f"{'    ' * self._random.randint(0, 2)}{line[0]} = {' + '.join(line[1:])}")
        return "\n".join(["```python", *lines, "```"])

    def table(self) -> str:
        rows = [f"| {' | '.join(self._take(3))} |" for _ in range(self._random.randint(3, 8))]
        return "\n".join(["| River | Length | Flows |", "|---|---|---|", *rows])

    def pages(self) -> list[str]:
        """About two to four pages of Discord."""
        parts = [self.paragraph(4)]
        for _ in range(self._random.randint(4, 9)):
            parts += [f"## {self.sentence().rstrip('.')}", self.paragraph(5)]
            parts.append(self._random.choice([lambda: self.items("-"), lambda: self.code(50)])())
        return parts

    def _take(self, count: int) -> list[str]:
        words = [f"q{self._number}x{number}" for number in range(self._next, self._next + count)]
        self._next += count
        return words
