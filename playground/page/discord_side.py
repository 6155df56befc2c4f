"""Discord as the page sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.discord.server import DiscordStandIn
from playground.page.discord_markup import show_discord
from playground.page.sides import Room, Unsayable, Words, addressed
from playground.timeline import Moment

_LONGEST = 2000  # characters: what a person without Nitro can send
_COMMAND = re.compile(r"/(new|stop|help)", re.IGNORECASE)


class DiscordSide:
    name = "discord"
    title = "Discord"

    def __init__(self, discord: DiscordStandIn) -> None:
        self._discord = discord
        self._state = discord.state
        self.bot = self._state.bot.name

    def rooms(self) -> list[Room]:
        general = f"{self.bot} answers when you mention it or reply to it. !help shows what else it can do."
        direct = f"{self.bot} answers everything that you write here."
        return [
            Room(self._discord.general, self._state.channels[self._discord.general].name, general),
            Room(self._discord.open_dm(self._discord.ada), self.bot, direct, direct=True),
        ]

    def people(self) -> Mapping[str, str]:
        return {person.id: person.name for person in self._state.people.values() if not person.bot}

    def show(self, moment: Moment) -> str:
        people = {person.id: person.name for person in self._state.people.values()}
        channels = {channel.id: channel.name for channel in self._state.channels.values()}
        return show_discord(moment.text, people | channels | self._state.roles)

    def file(self, file: str) -> tuple[str, bytes]:
        return self._discord.file(file)

    def stoppable(self, status: Moment) -> bool:
        return False

    def stop(self, room: str, person: str, thread: str) -> None:
        raise Unsayable("Discord has no such button; !stop does it.")

    def refusals(self) -> int:
        return len(self._discord.refusals)

    def say(self, words: Words) -> None:
        visible = self._state.channels[words.room].visible()
        if words.reply_to and words.reply_to not in {message.id for message in visible}:
            raise Unsayable("The message that you reply to is not there any more.")
        text = addressed(words, self.bot, f"<@{self._discord.bot_user}>")
        if len(text) > _LONGEST:
            raise Unsayable(f"Your message has {len(text):,} characters; Discord allows {_LONGEST:,}.")
        try:
            if command := _COMMAND.fullmatch(words.text):
                self._discord.press_command(words.room, words.person, command[1].lower())
            else:
                self._discord.say(words.room, words.person, text, reply_to=words.reply_to or None)
        except ValueError as reason:
            raise Unsayable(f"{self.title} does not take this: {reason}.") from reason
