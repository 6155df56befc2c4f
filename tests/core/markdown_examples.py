"""Markdown for each section of the CommonMark and GFM specifications, and what models write besides."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Protocol

from hypothesis import strategies as st
from markdown_it import MarkdownIt

EXAMPLES: dict[str, list[str]] = {
    "tabs": ["\tcode after a tab", "-\tan item\n\n\tits second paragraph", ">\t\tquoted code"],
    "insecure characters and line endings": ["one\r\ntwo\r\n\r\nthree", "a\u00a0b"],
    "backslash escapes": [
        r"\*not italic\* and \# no heading",
        r"\- no item",
        r"1\. no number",
        r"C:\Users\me \d \%",
        r"a\\*b*",
    ],
    "entities": ["&copy; 2026 &amp; more &lt;tag&gt;", "&#42;plain&#42;", "`&amp;` stays"],
    "precedence": ["- `one\n- two`"],
    "thematic breaks": ["above\n\n---\n\nbelow", "***", "_ _ _", "- item\n* * *\n- other"],
    "atx headings": [
        "# One\n## Two\n### Three\n#### Four\n##### Five\n###### Six",
        "#hashtag",
        "# closed #",
        "#",
        "## *A* `b`",
    ],
    "setext headings": ["Title\n===\n\nSub *title*\n---", "two\nlines\n==="],
    "indented code": [
        "    one line of code",
        "    a simple\n      *indented* block\n\n    after a gap",
        "text\n    goes on",
    ],
    "fenced code": [
        "```python\nprint('*hi*')\n```",
        "~~~\n``` inside\n~~~",
        "````md\n```js\nlet a = `b`\n```\n````",
        "```\n\n```",
        "- item\n  ```sh\n  ls -la\n  ```\n- next",
        "``` {.python .numberLines}\nx = 1\n```",
    ],
    "html blocks": [
        "<div>\n\n*inside*\n\n</div>",
        "<details>\n<summary>More</summary>\n\nThe *rest*.\n\n</details>",
        "<!-- hidden -->\nshown",
        "<pre>\n  kept   as is\n</pre>",
        "<p>first</p><p>second</p>",
        "<script>\nlet x = 1;\n</script>",
        "<table><tr><td>one</td><td>two</td></tr></table>",
    ],
    "link reference definitions": [
        "[foo]: https://example.com 'title'\n\n[foo] and [text][foo]",
        "[^1]: A note.\n\nText [^1].",
    ],
    "paragraphs": ["one\ntwo\n\nthree", "  indented\nless"],
    "blank lines": ["\n\none\n\n\n\ntwo\n\n"],
    "block quotes": [
        "> one\n> two",
        "> lazy\ngoes on",
        "> # Heading\n> - item\n>   more",
        "> outer\n>> inner\n> > again",
        ">no space\n>\n>after",
    ],
    "list items": [
        "- one\n\n  its paragraph\n- two",
        "10) ten\n11) eleven",
        "-\n- after an empty one",
        "- a\n\n      code in it",
        "1. > quoted",
    ],
    "lists": [
        "- a\n  - b\n    - c\n      - d\n- e",
        "1. one\n   - under\n2. two",
        "3. three\n4. four",
        "1. all\n1. the\n1. same",
        "* star\n+ plus\n- minus",
        "The year\n2020. was long",
        "- a\nlazy",
        "- - - deep",
    ],
    "task lists": ["- [ ] open\n- [ ] not *yet*\n  - [ ] under", "1. [ ] numbered"],
    "tables": [
        "| a | b |\n|---|:-:|\n| 1 | 2 |",
        "| name | words |\n| :-- | --: |\n| `x \\| y` | **bold** and [link](https://example.com) |\n| short |",
        "head | other\n--- | ---\ncell | cell\n\nafter",
        "> | quoted | table |\n> |---|---|\n> | a | b |",
        "- in a list\n\n  | a | b |\n  |---|---|\n  | c | d |",
    ],
    "code spans": ["`a*b*c`", "`` a`b ``", "` `` `", "`one\ntwo`", "no ` end", r"`\`"],
    "emphasis": [
        "*a* _b_ **c** __d__ ***e*** ___f___",
        "snake_case_name and __init__ and a*b*c",
        "*a **b** c* and **a *b* c**",
        "***a** b* and ***a* b**",
        "*a***b**",
        "2 * 3 * 4 ** 5",
        "**bold `**kwargs` code**",
        "**note:**text and **“quoted”**",
        "*unfinished and **also",
        "my_var_ and _other",
        "русские_слова_тут и *ещё*",
    ],
    "strikethrough": ["~~gone~~ and ~~**both**~~", "~5 to ~10", "a ~~ b"],
    "links": [
        '[text](https://example.com "title")',
        "[*em* `code`](https://example.com/a_b)",
        "[wiki](https://en.wikipedia.org/wiki/A_(b))",
        "[mail](mailto:a@example.com) [file](docs/x.md) [part](#part) [empty]()",
        "[https://bank.example](https://elsewhere.example/x)",
        "[[1]](https://example.com/one) and [not a link]",
        r"\[no](https://example.com)",
        "[a](<https://example.com/with space>)",
    ],
    "images": [
        "![a *cat*](https://example.com/cat.png)",
        "![](https://example.com/x.png)",
        "[![badge](b.svg)](https://example.com)",
    ],
    "autolinks": [
        "<https://example.com/?a=1&b=2>",
        "<me@example.com>",
        "see https://example.com/a_b_c. Or (https://example.com/x)!",
        "**https://example.com**",
        "見て：https://example.com/a。次",
    ],
    "raw html": [
        "a <b>b</b> <i>c</i> <u>d</u> <s>e</s> <kbd>f*</kbd>",
        "H<sub>2</sub>O and x<sup>n+1</sup>",
        "one<br>two<br/>three",
        "List<String> and Map<K, V>",
        "the <b> tag, <unknown attr=1>x</unknown>",
        '<a href="https://example.com">there</a>',
        "a <!-- never --> b",
    ],
    "line breaks": ["one  \ntwo\\\nthree\nfour"],
    "discord's own": [
        "a || b || c",
        "a||b||c",
        "||secret||",
        "-# small",
        ">>> all",
        "<t:1700000000:R> <:wave:123> <#42> </ask:1>",
        "@everyone <@123> <@&5> @here",
        "+ 1\n+ 2",
        ">not",
        "¯\\\\\\_(ツ)\\_/¯",
    ],
    "slack's own": [
        "<!channel> <@U123> <#C1|general> <https://evil.example|bank>",
        "`<!here>` and\n```\n<@U1>\n```",
        "if a <b then c> d & e",
    ],
}

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


def words_of(text: str) -> list[str]:
    """Compared by compatibility, so that a raised 2 is a 2, and without characters of no width."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text.replace("\u200b", "")))


def words_read(source: str) -> list[str]:
    """The words that a CommonMark parser reads."""
    text = ""
    for token in _PARSER.parse(source):
        if token.type == "html_block":
            text += _TAG.sub(" ", token.content)
        elif token.type != "inline":
            text += f" {token.content} "
        for child in token.children or []:
            if "break" in child.type or child.content.startswith("<br"):
                text += " "
            elif child.type != "html_inline":
                text += f" {child.content} " if child.type == "image" else child.content
        text += " "
    return words_of(text)


def missing(words: list[str], shown: list[str]) -> list[str]:
    """The words that are not there, or not in their order."""
    rest = iter(shown)
    return [word for word in words if word not in rest]


# Documents of which each line is known to be text, code or a table's.
Line = tuple[str, str]

_WORD = st.sampled_from(
    [
        "the",
        "quick",
        "snake_case",
        "日本語",
        "слово",
        "naïve",
        "👩‍👩‍👧",
        "3.14",
        "v2",
        "C++",
        "a-b",
        "x*y",
        "<T>",
        "@all",
    ]
)
_SPAN = st.sampled_from(
    [
        *[
            "**bold**",
            "*it*",
            "__strong__",
            "_em_",
            "***both***",
            "~~old~~",
            "`co*de`",
            "``a`b``",
            "||spoil||",
            "$x_1^2$",
        ],
        *[
            "[text](https://example.com/a_b)",
            "https://example.com/a_b",
            "![alt](https://example.com/i.png)",
            "<b>b</b>",
        ],
        *[
            "a<br>b",
            "[^1]",
            "2 * 3",
            "a || b",
            "\\*",
            "&amp;",
            "<https://e.org>",
            "$5",
            "\\(y\\)",
            "@everyone",
            "<@12>",
            "#",
        ],
    ]
)
PROSE = st.lists(_WORD | _SPAN, min_size=1, max_size=12).map(" ".join)
_CODE = st.lists(
    st.sampled_from(["x = 1", "", "    if a < b:", "`tick`", "# note", "```", "\tend", "| a |", "日本"]), max_size=6
)


def _text(*lines: str) -> list[Line]:
    return [("text", line) for line in lines]


def _heading(level: int, text: str) -> list[Line]:
    return _text("#" * level + " " + text)


def _fence(code: list[str], mark: str, language: str) -> list[Line]:
    inside = [("code", line) for line in code if line != mark]
    return [("code", mark + language), *inside, ("code", mark)]


def _table(rows: list[list[str]], columns: int) -> list[Line]:
    full = [[cell.replace("|", "\\|") for cell in [*row, *[""] * columns][:columns]] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in full]
    return [("table", line) for line in [lines[0], "|" + "---|" * columns, *lines[1:]]]


def _item(blocks: list[Line], marker: str) -> list[Line]:
    indent = " " * len(marker)
    return [(kind, (marker if n == 0 else indent if line else "") + line) for n, (kind, line) in enumerate(blocks)]


def _joined(blocks: list[list[Line]]) -> list[Line]:
    lines: list[Line] = []
    for block in blocks:
        lines += [*(_text("") if lines else []), *block]
    return lines


_LEAF = st.one_of(
    PROSE.map(_text),
    st.builds(_heading, st.integers(1, 6), PROSE),
    st.builds(_fence, _CODE, st.sampled_from(["```", "~~~"]), st.sampled_from(["", "python", "c++", "a b"])),
    st.builds(_table, st.lists(st.lists(PROSE, min_size=1, max_size=4), min_size=1, max_size=4), st.integers(1, 8)),
    st.sampled_from(
        [_text("---"), _text("* * *"), _text("$$", "\\frac{a}{b}", "$$"), _text("Title", "==="), _text("<!-- no -->")]
    ),
    st.sampled_from(
        [
            _text("    one = 1"),
            _text("- [ ] task"),
            _text("[^1]: note"),
            _text("<details>", "<summary>s</summary>", "", "x", "", "</details>"),
        ]
    ),
)


def _containers(blocks: st.SearchStrategy[list[Line]]) -> st.SearchStrategy[list[Line]]:
    inside = st.lists(blocks, min_size=1, max_size=3).map(_joined)
    quote = inside.map(lambda lines: [(kind, f"> {line}".rstrip()) for kind, line in lines])
    return quote | st.builds(_item, inside, st.sampled_from(["- ", "* ", "1. ", "12. "]))


DOCUMENTS = st.lists(st.recursive(_LEAF, _containers, max_leaves=5), min_size=1, max_size=5).map(_joined)

_MARKS = [
    "*",
    "_",
    "`",
    "```",
    "\n",
    "\n\n",
    "# ",
    "- ",
    "1. ",
    "> ",
    "[",
    "](",
    ")",
    "|",
    "||",
    "\\",
    "<",
    ">",
    "$",
    "~~",
    "    ",
    "@here",
    "\t",
]
JUNK = st.lists(st.sampled_from(_MARKS) | st.text(max_size=3) | _WORD | _SPAN, max_size=30).map("".join)


class _TableMeasure(Protocol):
    def with_row(self, row: str) -> float: ...
    def add(self, row: str) -> None: ...


class _Measure(Protocol):
    def text(self, text: str) -> int: ...
    def code(self, text: str) -> int: ...
    def table(self) -> _TableMeasure: ...


def measured(measure: _Measure, lines: list[Line]) -> float:
    """What a pager charges for a page of these lines. The last newline is not sent."""
    total = -1.0
    for kind, group in groupby(lines, key=lambda line: line[0]):
        if kind == "table":
            table, cost = measure.table(), 0.0
            for _, row in group:
                cost = table.with_row(row)
                table.add(row)
            total += cost
        else:
            total += sum(1 + (measure.code(line) if kind == "code" else measure.text(line)) for _, line in group)
    return total


def source_of(lines: list[Line]) -> str:
    return "\n".join(line for _, line in lines)
