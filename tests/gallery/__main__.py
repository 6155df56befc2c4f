"""`python -m tests.gallery`: makes docs/gallery.md and its pictures anew, or some of them: `... table code`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.gallery.answers import ANSWERS, Answer, Platform
from tests.gallery.browser import Browser, browser, find_browser
from tests.gallery.pictures import SAME_TIME, open_page, shoot, side_by_side
from tests.gallery.stage import PLATFORMS, Phase, staged

DOCS = Path(__file__).parents[2] / "docs"
_INTRODUCTION = """\
# Gallery

Answers as their readers see them: the real bot with the platforms' own libraries, in the [playground](../README.md),
whose page draws what Discord and Slack would show. On the left an answer is caught in the middle of being written, on
the right it has ended. Discord is dark and Slack is light, as most people know them; both follow the reader's settings.

`make gallery` makes this page and its pictures anew. It needs Chromium, and fonts for Japanese and emoji.
"""


def main(names: Sequence[str]) -> int:
    """The exit code: 1 without a browser, 2 for a name that no answer has."""
    path = find_browser()
    if path is None:
        print("gallery: there is no Chromium or Chrome on this machine; install one first", file=sys.stderr)
        return 1
    if unknown := set(names) - {answer.name for answer in ANSWERS}:
        print(f"gallery: no answer is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    asyncio.run(_make(path, [answer for answer in ANSWERS if not names or answer.name in names]))
    (DOCS / "gallery.md").write_text(markdown())
    return 0


def markdown() -> str:
    """docs/gallery.md."""
    parts = [_INTRODUCTION]
    for answer in ANSWERS:
        pictures = (
            f"![{answer.title} on {platform.title()}](gallery/{answer.name}-{platform}.png)\n" for platform in PLATFORMS
        )
        parts += [f"## {answer.title}\n", f"{answer.look}\n", *pictures]
    return "\n".join(parts)


async def _make(path: str, answers: Sequence[Answer]) -> None:
    folder = DOCS / "gallery"
    folder.mkdir(exist_ok=True)
    async with browser(path) as chrome:
        await chrome.at_every_start(SAME_TIME)
        for answer in answers:
            pictures = await _pictures(chrome, answer)
            for platform, picture in pictures.items():
                (folder / f"{answer.name}-{platform}.png").write_bytes(picture)
                print(f"{answer.name} on {platform}: {len(picture) / 1000:.0f} KB", flush=True)


async def _pictures(chrome: Browser, answer: Answer) -> dict[str, bytes]:
    caught = await _phase(chrome, answer, "caught")
    ended = await _phase(chrome, answer, "ended")
    return {platform: await side_by_side(chrome, platform, caught[platform], ended[platform]) for platform in PLATFORMS}


async def _phase(chrome: Browser, answer: Answer, phase: Phase) -> dict[Platform, bytes]:
    async with staged(answer, phase) as here:
        await open_page(chrome, here.playground.url, answer)
        return {platform: await shoot(chrome, answer, platform) for platform in PLATFORMS}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
