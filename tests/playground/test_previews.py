"""Where a link in a sentence ends, and which get a preview."""

from __future__ import annotations

import pytest

from playground.previews import previews


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("(see https://example.org/a).", "https://example.org/a"),
        ("https://example.org/River_(water)", "https://example.org/River_(water)"),
        ("**https://example.org/a_b**!", "https://example.org/a_b"),
        ("[x](https://example.org/a_(b) 'title')", "https://example.org/a_(b)"),
        ("“http://example.org/?q=1&r=2”", "http://example.org/?q=1&r=2”"),
    ],
)
def test_a_link_ends_where_the_sentence_goes_on(text: str, link: str) -> None:
    assert previews(text, brackets_hush=True) == (link,)


def test_each_is_shown_once_and_none_from_code() -> None:
    text = "https://a.example `https://b.example` ``` https://c.example ``` <https://d.example> https://a.example"
    assert previews(text, brackets_hush=True) == ("https://a.example",)
    assert previews("https:// and https://!", brackets_hush=True) == ()
    assert previews(text, brackets_hush=False) == ("https://a.example", "https://d.example")
