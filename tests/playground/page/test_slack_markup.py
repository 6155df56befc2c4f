"""Slack's Markdown by example."""

from __future__ import annotations

import re

import pytest

from playground.page.slack_markup import show_slack

NAMES = {"U1": "Ada", "C1": "general"}


def shown(text: str) -> str:
    """Without the line breaks between tags, which readers do not see."""
    return re.sub(r">\n+", ">", show_slack(text, NAMES)).strip()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *i* __b__ ~~s~~", "<strong>b</strong> <em>i</em> <strong>b</strong> <s>s</s>"),
        ("## two", "<h4>two</h4>"),
        ("###### six", "<h6>six</h6>"),
        ("one\ntwo", "<p>one<br />two</p>"),
        ("a\n\n---\n\nb", "<p>a</p><hr /><p>b</p>"),
        ("> a\n> b", "<blockquote><p>a<br />b</p></blockquote>"),
        ("||not a spoiler||", "<p>||not a spoiler||</p>"),
        ("-# not subtext", "<p>-# not subtext</p>"),
        ("<@U1> <@U1|someone> <@U9>", '@Ada</span> <span class="mention">@Ada</span> <span class="mention">@U9</span>'),
        ("in <#C1|general>", '<span class="mention">#general</span>'),
        ("<!channel> listen", '<span class="mention">@channel</span> listen'),
        ("&lt;!channel> listen", "<p>&lt;!channel&gt; listen</p>"),
        (
            "<https://example.org|here>",
            '<a href="https://example.org" target="_blank" rel="noopener noreferrer">here</a>',
        ),
        ("![a picture](https://example.org/x.png)", ">a picture</a>"),
    ],
)
def test_it_shows_what_slack_knows(text: str, html: str) -> None:
    assert html in shown(text)


def test_a_table_is_a_table_whose_columns_are_aligned_by_classes() -> None:
    """The page's policy forbids style attributes."""
    html = shown("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<th>a</th><th class="right">b</th>' in html
    assert '<td>1</td><td class="right">2</td>' in html
    assert "style" not in html


def test_task_lists_have_boxes_that_cannot_be_ticked() -> None:
    html = shown("- [x] done\n- [ ] open")
    assert html.count('disabled=""') == 2
    assert html.count('checked=""') == 1
