"""Slack's older markup by example."""

from __future__ import annotations

import pytest

from playground.page.slack_mrkdwn import show_mrkdwn

NAMES = {"U1": "Ada", "C1": "general"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*b* _i_ ~s~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("*_both_*", "<p><strong><em>both</em></strong></p>"),
        ("one\ntwo", "<p>one<br />two</p>"),
        ("> quoted\n&gt; too\nnot", "<blockquote><p>quoted<br />too</p></blockquote><p>not</p>"),
        ("a ```\n*x*\n  y\n``` b", "<p>a </p><pre><code>*x*\n  y\n</code></pre><p> b</p>"),
        ("&lt;b&gt; &amp;amp; &copy;", "<p>&lt;b&gt; &amp;amp; &amp;copy;</p>"),
        ("<@U1> in <#C1|g>", '<p><span class="mention">@Ada</span> in <span class="mention">#general</span></p>'),
        ("<!channel> <@U9>", '<p><span class="mention">@channel</span> <span class="mention">@U9</span></p>'),
        (
            "*see <https://example.org/a_b_c|here>*",
            '<p><strong>see <a href="https://example.org/a_b_c" target="_blank" rel="noopener noreferrer">here</a>'
            "</strong></p>",
        ),
        ("<javascript:alert(1)|x>", "<p>&lt;javascript:alert(1)|x&gt;</p>"),
    ],
)
def test_it_shows_what_slack_knows(text: str, html: str) -> None:
    assert show_mrkdwn(text, NAMES) == html


@pytest.mark.parametrize(
    "text",
    ["# Heading", "- item", "[x](y)", "2 * 3 * 4", "snake_case_name", "a*b*c", "| a | b |", "* spaced *", "**", "``"],
)
def test_it_leaves_what_this_markup_does_not_know(text: str) -> None:
    assert show_mrkdwn(text, NAMES) == f"<p>{text}</p>"


def test_what_stands_for_finished_parts_cannot_be_typed() -> None:
    assert show_mrkdwn("`a` \ue0000\ue001 \ue0007\ue001", {}) == "<p><code>a</code> 0 7</p>"
