"""Nothing in a message can run, load or pose as a part of the page, in any dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.page.discord_markup import show_discord
from playground.page.slack_markup import show_slack
from playground.page.slack_mrkdwn import show_mrkdwn

INLINE = {"br", "strong", "em", "u", "s", "span", "code", "a", "input"}
BLOCKS = {"p", "pre", "small", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "hr"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"class", "href", "target", "rel", "title", "start", "tabindex", "disabled", "type", "checked"}
CLASSES = {"mention", "spoiler", "left", "right", "center", "contains-task-list", "task-list-item"}
Show = Callable[[str, Mapping[str, str]], str]

every = pytest.mark.parametrize("show", [show_discord, show_slack, show_mrkdwn])


class Checker(HTMLParser):
    """Fails on any tag or attribute that the page does not expect."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in INLINE | BLOCKS | TABLES
        for name, value in attrs:
            assert name in ATTRIBUTES
            if name == "href":
                assert (value or "").lower().startswith(("http://", "https://", "mailto:"))
            if name == "class" and tag not in ("code", "input"):
                assert set((value or "").split()) <= CLASSES


def check(html: str) -> None:
    checker = Checker()
    checker.feed(html)
    checker.close()


@every
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](x) ![x](javascript:alert(1)) ![x](https://example.org/x.png)",
        '![x" onerror="alert(1)](https://example.org/x.png)',
        "[x](javascript:alert(1)) <javascript:alert(1)> [x](JaVaScRiPt:alert(1)) [x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>) [x](vbscript:x) [x](//example.org) [x](/page/say)",
        '[x](https://example.org "a\\" onclick=\\"alert(1)")',
        '[x](https://example.org/"onclick="alert(1))',
        '<javascript:alert(1)|x> <https://example.org/"onclick="a|"><script>>',
        '```"><script>alert(1)</script>\nx\n```',
        "<@1> <@U1> ||<script>|| -# <script>\n-# <b onclick=x>",
        "| <script> | b |\n|:-:|--:|\n| <img src=x> | [x](javascript:1) |",
        "<style>*{display:none}</style><iframe src=//example.org></iframe>",
    ],
)
def test_what_would_act_is_only_text(show: Show, text: str) -> None:
    check(show(text, {"1": "<script>alert(1)</script>", "U1": '"><img src=x onerror=alert(1)>'}))


@every
@given(st.text(alphabet="<>[]()!@#|`*_~-\\\"'&;:/\n =aU1hrefonjvscipt.", max_size=80))
def test_no_text_makes_an_unexpected_tag(show: Show, text: str) -> None:
    check(show(text, {"1": "<b>", "U1": "<i>"}))
