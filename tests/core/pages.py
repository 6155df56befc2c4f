"""Pages for tests: a measure that counts characters, generated Markdown, and pages read by a CommonMark parser."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import dropwhile, takewhile

from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.paging import Pager

BUDGET = 400


class _Table:
    def __init__(self) -> None:
        self._cost = 0

    def with_row(self, row: str) -> float:
        return self._cost + len(row) + 1

    def add(self, row: str) -> None:
        self._cost += len(row) + 1


class Characters:
    """Each character costs one."""

    def text(self, text: str) -> float:
        return len(text)

    def code(self, text: str) -> float:
        return len(text)

    def table(self) -> _Table:
        return _Table()


def fed(pieces: Iterable[str], budget: float = BUDGET) -> Pager:
    pager = Pager(budget, Characters())
    for piece in pieces:
        pager.feed(piece)
    return pager


def pages(source: str, cuts: Iterable[int] = (), budget: float = BUDGET) -> list[str]:
    """All pages of a source that came in these pieces."""
    ends = [*sorted(cut for cut in cuts if cut <= len(source)), len(source)]
    starts = [0, *ends[:-1]]
    pager = fed((source[start:end] for start, end in zip(starts, ends, strict=True)), budget)
    return [*pager.sealed, *filter(None, [pager.last()])]


Character = tuple[str, tuple[str, ...], frozenset[str]]  # it, the blocks that it is in, the marks on it

_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_NAMES = {"bullet_list": "bullets", "ordered_list": "numbers", "blockquote": "quote"}


def characters(page: str) -> list[Character]:
    """What a CommonMark parser reads: each character that is no white space, with its blocks and its marks."""
    found: list[Character] = []
    blocks: list[str] = []
    numbers: list[int] = []
    for token in _READER.parse(page):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type in {"fence", "code_block"}:
            within = (*blocks, f"code {token.info}")
            none: frozenset[str] = frozenset()
            found += [(char, within, none) for char in token.content if not char.isspace()]
        elif token.type == "inline":
            marks: list[str] = []
            for child in token.children or []:
                if child.nesting == 1:
                    marks.append(f"{child.tag} {child.attrGet('href') or ''}")
                elif child.nesting == -1:
                    marks.pop()
                else:
                    own: frozenset[str] = frozenset([*marks, *([child.tag] if child.type == "code_inline" else [])])
                    found += [(char, tuple(blocks), own) for char in child.content if not char.isspace()]
        elif token.nesting == 1:
            if name == "list_item":
                numbers[-1] += 1
                blocks.append(f"item {numbers[-1]}" if "numbers" in blocks[-1] else "item")
            else:
                if name in {"bullet_list", "ordered_list"}:
                    numbers.append(int(token.attrGet("start") or 1) - 1)
                blocks.append(_NAMES.get(name, token.tag))
        elif token.nesting == -1:
            blocks.pop()
            if name in {"bullet_list", "ordered_list"}:
                numbers.pop()
    return found


def together(shown: list[str]) -> list[Character]:
    """What is read from the pages, without what the seams repeat: a table's names, the "…" of an item that goes on."""
    read: list[Character] = []
    for number, page in enumerate(shown):
        found = characters(page)
        while number and found and found[0][0] == "…" and found[0][1][-2:-1] and "item" in found[0][1][-2]:
            del found[0]
        names = list(takewhile(lambda each: "th" in each[1], found))
        if number and read and "td" in read[-1][1] and names == _last_names(read):
            del found[: len(names)]
        read += found
    return read


def _last_names(read: list[Character]) -> list[Character]:
    behind = dropwhile(lambda each: "th" not in each[1], reversed(read))
    return list(takewhile(lambda each: "th" in each[1], behind))[::-1]


_WORDS = st.sampled_from(
    [
        "river", "flows", "over", "stones,", "and", "the", "water", "(cold)", "is", "12", "°C", "-", "fast;", "naïve",
        "café", "日本語のテキスト。", "слово", "שלום", "👩\u200d👩\u200d👧\u200d👦", "a_b_c", "5\\*3", "x<y", "C#",
        "it's", "“so”", "done.", "Really?", "Yes!",
    ]
)  # fmt: skip
_TEXT = st.lists(_WORDS, min_size=1, max_size=25).map(" ".join)
_FEW = st.lists(_WORDS, min_size=1, max_size=4).map(" ".join)
_LETTERS = st.text("abcdefghij klmno", min_size=1, max_size=20).map(str.strip).filter(bool)
_SPAN = st.one_of(
    _TEXT,
    _LETTERS.map("**{}**".format),
    _LETTERS.map("*{}*".format),
    _LETTERS.map("~~{}~~".format),
    _LETTERS.map("`{}`".format),
    _LETTERS.map("**bold with `{}` in it**".format),
    st.tuples(_LETTERS, _LETTERS).map(lambda pair: f"[{pair[0]}](https://example.com/{pair[1].replace(' ', '_')})"),
)
_PARAGRAPH = st.lists(_SPAN, min_size=1, max_size=8).map(" ".join).map(lambda text: f"Then {text}.")
_CODE = st.tuples(
    st.sampled_from(["```", "~~~", "````"]),
    st.sampled_from(["", "python", "js"]),
    st.lists(
        st.sampled_from(["x = 1", "    return *x*", "", "# a comment", "| a | b |", "- no list", "“q” 日本"]),
        max_size=25,
    ),
).map(lambda code: "\n".join([code[0] + code[1], *code[2], code[0]]))
_ROWS = st.lists(st.tuples(_FEW, _FEW), min_size=1, max_size=14)
_TABLE = st.tuples(_ROWS, st.uuids()).map(
    lambda drawn: "\n".join([f"| {drawn[1]} | Two |", "|---|:-:|", *(f"| {one} | {two} |" for one, two in drawn[0])])
)
_HEADING = st.tuples(st.sampled_from(["#", "##", "####"]), _FEW).map(" ".join)
_LEAF = st.one_of(_PARAGRAPH, _PARAGRAPH, _CODE, _TABLE, _HEADING)


def _indented(text: str, by: str) -> str:
    return "\n".join(by + line if line or ">" in by else "" for line in text.split("\n"))


def _listed(markers: Iterable[str], items: list[str]) -> str:
    return "\n".join(
        marker + _indented(item, " " * len(marker))[len(marker) :] for marker, item in zip(markers, items, strict=False)
    )


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    blocks = st.lists(inner, min_size=1, max_size=3).map("\n\nAnd so on.\n\n".join)
    item = st.one_of(_PARAGRAPH, st.tuples(_PARAGRAPH, inner).map("\n\nAnd so on.\n\n".join))
    items = st.lists(item, min_size=1, max_size=6)
    numbers = st.integers(1, 7).map(lambda first: [f"{number}. " for number in range(first, first + 9)])
    return st.one_of(
        blocks.map(lambda text: _indented(text, "> ")),
        items.map(lambda texts: _listed(["- "] * 9, texts)),
        st.tuples(numbers, items).map(lambda pair: _listed(*pair)),
    )


BLOCK = st.recursive(_LEAF, _containers, max_leaves=5)
MARKDOWN = st.lists(BLOCK, min_size=1, max_size=6).map("\n\nAnd so on.\n\n".join)
