"""/new, /stop, /retry and /help: how they are made known to Discord, and how they are answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

import discord
from discord import app_commands

from adapters.discord.rest import Rest
from bot.core.commands import Command
from bot.errors import PlatformError

log = logging.getLogger(__name__)

Interaction: TypeAlias = "discord.Interaction[discord.Client]"
Obey: TypeAlias = Callable[[Command, Interaction], Awaitable[None]]

DESCRIPTIONS = {
    Command.NEW: "Forget this conversation; the next question starts another",
    Command.STOP: "Stop the running answer; what is shown stays",
    Command.RETRY: "Ask the last question again; the new answer takes the place of the old one",
    Command.HELP: "Say how to talk to me",
}


class SlashCommands(app_commands.CommandTree[discord.Client]):
    """The application commands, in servers (with their threads) and in direct messages."""

    def __init__(self, client: discord.Client, obey: Obey) -> None:
        super().__init__(
            client,
            # Only where the bot itself is: its answers could not be shown elsewhere
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        for command, description in DESCRIPTIONS.items():
            self.add_command(_slash_command(command, description, obey))

    async def register(self, rest: Rest, application: int) -> None:
        """Tells Discord the commands, if it does not know them yet: a day has only 200 creations.

        Where Discord does not take them now, the bot works without: the same commands exist as text.
        """
        path = f"/applications/{application}/commands"
        wanted = [command.to_dict(self) for command in self.get_commands()]
        try:
            known = (await rest.call("GET", path)).data
            if _essence(known) != _essence(wanted):
                await rest.call("PUT", path, wanted)
                log.info("discord.commands_registered", extra={"commands": len(wanted)})
        except PlatformError as error:
            log.warning("discord.commands_not_registered", extra={"error": str(error)})

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        cause = error.__cause__ or error
        log.error("discord.command_failed", extra={"error": type(cause).__name__})


def _slash_command(command: Command, description: str, obey: Obey) -> app_commands.Command[Any, ..., None]:
    async def callback(interaction: Interaction) -> None:
        await obey(command, interaction)

    return app_commands.Command(name=command.value, description=description, callback=callback)


def _essence(commands: object) -> list[list[Any]]:
    """What matters of each command; Discord adds ids, versions and defaults."""
    keys = ("name", "description", "contexts", "integration_types")
    listed = cast("list[dict[str, Any]]", commands) if isinstance(commands, list) else []
    return sorted([str(command.get(key)) for key in keys] for command in listed)
