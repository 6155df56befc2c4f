"""The ready-made manifest holds what the adapter needs, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from adapters.slack.probe import SCOPES
from adapters.slack.prompts import SUBSCRIPTIONS

MANIFEST = json.loads((Path(__file__).parents[3] / "docs" / "slack-manifest.json").read_text())


def test_it_asks_for_the_scopes_that_the_probe_misses():
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == set(SCOPES)


def test_it_subscribes_to_the_events_that_the_adapter_hears():
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == set(SUBSCRIPTIONS)


def test_it_turns_socket_mode_and_direct_messages_on():
    assert MANIFEST["settings"]["socket_mode_enabled"]
    assert MANIFEST["features"]["app_home"]["messages_tab_enabled"]
    assert not MANIFEST["features"]["app_home"]["messages_tab_read_only_enabled"]


def test_it_keeps_slacks_lengths():
    """35 characters for the name, 140 for the description, 32 for a command."""
    shown = MANIFEST["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == "/rivulet"
    assert len(command["command"]) <= 32
