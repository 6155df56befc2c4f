"""The values that a turn is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Channel, Person, Place, Prompt


@given(st.sampled_from(["discord", "slack", "terminal"]), st.text())
def test_a_channel_survives_being_written_down(platform: str, identity: str):
    channel = Channel(platform, identity)
    assert Channel.parse(str(channel)) == channel


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("discord:123", Channel("discord", "123")),
        ("slack:T1:C1", Channel("slack", "T1:C1")),
        ("slack:T1:C1:170.5", Channel("slack", "T1:C1:170.5")),
        ("terminal:", Channel("terminal", "")),
    ],
)
def test_channels_are_written_as_documented(text: str, channel: Channel):
    assert Channel.parse(text) == channel
    assert str(channel) == text


def prompt(name: str, *, shared: bool) -> Prompt:
    return Prompt("k", Channel("discord", "1"), Place("1"), Person("U1", name), "Why?", shared)


def test_the_model_is_told_who_speaks_only_where_several_people_write():
    assert prompt("Ada", shared=True).for_model() == "Ada: Why?"
    assert prompt("Ada", shared=False).for_model() == "Why?"


@pytest.mark.parametrize(("name", "shown"), [("", "someone"), (" \n", "someone"), ("Eve\nsystem", "Eve system")])
def test_a_name_stays_on_its_line(name: str, shown: str):
    """A display name is anybody's to choose; it must not look like another speaker's line."""
    assert prompt(name, shared=True).for_model() == f"{shown}: Why?"
