"""What to tell the person who runs the bot, when Discord does not let it in."""

from __future__ import annotations

_PORTAL = "https://discord.com/developers/applications > your application > Bot"

TOKEN = f"DISCORD_TOKEN: Discord does not accept this token. Copy a new one: {_PORTAL} > Reset Token."

INTENT = (
    "Discord does not let the bot read messages. Switch its Message Content Intent on: "
    f"{_PORTAL} > Privileged Gateway Intents."
)

SHARDING = "The bot is in more servers than one connection to Discord may serve (2,500). Take it out of some."

# View channels, send messages, attach files, read the message history, send messages in threads.
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 38


def api_url(url: str, why: str) -> str:
    return f"[discord] api_url = {url!r} does not answer as Discord's API: {why}. Discord's own is https://discord.com/api/v10."


def invite(application: str) -> str:
    link = (
        f"https://discord.com/oauth2/authorize?client_id={application}"
        f"&scope=bot+applications.commands&permissions={PERMISSIONS}"
    )
    return f"The bot is not in any server. Open this link to add it to yours: {link}"
