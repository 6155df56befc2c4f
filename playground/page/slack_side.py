"""Slack as the page sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.page.sides import Room, Unsayable, Words, addressed
from playground.page.slack_markup import show_slack
from playground.page.slack_mrkdwn import show_mrkdwn
from playground.slack.server import SlackStandIn
from playground.timeline import Moment

_COMMAND = re.compile(r"(/\S+)\s*(.*)", re.DOTALL)
_KNOWN = "/rivulet"


class SlackSide:
    name = "slack"
    title = "Slack"

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self.bot = self._workspace.people[slack.bot_user].real_name

    def rooms(self) -> list[Room]:
        general = f"{self.bot} answers in a thread when you mention it. !help shows what else it can do."
        direct = f"{self.bot} answers everything that you write here."
        return [
            Room(self._slack.general, self._workspace.channels[self._slack.general].name, general),
            Room(self._slack.open_dm(self._slack.ada), self.bot, direct, direct=True),
        ]

    def people(self) -> Mapping[str, str]:
        return {person.id: person.real_name for person in self._workspace.people.values() if not person.bot}

    def show(self, moment: Moment) -> str:
        people = {person.id: person.real_name for person in self._workspace.people.values()}
        channels = {channel.id: channel.name for channel in self._workspace.channels.values()}
        show = show_mrkdwn if moment.mrkdwn else show_slack
        return show(moment.text, people | channels)

    def file(self, file: str) -> tuple[str, bytes]:
        return self._slack.file(file)

    def stoppable(self, status: Moment) -> bool:
        """Slack offers to stop a processing session, if the app wants to hear of it."""
        return status.text == "processing" and "agent_session_stopped" in self._slack.subscriptions

    def stop(self, room: str, person: str, thread: str) -> None:
        try:
            self._slack.stop_session(room, person, thread)
        except ValueError as reason:
            raise Unsayable(f"There is nothing to stop: {reason}.") from reason

    def refusals(self) -> int:
        return len(self._slack.refusals)

    def say(self, words: Words) -> None:
        text = addressed(words, self.bot, f"<@{self._slack.bot_user}>")
        try:
            if command := _COMMAND.fullmatch(words.text):
                self._command(words, command[1], command[2])
            else:
                self._slack.say(words.room, words.person, text, thread_ts=words.reply_to or None)
        except ValueError as reason:
            raise Unsayable(f"{self.title} does not take this: {reason}.") from reason

    def _command(self, words: Words, command: str, argument: str) -> None:
        """Slack takes every message that begins with a slash for a command, and knows no app's commands in threads."""
        if command != _KNOWN:
            raise Unsayable(f"{command} is not a valid command. There is {_KNOWN}, with new, stop or help after it.")
        if words.reply_to:
            raise Unsayable(f"{_KNOWN} is not supported in threads. Sorry!")
        self._slack.slash(words.room, words.person, command, argument)
