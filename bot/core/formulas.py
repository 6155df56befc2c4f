r"""LaTeX formulas as a line of text: `\frac{a}{b} \leq x_{ij}^2` reads "a/b ≤ xᵢⱼ²".

Chat platforms show no formulas, and answers are full of small ones. What cannot be said in text without losing a part
of it (an unknown command) is left to the caller, which shows the source: better LaTeX than a formula that is wrong.
The table of symbols is pylatexenc's; its own text rendering is not used, because it drops what it does not know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

from bot.core.formula_symbols import (
    ACCENTS,
    ARROWS,
    BRACKETS,
    FUNCTIONS,
    LINES,
    ROOTS,
    SILENT,
    SILENT_WITH_ARGUMENT,
    SPACES,
    STYLES,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    SYMBOLS,
)

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\s+|.", re.DOTALL)
_PLAIN_TERM = re.compile(r"[^\W_]+[′']*|[^\W\d_][\u0300-\u036f\u2070-\u209c\u20d7ⁱⁿ¹²³]*|\S")
_DEEPEST = 40


class _UnknownError(Exception):
    """The formula holds something that has no reading here."""


@lru_cache(maxsize=2048)
def readable(latex: str) -> str | None:
    """The formula as text, in lines where it has lines; None if a part of it would be lost."""
    try:
        text = _Reader(latex).all()
    except _UnknownError:
        return None
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line) or None


def superscript(text: str) -> str | None:
    """The text raised, if each of its characters has a raised form."""
    return _raised(text, SUPERSCRIPTS)


def subscript(text: str) -> str | None:
    """The text lowered, if each of its characters has a lowered form."""
    return _raised(text, SUBSCRIPTS)


def _raised(text: str, forms: Mapping[str, str]) -> str | None:
    return "".join(forms[char] for char in text) if text and all(char in forms for char in text) else None


class _Reader:
    def __init__(self, latex: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(latex)
        self._at = 0
        self._depth = 0

    def all(self) -> str:
        text = self._sequence(frozenset())
        if self._at < len(self._tokens):
            raise _UnknownError
        return text

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise _UnknownError
        self._at += 1
        return token

    def _skip_space(self) -> None:
        while self._peek().isspace():
            self._at += 1

    def _sequence(self, stops: frozenset[str]) -> str:
        text = ""
        while (token := self._peek()) and token != "}" and token not in stops:
            piece = self._piece()
            if text and piece and _runs_together(text, piece, token):
                text += " "
            text += piece
        return text

    def _piece(self) -> str:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UnknownError
        piece = self._read(self._next())
        self._depth -= 1
        return piece

    def _read(self, token: str) -> str:
        if token in "^_":
            return self._script(token)
        if token == "{":
            return self._rest_of_group()
        if token[0] == "\\":
            return "\n" if token == "\\\\" else self._command(token[1:])
        if token.isspace() or token == "~":
            return " "
        return {"'": "′", "&": " "}.get(token, token)

    def _rest_of_group(self) -> str:
        text = self._sequence(frozenset())
        if self._next() != "}":
            raise _UnknownError
        return text

    def _argument(self) -> str:
        self._skip_space()
        return self._piece().strip()

    def _optional(self) -> str:
        if self._peek() != "[":
            return ""
        self._next()
        text = self._sequence(frozenset("]"))
        self._next()
        return text.strip()

    def _name(self) -> str:
        """An environment's name, which is not a formula."""
        self._skip_space()
        if self._next() != "{":
            raise _UnknownError
        name = ""
        while (token := self._next()) != "}":
            name += token
        return name

    def _script(self, mark: str) -> str:
        text = self._argument()
        if text in {"′", "°", "∘", ""}:
            return {"∘": "°"}.get(text, text)
        raised = (superscript if mark == "^" else subscript)(text.replace(" ", ""))
        return raised or (f"{mark}{text}" if len(text) == 1 else f"{mark}({text})")

    def _command(self, name: str) -> str:
        own: dict[str, Callable[[], str]] = {
            "frac": self._fraction,
            "dfrac": self._fraction,
            "tfrac": self._fraction,
            "cfrac": self._fraction,
            "nicefrac": self._fraction,
            "sqrt": self._root,
            "binom": lambda: f"C({self._argument()}, {self._argument()})",
            "begin": self._environment,
            "not": lambda: self._argument() + "\u0338",
            "tag": lambda: f" ({self._argument()})",
            "pmod": lambda: f" (mod {self._argument()})",
            "textcolor": lambda: (self._name(), self._argument())[1],
            "mathbb": lambda: _lettered(self._argument(), "DOUBLE-STRUCK"),
            "mathcal": lambda: _lettered(self._argument(), "SCRIPT"),
            "mathscr": lambda: _lettered(self._argument(), "SCRIPT"),
            "overset": self._overset,
            "stackrel": self._overset,
            "underset": lambda: self._overset("_"),
        }
        if name in own:
            return own[name]()
        name = name.removesuffix("*")
        if name in FUNCTIONS:
            return name.removeprefix("b") if name == "bmod" else name
        if name in STYLES:
            return self._argument()
        if name in SILENT_WITH_ARGUMENT:
            self._argument()
            return ""
        if name in SILENT:
            return self._delimiter()
        if name in SPACES:
            return SPACES[name]
        if name in ACCENTS:
            return _accented(self._argument(), ACCENTS[name])
        if name in ARROWS:
            return f" {ARROWS[name]}[{self._argument()}] "
        if name in SYMBOLS:
            if name == "partial":
                self._skip_space()
            return SYMBOLS[name]
        raise _UnknownError

    def _delimiter(self) -> str:
        r"""What follows \left and \right may be a dot, which stands for nothing."""
        if self._peek() == ".":
            self._next()
        return ""

    def _fraction(self) -> str:
        return f"{_term(self._argument())}/{_term(self._argument())}"

    def _root(self) -> str:
        degree = self._optional()
        sign = ROOTS.get(degree) or f"{superscript(degree) or f'({degree})'}√"
        return sign + _term(self._argument())

    def _overset(self, mark: str = "^") -> str:
        over = self._argument()
        base = self._argument()
        return f"{base}{(superscript if mark == '^' else subscript)(over) or f'{mark}({over})'}"

    def _environment(self) -> str:
        name = self._name()
        if name not in LINES and name not in BRACKETS:
            raise _UnknownError
        if name == "array":
            self._name()
        rows = [[""]]
        while (token := self._peek()) != "\\end":
            if token in {"&", "\\\\"}:
                self._next()
                if token == "&":
                    rows[-1].append("")
                else:
                    rows.append([""])
                continue
            before = self._at
            rows[-1][-1] += self._sequence(frozenset({"&", "\\\\", "\\end"}))
            if self._at == before:
                raise _UnknownError
        self._next()
        if self._name() != name:
            raise _UnknownError
        lines = [" ".join(cell.strip() for cell in row).strip() for row in rows]
        lines = [line for line in lines if line]
        if name in LINES:
            return "\n".join(lines)
        left, right = BRACKETS[name]
        return f"{left}{'; '.join(lines)}{right}".rstrip()


def _term(text: str) -> str:
    """In brackets where it would read wrongly without them."""
    return text if _PLAIN_TERM.fullmatch(text) else f"({text})"


def _runs_together(text: str, piece: str, token: str) -> bool:
    """Whether a function's name needs a space: "n log n", not "nlogn"."""
    if token[1:] in FUNCTIONS and text[-1].isalnum():
        return True
    return token not in "{^_" and piece[0].isalnum() and re.split(r"[^A-Za-z]", text)[-1] in FUNCTIONS


def _accented(text: str, accent: str) -> str:
    return "".join(char + accent for char in text) if accent == "\u0305" else text + accent


def _lettered(text: str, alphabet: str) -> str:
    def letter(char: str) -> str:
        for name in (f"{alphabet} CAPITAL {char}", f"MATHEMATICAL {alphabet} CAPITAL {char}"):
            if char.isascii() and char.isupper():
                try:
                    return unicodedata.lookup(name)
                except KeyError:
                    continue
        return char

    return "".join(map(letter, text))
