"""The gallery in docs/ is the one that the command makes, and where it cannot be made a sentence says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.openai.script import pieces
from tests.gallery.__main__ import DOCS, main, markdown
from tests.gallery.answers import ANSWERS, PAUSE, Answer
from tests.gallery.stage import PLATFORMS, script


def test_the_page_and_its_pictures_are_those_of_the_answers() -> None:
    assert (DOCS / "gallery.md").read_text() == markdown()
    pictures = {f"{answer.name}-{platform}.png" for answer in ANSWERS for platform in PLATFORMS}
    assert {path.name for path in (DOCS / "gallery").iterdir()} == pictures


def test_the_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "gallery").iterdir()) < 3_000_000


def test_without_a_browser_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 1
    assert capsys.readouterr().err == "gallery: there is no Chromium or Chrome on this machine; install one first\n"


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_an_answer_is_caught_at_its_mark(answer: Answer) -> None:
    for platform in PLATFORMS:
        fault = script(answer, platform, "caught").fault
        before, mark, after = answer.written(platform).partition(PAUSE)
        assert mark
        said = "".join(pieces(answer.commentary + before + after)[: getattr(fault, "after", 0)])
        assert said.startswith(answer.commentary + before)
        assert len(said) - len(answer.commentary + before) < 13
