"""Discord's Markdown by example: what it knows, what it leaves as it was typed, and what must never act."""

from __future__ import annotations

import re

import pytest

from playground.page.discord_markup import show_discord

NAMES = {"42": "Rivulet", "7": "general"}


def shown(text: str) -> str:
    """Without the line breaks between tags, which readers do not see."""
    return re.sub(r">\n+", ">", show_discord(text, NAMES)).strip()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *i* _i_ ~~s~~", "<p><strong>b</strong> <em>i</em> <em>i</em> <s>s</s></p>"),
        ("__u__ **__both__**", "<p><u>u</u> <strong><u>both</u></strong></p>"),
        ("# One", "<h3>One</h3>"),
        ("### Three", "<h5>Three</h5>"),
        ("`a || b` `<i>`", "<p><code>a || b</code> <code>&lt;i&gt;</code></p>"),
        ("```py\nx = 1\n```", '<pre><code class="language-py">x = 1\n</code></pre>'),
        ("-# _stopped_", "<small><em>stopped</em></small>"),
        ("a\n-# b", "<p>a</p><small>b</small>"),
        ("one\ntwo", "<p>one<br />two</p>"),
        ("> quoted\nnot", "<blockquote><p>quoted</p></blockquote><p>not</p>"),
        (">>> all\nof it\n\nhere", "<blockquote><p>all<br />of it</p><p>here</p></blockquote>"),
        ("> > once", "<blockquote><p>&gt; once</p></blockquote>"),
        ("- a\n  - b\n- c", "<ul><li>a\n<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("1. a\n  - b\n    - c\n2. d", "<ol><li>a\n<ul><li>b\n<ul><li>c</li></ul></li></ul></li><li>d</li></ol>"),
        ("10. a\n  more of it\n  - b", '<ol start="10"><li>a<br />more of it\n<ul><li>b</li></ul></li></ol>'),
        ("> - a\n>   - b", "<blockquote><ul><li>a\n<ul><li>b</li></ul></li></ul></blockquote>"),
        ("- a\n```\n  - b\n```", "<ul><li>a</li></ul><pre><code>  - b\n</code></pre>"),
        ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
        ("- a\nb", "<ul><li>a</li></ul><p>b</p>"),
        ("- a\n```\nx\n```", "<ul><li>a</li></ul><pre><code>x\n</code></pre>"),
        ("hi <@42>, see <#7>", 'hi <span class="mention">@Rivulet</span>, see <span class="mention">#general</span>'),
        ("at <t:1700000000:R>", '<p>at <span class="mention">2023-11-14 22:13 UTC</span></p>'),
        ("<@!42> <@999>", '<span class="mention">@Rivulet</span> <span class="mention">@999</span>'),
    ],
)
def test_it_shows_what_discord_knows(text: str, html: str) -> None:
    assert html in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "#### four",
        "#no space",
        "---",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "+ not an item",
        ">not a quote",
        "Title\n=====",
        "&amp;",
        "```py\nnever closed",
        "[a]: elsewhere",
        "    indented",
        "[relative](/page)",
        "a\\\nb",
        "aligned   by   spaces\na         b",
        "~~~\nnot code\n~~~",
    ],
)
def test_it_leaves_what_discord_does_not_know_as_it_was_typed(text: str) -> None:
    words = shown(text).removeprefix("<p>").removesuffix("</p>").replace("<br />", "\n")
    assert words.replace("&gt;", ">").replace("&amp;", "&") == text.strip()


def test_an_image_is_a_link_with_a_mark_before_it() -> None:
    assert "<img" not in shown("![x](https://example.org/x.png)")


def test_a_spoiler_can_be_focused_and_holds_markdown() -> None:
    assert shown("a ||*secret*|| b") == ('<p>a <span class="spoiler" tabindex="0"><em>secret</em></span> b</p>')


@pytest.mark.parametrize(
    "text", ["see https://example.org/a(b)?x=1.", "(https://example.org/a(b)?x=1)", "<https://example.org/a(b)?x=1>"]
)
def test_addresses_become_links_that_open_beside_the_page(text: str) -> None:
    link = '<a href="https://example.org/a(b)?x=1" target="_blank" rel="noopener noreferrer">'
    assert link in shown(text)


def test_deep_nesting_of_quotes_is_no_trouble() -> None:
    assert "<blockquote>" in shown("> " * 2000 + "deep")
