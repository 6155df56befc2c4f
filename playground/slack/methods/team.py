"""Who is who: auth.test, users.info, bots.info, team.info, views.publish, apps.connections.open."""

from __future__ import annotations

from typing import Any, cast

from playground.slack.arguments import Arguments, invalid_arguments
from playground.slack.errors import SlackError
from playground.slack.limits import Tier
from playground.slack.method import Method
from playground.slack.payloads import bot_profile, person_json
from playground.slack.service import Service


def auth_test(service: Service, _: Arguments) -> dict[str, Any]:
    workspace = service.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.team_name,
        "user": workspace.bot_name,
        "team_id": workspace.team,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def users_info(service: Service, arguments: Arguments) -> dict[str, Any]:
    return {"user": person_json(service.workspace, service.workspace.person(arguments.need("user")))}


def bots_info(service: Service, arguments: Arguments) -> dict[str, Any]:
    if arguments.text("bot") not in {"", service.workspace.bot_id}:
        raise SlackError("bot_not_found")
    return {"bot": bot_profile(service.workspace)}


def team_info(service: Service, _: Arguments) -> dict[str, Any]:
    workspace = service.workspace
    return {
        "team": {
            "id": workspace.team,
            "name": workspace.team_name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


def publish_home(service: Service, arguments: Arguments) -> dict[str, Any]:
    person = service.workspace.person(arguments.need("user_id"))
    given = arguments.structure("view", "invalid_arguments")
    view = cast(dict[str, Any], given) if isinstance(given, dict) else {}
    if view.get("type") != "home" or not isinstance(view.get("blocks"), list):
        raise invalid_arguments("invalid view")
    service.homes[person.id] = view
    return {"view": {**view, "id": service.workspace.new_id("V"), "team_id": service.workspace.team}}


def open_connection(service: Service, _: Arguments) -> dict[str, Any]:
    """A socket's address with a ticket that is good for one connection."""
    address = service.url.replace("http", "ws", 1)
    return {"url": f"{address}/socket?ticket={service.sockets.issue_ticket()}&app_id={service.workspace.app_id}"}


METHODS = {
    "auth.test": Method(auth_test, Tier.SPECIAL),
    "users.info": Method(users_info, Tier.FOUR, "users:read", json_allowed=False),
    "bots.info": Method(bots_info, Tier.THREE, "users:read", json_allowed=False),
    "team.info": Method(team_info, Tier.THREE, "team:read", json_allowed=False),
    "views.publish": Method(publish_home, Tier.FOUR),
    "apps.connections.open": Method(open_connection, Tier.THREE, token="xapp"),
}
