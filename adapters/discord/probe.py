"""What keeps the bot from working on Discord, found by asking, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection

from adapters.discord import advice
from adapters.discord.failures import TokenRefused
from adapters.discord.rest import Rest
from bot.errors import Gone, PlatformError, Rejected

# An application has one of these flags when its Message Content Intent is on: verified, or in fewer than 100 servers.
MESSAGE_CONTENT = 1 << 18 | 1 << 19


async def problems(rest: Rest, api_url: str, always_on: Collection[str]) -> list[str]:
    """One line for each thing that is wrong, in the order in which to mend them; empty when all is well."""
    try:
        await rest.call("GET", "/users/@me")
        application = (await rest.call("GET", "/oauth2/applications/@me")).data
        servers = await _servers(rest)
    except TokenRefused:
        return [advice.TOKEN]
    except PlatformError as error:
        return [advice.api_url(api_url, str(error))]

    lines: list[str] = []
    if not application.get("flags", 0) & MESSAGE_CONTENT:
        lines.append(advice.INTENT)
    if servers == 0:
        lines.append(advice.invite(str(application["id"])))
    for channel in sorted(always_on):
        try:
            await rest.call("GET", f"/channels/{channel}")
        except Gone:
            lines.append(f"The always-on channel {channel} is not there, or the bot may not see it.")
        except PlatformError as error:
            lines.append(f"The always-on channel {channel} could not be looked at: {error}.")
    return lines


async def _servers(rest: Rest) -> int | None:
    """How many (at most 1); None where the API has no such list, as not every server that speaks this protocol has."""
    try:
        return len((await rest.call("GET", "/users/@me/guilds?limit=1")).data)
    except Rejected:
        return None
