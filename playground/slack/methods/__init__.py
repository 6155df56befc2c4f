"""Every Web API method that the stand-in speaks."""

from __future__ import annotations

from playground.slack.method import Method
from playground.slack.methods import chat, conversations, files, reactions, status, streams, team

METHODS: dict[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **status.METHODS,
    **streams.METHODS,
    **team.METHODS,
}
