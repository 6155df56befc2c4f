"""Which code blocks become files, and under which names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.files import File, files_of

CODE = "print('a pond')\nprint('a brook')\n"


def names(source: str) -> list[str]:
    return [file.name for file in files_of(source, 0)]


def fenced(info: str, before: str = "") -> str:
    return f"{before}\n```{info}\n{CODE}```\n"


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("python", "code.py"),
        ("Python", "code.py"),
        ("{.python .numberLines}", "code.py"),
        ("tsx {1,3}", "code.tsx"),
        ("c++", "code.cpp"),
        ("c#", "code.cs"),
        ("zsh", "code.sh"),
        ("powershell", "code.ps1"),
        ("h", "code.h"),
        ("diff", "code.diff"),
        ("patch", "code.patch"),
        ("dockerfile", "Dockerfile"),
        ("make", "Makefile"),
        ("klingon", "code.txt"),
        ("", "code.txt"),
    ],
)
def test_a_block_is_named_after_its_language(info: str, name: str) -> None:
    assert names(fenced(info)) == [name]


@pytest.mark.parametrize(
    "info",
    [
        'python title="app.py"',
        "python title='app.py'",
        "python filename=app.py",
        '{.python filename="src/app.py"}',
        "python:app.py",
        "python app.py",
        "12:40:src/pond/app.py",
        "app.py",
    ],
)
def test_the_info_string_may_name_the_file(info: str) -> None:
    assert names(fenced(info, "**other.py**")) == ["app.py"]


@pytest.mark.parametrize(
    "before",
    [
        "**app.py**:",
        "`app.py`",
        "**`src/app.py`:**",
        "### 2. app.py",
        "1. `app.py`:\n",
        "- File: app.py",
        "**Filename:** `app.py`",
        "words before\n\nsrc\\app.py\n\n",
        "> **app.py**\n>",
    ],
)
def test_the_line_before_may_name_the_file(before: str) -> None:
    assert names(fenced("", before)) == ["app.py"]


@pytest.mark.parametrize("before", ["`__init__.py`", "**Dockerfile**", "app.test.ts:", "Pond_2.PY"])
def test_a_name_is_kept_as_it_is(before: str) -> None:
    assert names(fenced("python", before)) == [before.strip("*`:")]


@pytest.mark.parametrize(
    "name",
    [
        *("invoice.exe", "open.lnk", "open.url", "open.hta"),  # not a text, or one that acts when it is opened
        *("../.env", "..", ".py", "con.py", "LPT1.txt", "NUL.tar.md"),
        *("a b.py", "pоnd.py", "fdp\u202eyp.py", "a" * 90 + ".py", "$(rm).py", "<b>.py", "no extension"),
        *("Run it like app.py does", "see https://example.org"),
    ],
)
def test_any_other_name_is_left(name: str) -> None:
    assert names(fenced("python", f"**{name}**")) == ["code.py"]
    assert names(fenced(f'python title="{name}"')) == ["code.py"]


def test_each_file_has_a_name_of_its_own() -> None:
    source = fenced("python") * 2 + fenced("js") + fenced("python", "code-2.py") + fenced("", "CODE.py")
    assert names(source) == ["code.py", "code-2.py", "code.js", "code-2-2.py", "CODE-3.py"]
    assert names(fenced("dockerfile") * 2) == ["Dockerfile", "Dockerfile-2"]


def test_only_blocks_over_the_budget_are_files() -> None:
    assert files_of(fenced("python"), len(CODE)) == []
    assert files_of(fenced("python"), len(CODE) - 1) == [File("code.py", CODE)]


def test_a_file_has_no_marks_of_the_list_or_quote_that_it_stands_in() -> None:
    inside = "> 1. one\n>\n>    ~~~~ py\n>    def f():\n>        return '~~~'\n>    ~~~~\n"
    assert files_of(inside, 0) == [File("code.py", "def f():\n    return '~~~'\n")]
    assert files_of("  ```py\n  x\n    y\n  ```", 0) == [File("code.py", "x\n  y\n")]


def test_code_that_is_only_indented_or_was_cut_off_is_code() -> None:
    assert files_of("See:\n\n    x\n      y\n\nThat's it.", 0) == [File("code.txt", "x\n  y\n")]
    assert files_of("```py\nx = 1\ny", 0) == [File("code.py", "x = 1\ny")]
    assert files_of("<div>\n```py\nx\n```\n</div>", 0) == [File("code.py", "x\n")]


def test_halves_of_characters_can_be_sent() -> None:
    assert File("a.txt", "ä\ud83d!").encoded() == b"\xc3\xa4?!"


lines = st.text(st.characters(exclude_characters="\r\n\x00"), max_size=40)
infos = st.sampled_from(["", "python", "js", "dockerfile", 'py title="a.py"', "sh A.PY", "?"])
containers = st.sampled_from([("", ""), ("> ", "> "), ("- ", "  "), ("1. ", "   "), ("> * ", ">   ")])


@given(st.lists(st.tuples(st.lists(lines, max_size=6), infos, containers), max_size=5), st.integers(0, 60))
def test_long_blocks_come_out_as_they_were_written(
    blocks: list[tuple[list[str], str, tuple[str, str]]], budget: int
) -> None:
    source, written = "", list[str]()
    for code, info, (first, rest) in blocks:
        mark = "`" * (2 + max(map(len, re.findall(r"`+", "`" + "\n".join(code)))) + 1)
        source += f"Words.\n\n{first}{mark}{info}\n" + "".join(f"{rest}{line}\n" for line in code) + f"{rest}{mark}\n\n"
        written.append("".join(f"{line}\n" for line in code))
    files = files_of(source, budget)
    assert [file.text for file in files] == [text for text in written if len(text) > budget]
    assert len({file.name.lower() for file in files}) == len(files)


@given(st.text(), st.text(), st.text())
def test_whatever_the_model_writes_a_name_is_plain(before: str, info: str, code: str) -> None:
    for file in files_of(f"{before}\n```{info}\n{code}\n```", 0):
        assert re.fullmatch(r"\w[\w.+-]*\.\w+|Dockerfile|Makefile", file.name, re.ASCII)
