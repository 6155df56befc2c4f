"""What a person sees on Discord is what the model meant, and it fits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.discord_markdown import LIMIT, Measure, render
from bot.core.tables import WIDTH, width
from tests.core.discord_reader import read
from tests.core.markdown_examples import (
    DOCUMENTS,
    EXAMPLES,
    JUNK,
    Line,
    measured,
    missing,
    source_of,
    words_of,
    words_read,
)

ALL = [
    pytest.param(text, id=f"{section} {n}") for section, texts in EXAMPLES.items() for n, text in enumerate(texts, 1)
]


@pytest.mark.parametrize("source", ALL)
def test_every_word_is_seen_in_its_order(source: str):
    assert not missing(words_read(source), words_of(read(render(source)).text))


@pytest.mark.parametrize("source", ALL)
def test_no_more_backslashes_are_seen_than_were_written(source: str):
    assert read(render(source)).text.count("\\") <= source.count("\\")


@given(DOCUMENTS)
def test_what_is_sent_never_exceeds_its_measure(lines: list[Line]):
    assert len(render(source_of(lines))) <= max(measured(Measure(), lines), 0)


@given(JUNK)
def test_no_text_at_all_exceeds_the_measure_of_text(source: str):
    assert len(render(source)) <= sum(Measure().text(line) + 1 for line in source.split("\n"))


@given(JUNK, JUNK)
def test_costs_add_up(one: str, other: str):
    measure = Measure()
    assert measure.text(one) + measure.text(other) == measure.text(one + other)
    assert measure.code(one) + measure.code(other) == measure.code(one + other)


@given(st.text(alphabet="ab1 .*_`~|\\[]()<>#-+:@!/é日", min_size=1, max_size=60))
def test_a_text_without_markdown_is_seen_as_it_is(text: str):
    """Each mark written so that CommonMark takes it for itself."""
    meant = " ".join(text.split())
    source = re.sub(r"[^\w\s]|_", lambda mark: f"&#{ord(mark[0])};", meant)
    shown = read(render(source))
    assert shown.text.replace("\u200b", "").strip() == meant
    assert not shown.spans


@given(
    st.text(alphabet="ab1 .*_~|\\[]()<>#-+:@!/é日\n", min_size=1, max_size=80), st.sampled_from(["```", "~~~", "- ```"])
)
def test_code_is_seen_as_it_is(code: str, fence: str):
    indent = "  " if fence[0] == "-" else ""
    source = f"{fence}py\n{indent}{code.replace(chr(10), chr(10) + indent)}\n{indent}{fence[-3:]}"
    shown = read(render(source)).of("block")
    if code.strip() and "~~~" not in code:
        assert [block.strip() for block in shown] == [code.strip()]


@given(DOCUMENTS)
def test_nobody_is_mentioned(lines: list[Line]):
    assert not read(render(source_of(lines))).of("pill")


def test_the_measure_leaves_pages_full():
    """Ordinary prose, code and a table: their measure is at most a tenth above what is sent."""
    prose = (
        "The `snake_case` name is **well-known** - see [the docs](https://example.com/how-to). It works, mostly.\n" * 9
    )
    code = (
        "```python\n" + "def f(items: list[int]) -> str:\n    return f'{items[0]} * {items[-1]}'  # why\n" * 9 + "```"
    )
    table = ["| Name | Used for |", "|---|---|"] + [f"| item {n} | `thing_{n}` of *some* kind |" for n in range(20)]
    lines = [("text", line) for line in prose.split("\n")]
    lines += [*[("code", line) for line in code.split("\n")], ("text", "")]
    lines += [("table", row) for row in table]
    for part in (lines[:9], lines[10:-22], lines[-22:]):
        assert measured(Measure(), part) <= 1.1 * len(render(source_of(part)))


def test_a_page_that_would_be_refused_is_sent_as_it_was_written():
    page = "*a `" * 480
    assert render(page) == page
    assert len(page) <= LIMIT


@pytest.mark.parametrize("nested", ["<b>{}</b>", "<sup>{}</sup>", "$${{{}}}$$", "> {}", "- {}", "*a {} b*", "[{}](x)"])
def test_deep_nesting_is_not_followed_to_its_end(nested: str):
    page = "x"
    while len(page) < LIMIT - 20:
        page = nested.format(page)
    assert "x" in render(page)


AS_WRITTEN = """
**bold** and *italic*
# Heading
- item
  - under
> quoted
||spoiler||
see https://example.com/a_b_c*d.
<https://example.com>
```python
x = "*"
```
List<String> a < b > c
costs $5 and $10, or $HOME/$PATH
#hashtag
""".strip().split("\n")


def test_what_discord_knows_passes():
    page = "\n\n".join(AS_WRITTEN[:8]) + "\n\n" + "\n".join(AS_WRITTEN[8:11]) + "\n\n" + "\n\n".join(AS_WRITTEN[11:])
    assert render(page.replace("- item\n\n", "- item\n")) == page.replace("- item\n\n", "- item\n")


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("__strong__ _em_", "**strong** *em*"),
        ("*a***b**", "*a*\u200b**b**"),
        ("**see `**kwargs`**", "see `**kwargs`"),
        ("#### Deep **bold**", "**Deep bold**"),
        ("Title\n=====", "# Title"),
        ("* one\n+ two", "- one\n- two"),
        ("3) three\n4) four", "3. three\n4. four"),
        ("1. a\n1. b", "1. a\n2. b"),
        ("1. a\n   - b\n     - c", "1. a\n  - b\n    - c"),
        ("1. a\n   ```sh\n   ls\n   ```\n2. b", "1. a\n```sh\nls\n```\n2. b"),
        ("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done"),
        ("> **a**\nb", "> **a**\n> b"),
        ("> a\n> > b", "> a\n> │ b"),
        ("***", "──────"),
        ("    one line", "`one line`"),
        ("~~~js\n```\n~~~", "```js\n``\u200b`\n```"),
        ("``` {.py}\nx\n```", "```\nx\n```"),
        ("![a cat](https://e.org/c.png)", "[a cat](https://e.org/c.png)"),
        ('[text](https://e.org "title")', "[text](https://e.org)"),
        ("[a](https://e.org/x_(y))", "[a](https://e.org/x_(y))"),
        ("[https://bank.com](https://e.org)", "https://bank.com (<https://e.org>)"),
        ("[bank.com](https://e.org)", "bank.com (<https://e.org>)"),
        ("[e.org](https://e.org/)", "<https://e.org/>"),
        ("[main.py](https://e.org/main.py)", "[main.py](https://e.org/main.py)"),
        ("[me](mailto:a@e.org) [part](#x)", "me (a@e.org) part"),
        ("**https://e.org/a_b**: x", "**https://e.org/a_b**: x"),
        ("**見**https://e.org/a。次", "**見**<https://e.org/a>。次"),
        ("*see* https://e.org/x_(y)", "*see* <https://e.org/x_(y)>"),
        ("## 1. Steps", "## 1\\. Steps"),
        ("<!-- only a comment -->", ""),
        ("```python\n```", ""),
        ("*in*\n2020. was", "*in*\n2020\\. was"),
        ("text\n    # x", "text\n\\# x"),
        ("-# small", "\\-# small"),
        ("a || b || c and a||b||c", "a \\|\\| b \\|\\| c and a\\|\\|b\\|\\|c"),
        ("snake_case", "snake\\_case"),
        ("@everyone <@123>", "@\u200beveryone <@\u200b123>"),
        ("<t:1:R> <#42>", "\\<t:1:R> \\<#42>"),
        ("a<br>b <b>c</b> <i>d</i> <u>e</u> <kbd>f*</kbd>", "a\nb **c** *d* __e__ `f*`"),
        ("H<sub>2</sub>O x<sup>n+1</sup>", "H₂O xⁿ⁺¹"),
        ('<a href="https://e.org">t</a> <b> alone', "[t](https://e.org) <b> alone"),
        ("<!-- a\n\nb -->\nseen", "seen"),
        ("<details>\n<summary>More</summary>\n\n*x*\n\n</details>", "**More**\n\n*x*"),
        ("Yes[^1].\n\n[^1]: Because *so*.", "Yes¹.\n\n¹ Because *so*."),
        ("$x_1^2 \\leq \\frac{a}{b}$", "x₁² ≤ a/b"),
        ("\\(\\alpha\\) and $$\\sum_{i=1}^n i$$", "α and ∑ᵢ₌₁ⁿ i"),
        ("$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n$$", "a = b\nc = d"),
        ("$\\unheard{of} x$", "`\\unheard{of} x`"),
        ("| a | b |\n|--|-:|\n| `x \\| y` | 1 |", "```\na      b\n─────  ─\nx | y  1\n```"),
        ("|a|\n|-|\n|[t](https://e.org)|\nafter", "```\na\n─\nt\n```\n[t](https://e.org)\nafter"),
    ],
)
def test_what_it_does_not_know_reads_well(source: str, sent: str):
    assert render(source) == sent


def test_a_table_with_too_many_columns_is_a_list_of_its_rows():
    names = [f"name {n}" for n in range(9)]
    row = [f"value {n}" for n in range(8)] + ["[t](https://e.org)"]
    sent = render("\n".join("|" + "|".join(cells) + "|" for cells in (names, ["---"] * 9, row)))
    assert sent.split("\n")[:2] == ["- **name 0**: value 0", "  **name 1**: value 1"]
    assert sent.endswith("  **name 8**: [t](https://e.org)")


def test_a_tables_lines_are_narrow_enough():
    source = "| one | two |\n|---|---|\n| " + "long words " * 12 + "| " + "長い言葉" * 20 + " |"
    lines = render(source).split("\n")
    assert lines[0] == "```"
    assert max(map(width, lines)) <= WIDTH
