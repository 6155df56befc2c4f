"""REST: the application's commands, global and in the guild, as `CommandTree.sync` writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, cast

from playground.discord.call import Answer, Call
from playground.discord.errors import invalid_form, missing_access, other_application, unknown_command
from playground.discord.payloads import Json
from playground.discord.route import Route
from playground.discord.state import State

CHAT_INPUT = 1
_MOST = 100
_NAME = re.compile(r"^[-_'\w]{1,32}$")

Scope = dict[str, Json]  # the commands by their id


@dataclass
class Commands:
    state: State
    _scopes: dict[str, Scope] = field(default_factory=dict[str, Scope])  # by guild; empty for the global ones

    def routes(self) -> list[Route]:
        routes: list[Route] = []
        for everywhere in ("/applications/{application}", "/applications/{application}/guilds/{guild}"):
            commands, one = everywhere + "/commands", everywhere + "/commands/{command}"
            routes += [
                Route("GET", commands, lambda call: Answer(list(self._scope(call).values()))),
                Route("PUT", commands, self.replace),
                Route("POST", commands, self.add),
                Route("GET", one, lambda call: Answer(self._one(call))),
                Route("PATCH", one, self.change),
                Route("DELETE", one, self.remove),
            ]
        return routes

    def find(self, name: str, guild: str) -> Json | None:
        """The slash command that a person sees under this name; one of the guild hides a global one."""
        for scope in (guild, "") if guild else ("",):
            for command in self._scopes.get(scope, {}).values():
                if command["name"] == name and command["type"] == CHAT_INPUT:
                    return command
        return None

    def names(self) -> list[str]:
        return [command["name"] for scope in self._scopes.values() for command in scope.values()]

    def replace(self, call: Call) -> Answer:
        given = call.json()
        if not isinstance(given, list):
            raise invalid_form("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        fields = cast("list[Any]", given)
        if len(fields) > _MOST:
            raise invalid_form("", "BASE_TYPE_MAX_LENGTH", f"Must be {_MOST} or fewer in length.")
        scope = self._scope(call)
        made = [self._made(call, scope, each, f"{number}.") for number, each in enumerate(fields)]
        scope.clear()
        scope.update({command["id"]: command for command in made})
        return Answer(made)

    def add(self, call: Call) -> Answer:
        scope = self._scope(call)
        command = self._made(call, scope, call.fields())
        status = 200 if command["id"] in scope else 201
        scope[command["id"]] = command
        return Answer(command, status)

    def change(self, call: Call) -> Answer:
        command = self._one(call)
        changed = {**command, **call.fields()}
        _check(changed)
        command.update(changed)
        return Answer(command)

    def remove(self, call: Call) -> Answer:
        del self._scope(call)[self._one(call)["id"]]
        return Answer()

    def _scope(self, call: Call) -> Scope:
        if call.ids["application"] != self.state.application:
            raise other_application()
        guild = call.ids.get("guild", "")
        if guild not in ("", self.state.guild):
            raise missing_access()
        return self._scopes.setdefault(guild, {})

    def _one(self, call: Call) -> Json:
        command = self._scope(call).get(call.ids["command"])
        if command is None:
            raise unknown_command()
        return command

    def _made(self, call: Call, scope: Scope, given: object, where: str = "") -> Json:
        """A command with an id: that of the one with the same name and type, if there is one."""
        if not isinstance(given, dict):
            raise invalid_form(where.rstrip("."), "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
        fields: Json = {"type": CHAT_INPUT, "description": "", **cast("Json", given)}
        _check(fields, where)
        same = (old["id"] for old in scope.values() if (old["name"], old["type"]) == (fields["name"], fields["type"]))
        command = {
            **fields,
            "id": next(same, None) or self.state.snowflakes.new(),
            "application_id": self.state.application,
            "version": self.state.snowflakes.new(),
        }
        if guild := call.ids.get("guild"):
            command["guild_id"] = guild
        return command


def _check(fields: Json, where: str = "") -> None:
    if not isinstance(name := fields.get("name"), str):
        raise invalid_form(where + "name", "BASE_TYPE_REQUIRED", "This field is required")
    if fields["type"] != CHAT_INPUT:
        return
    if not _NAME.match(name) or name != name.lower():
        raise invalid_form(where + "name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not 1 <= len(str(fields["description"])) <= 100:
        raise invalid_form(where + "description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
