"""What is wrong with the Slack app's set-up, and how to mend it."""

from __future__ import annotations

import asyncio

import aiohttp

from adapters.slack.calls import WebClient
from adapters.slack.sign_in import Me, mixed_up, sign_in, socket_address
from adapters.slack.socket import SOCKET_MODE_OFF, TURN_SOCKET_MODE_ON
from bot.errors import ConfigError, PlatformError

# What each scope is needed for.
SCOPES = {
    "app_mentions:read": "to hear when somebody mentions the bot",
    "assistant:write": "to be an agent in direct messages, with a status and a Stop button",
    "chat:write": "to answer",
    "files:write": "to attach the rest of a very long answer, or a long piece of code",
    "commands": "for the slash command",
    "channels:history": "to go on in threads of public channels",
    "groups:history": "to go on in threads of private channels",
    "im:history": "to hear direct messages",
    "mpim:history": "to hear group direct messages",
    "channels:read": "to look up what was asked in public channels while the bot was away",
    "groups:read": "to look up what was asked in private channels meanwhile",
    "im:read": "to look up direct messages that came meanwhile",
    "mpim:read": "to look up group direct messages that came meanwhile",
    "users:read": "to tell the model who is speaking",
}

_HELLO = 10.0  # seconds to wait for the socket's first words


async def probe(client: WebClient, bot_token: str, app_token: str) -> list[str]:
    """One sentence per fault, in the order in which to mend them; empty when all is well. The client has a session."""
    if faults := mixed_up(bot_token, app_token):
        return faults
    try:
        faults += _lacking(await sign_in(client))
    except ConfigError as error:
        faults.append(str(error))
    except PlatformError as error:
        return [_out_of_reach(client, error)]
    try:
        faults += await _silent(client, await socket_address(client, app_token))
    except ConfigError as error:
        faults.append(str(error))
    except PlatformError as error:
        faults.append(_out_of_reach(client, error))
    return faults


def _lacking(me: Me) -> list[str]:
    missing = [] if me.scopes is None else [scope for scope in SCOPES if scope not in me.scopes]
    if not missing:
        return []
    reasons = ", ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
    return [
        f"The Slack app lacks the scopes {reasons}: add them at https://api.slack.com/apps, your app,"
        " OAuth & Permissions, Bot Token Scopes (or paste docs/slack-manifest.json under App Manifest),"
        " then Reinstall to Workspace"
    ]


async def _silent(client: WebClient, url: str) -> list[str]:
    """Connects for a moment: only the socket itself tells whether Socket Mode is on."""
    try:
        async with (
            asyncio.timeout(_HELLO),
            client.session.ws_connect(url, proxy=client.proxy) as socket,
        ):
            first = await socket.receive_json()
    except (aiohttp.ClientError, OSError, TypeError, ValueError) as error:
        return [f"Slack's socket does not answer ({type(error).__name__}): the network must let wss:// through"]
    if first.get("type") == "hello":
        return []
    if first.get("reason") == SOCKET_MODE_OFF:
        return [TURN_SOCKET_MODE_ON]
    return [f"Slack closes the socket at once ({first.get('reason')}): is the app running ten times already?"]


def _out_of_reach(client: WebClient, error: PlatformError) -> str:
    return f"{client.base_url}: {error}; check api_url under [slack] in config.toml, and the network"
