"""The reader by which tests judge visible states sees what is broken, and nothing else."""

from __future__ import annotations

from typing import Literal

import pytest

from playground.timeline import Moment
from tests.visible import faults, reached, readable

Platform = Literal["discord", "slack"]
BOTH: list[Platform] = ["discord", "slack"]


def state(platform: Platform, text: str, *, live: bool = False) -> Moment:
    return Moment(0.0, platform, "room", "edited", text=text, live=live)


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Look:\n\n```python\nx = 1", "an open fence"),
        ("```\na\n```\n\n```", "an open fence"),
        ("See [the gauge", "half a link"),
        ("See [the gauge](https://example.org/a_(b", "half a link"),
        ("It is **very", "emphasis that has only begun"),
        ("It is **", "emphasis that has only begun"),
        ("It is *very", "emphasis that has only begun"),
        ("It is ~~gone", "emphasis that has only begun"),
        ("Say `echo", "code that has only begun"),
        ("First.\n\n##", "a lone marker"),
        ("First.\n\n- one\n-", "a lone marker"),
        ("First.\n\n2.", "a lone marker"),
    ],
)
def test_what_is_half_written_is_seen_also_under_a_cursor(platform: Platform, text: str, fault: str):
    for shown in (text, f"{text} ▌"):
        assert fault in faults(state(platform, shown))


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize(
    "text",
    [
        "Look:\n\n```python\nx = '**[`'\n```\n▌",
        "1. first\n\n   ```\n   x\n   ```\n2. **Second.** ▌",
        "See [the gauge](https://example.org/a_(b)).",
        "2 * 3 and snake_case, *both* **and** ~~none~~, `a [ b`",
        "- [x] done\n- [ ] open",
        "> quoted\n>\n> more ▌",
    ],
)
def test_what_is_whole_has_no_fault(platform: Platform, text: str):
    assert faults(state(platform, text)) == []


def test_a_table_is_read_where_the_platform_draws_one():
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert faults(state("slack", table)) == []
    assert faults(state("discord", table)) == ["a table in the raw"]
    for half in (f"{table}| 3 |", "| a | b |\n|---|", "| a | b |\n"):
        assert "half a table's row" in faults(state("slack", half))


def test_a_stream_of_slacks_own_may_have_a_fence_open_until_it_ends():
    assert faults(state("slack", "```\nx = 1", live=True)) == []
    assert faults(state("slack", "```\nx = 1")) == ["an open fence"]
    assert faults(state("slack", "It is **very", live=True)) != []


def test_what_can_be_read_is_counted_in_order_past_what_a_seam_repeats():
    source = readable("| River |\n|---|\n| Loire |\n| Rhône 🌊 |")
    assert source == "RiverLoireRhône🌊"
    assert reached(source, ["```\nRiver\n─────\nLoire\n```", "```\nRiver\n─────\nRhône 🌊\n``` ▌"]) == len(source)
    assert reached(source, ["River", "Rhône"]) < len(source)
