"""Slack's text, as its author sees it."""

from __future__ import annotations

import pytest

from adapters.slack.mrkdwn import mentioned, to_plain, without_mention

NAMES = {"U1": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ask <@U1> or <@U2>", "ask @Ada Lovelace or @U2"),
        ("<@U2|grace>", "@grace"),
        ("see <#C1|general> and <#C2> and <#C3|>", "see #general and #C2 and #C3"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@ops> <!subteam^S2>", "@ops @S2"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("<https://a.example/b?c=1&amp;d=2>", "https://a.example/b?c=1&d=2"),
        ("<https://a.example|the page>", "the page (https://a.example)"),
        ("<http://a.example|a.example>", "a.example"),
        ("<https://a.example/|https://a.example>", "https://a.example"),
        ("<mailto:ada@a.example|ada@a.example>", "ada@a.example"),
        ("if a &lt; b &amp;&amp; c &gt; d", "if a < b && c > d"),
        ("&lt;@U1&gt; is how one mentions", "<@U1> is how one mentions"),
        ("&amp;lt; is an entity", "&lt; is an entity"),
        ("```\nfor (;;) {}\n```", "```\nfor (;;) {}\n```"),
    ],
)
def test_sequences_and_entities_are_undone(text: str, plain: str):
    assert to_plain(text, NAMES) == plain


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<@UBOT> hello", "hello"),
        ("<@UBOT>: hello", "hello"),
        ("<@UBOT|rivulet>, hello", "hello"),
        ("hello <@UBOT>", "hello"),
        ("hey <@UBOT> how are you", "hey how are you"),
        ("<@UBOT> <@U1> and <@UBOT>", "<@U1> and"),
        ("<@UBOT>\n```\n  x\n```", "```\n  x\n```"),
        ("no mention,  spaced", "no mention,  spaced"),
    ],
)
def test_the_bots_mention_is_taken_out(text: str, rest: str):
    assert without_mention(text, "UBOT") == rest


def test_each_person_is_mentioned_once():
    assert mentioned("<@U1> <@U2|x> <@U1> &lt;@U3&gt;") == ["U1", "U2"]
