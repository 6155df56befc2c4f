"""A command is a message that consists of it; everything else is a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.commands import HELP, Command, parse


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("form", ["!{}", " !{}\n", "!{}  "])
def test_a_command_is_known_in_any_case_and_between_spaces(command: Command, form: str):
    assert parse(form.format(command.value)) is command
    assert parse(form.format(command.value.upper())) is command


@pytest.mark.parametrize(
    "text", ["", "!", "!!stop", "! stop", "stop", "!stop it", "please !stop", "!stopp", "!new\nchat"]
)
def test_other_messages_are_questions(text: str):
    assert parse(text) is None


@given(st.text())
def test_no_text_is_an_error(text: str):
    assert parse(text) in {None, *Command}


def test_help_names_every_command():
    assert all(f"`!{command.value}`" in HELP for command in Command)
