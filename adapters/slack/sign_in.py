"""The two tokens, and what Slack says of each."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.slack.calls import WebClient, made
from bot.errors import ConfigError, Gone, Rejected

BOT_TOKEN = "SLACK_BOT_TOKEN"
APP_TOKEN = "SLACK_APP_TOKEN"

_GET_BOT_TOKEN = (
    "copy the Bot User OAuth Token (xoxb-…) from https://api.slack.com/apps, your app, OAuth & Permissions"
    " (Install to Workspace makes it)"
)
_GET_APP_TOKEN = (
    "make one (xapp-…) with the scope connections:write at https://api.slack.com/apps, your app, Basic Information,"
    " App-Level Tokens"
)


@dataclass(frozen=True, slots=True)
class Me:
    """As whom and where the bot is signed in."""

    team: str
    team_name: str
    user: str  # the bot's user id
    bot: str  # the id that its messages carry as bot_id
    name: str
    scopes: frozenset[str] | None = None  # None: the server does not tell


def mixed_up(bot_token: str, app_token: str) -> list[str]:
    """What can be said of the tokens by looking at them."""
    if bot_token.startswith("xapp-") and app_token.startswith("xoxb-"):
        return [f"{BOT_TOKEN} and {APP_TOKEN} are swapped: xoxb-… belongs in {BOT_TOKEN}, xapp-… in {APP_TOKEN}"]
    faults: list[str] = []
    if bot_token.startswith("xapp-"):
        faults.append(f"{BOT_TOKEN} holds an app-level token (xapp-…): {_GET_BOT_TOKEN}")
    if bot_token.startswith("xoxp-"):
        faults.append(f"{BOT_TOKEN} holds a person's token (xoxp-…): {_GET_BOT_TOKEN}")
    if app_token.startswith(("xoxb-", "xoxp-")):
        faults.append(f"{APP_TOKEN} holds a token of another kind ({app_token[:5]}…): {_GET_APP_TOKEN}")
    return faults


async def sign_in(client: WebClient) -> Me:
    """Asks `auth.test`. Raises ConfigError when Slack refuses the bot token, else PlatformError."""
    try:
        answer = await made(client.auth_test())
    except (Gone, Rejected) as error:
        raise ConfigError(f"{BOT_TOKEN}: {error}; {_GET_BOT_TOKEN}") from error
    said = answer.data
    scopes = {name.lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes")
    return Me(
        team=said.get("team_id") or "",
        team_name=said.get("team") or "",
        user=said.get("user_id") or "",
        bot=said.get("bot_id") or "",
        name=said.get("user") or "",
        scopes=None if scopes is None else frozenset(filter(None, (scope.strip() for scope in scopes.split(",")))),
    )


async def socket_address(client: WebClient, app_token: str) -> str:
    """Asks `apps.connections.open` for an address that works once. Raises ConfigError, else PlatformError."""
    try:
        answer = await made(client.apps_connections_open(app_token=app_token))
    except (Gone, Rejected) as error:
        raise ConfigError(f"{APP_TOKEN}: {error}; {_GET_APP_TOKEN}") from error
    return answer.data.get("url", "")
