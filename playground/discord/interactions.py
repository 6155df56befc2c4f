"""Commands and buttons that people use, and what the bot answers: first by the callback, then through the token."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from playground.discord.call import Answer, Call
from playground.discord.drafts import Draft, read_draft
from playground.discord.errors import (
    already_acknowledged,
    invalid_form,
    invalid_webhook_token,
    unknown_interaction,
    unknown_message,
    unknown_webhook,
)
from playground.discord.events import Event
from playground.discord.intents import Intent
from playground.discord.payloads import Json, interaction_json, message_json
from playground.discord.route import Route
from playground.discord.settings import Settings
from playground.discord.state import Channel, Interaction, InteractionType, Message, MessageFlag, Person
from playground.discord.world import World


class Callback(IntEnum):
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7


_TO_COMMANDS = {Callback.MESSAGE, Callback.DEFERRED_MESSAGE}


@dataclass
class Interactions:
    world: World
    settings: Settings

    def routes(self) -> list[Route]:
        webhook = "/webhooks/{application}/{token}"
        message = webhook + "/messages/{message}"

        return [
            Route(
                "POST",
                "/interactions/{interaction}/{token}/callback",
                self.answer,
                "callback",
                "interaction",
                bot=False,
            ),
            Route("POST", webhook, self.follow_up, "webhook", "token", bot=False),
            Route("GET", message, self.get, "webhook", "token", bot=False),
            Route("PATCH", message, self.edit, "webhook", "token", bot=False),
            Route("DELETE", message, self.delete, "webhook", "token", bot=False),
        ]

    def press_command(
        self, channel: Channel, person: Person, command: Json, options: Mapping[str, str | int | float | bool]
    ) -> Interaction:
        """A slash command as Discord's client sends it; raises ValueError for options that it does not have."""
        offered = cast("list[Json]", command.get("options") or [])
        kinds: dict[str, int] = {option["name"]: option["type"] for option in offered}
        if unknown := [name for name in options if name not in kinds]:
            raise ValueError(f"/{command['name']} has no option {unknown[0]!r}, only {list(kinds)}")
        data: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        data["options"] = [{"name": name, "type": kinds[name], "value": value} for name, value in options.items()]
        if guild := command.get("guild_id"):
            data["guild_id"] = guild
        return self._press(InteractionType.COMMAND, channel, person, data)

    def press_button(self, message: Message, person: Person, custom_id: str) -> Interaction:
        """Raises ValueError if the message has no such button."""
        if custom_id not in _custom_ids(message.components):
            raise ValueError(f"the message has no button {custom_id!r}")
        data = {"custom_id": custom_id, "component_type": 2}
        return self._press(InteractionType.COMPONENT, message.channel, person, data, message)

    def answer(self, call: Call) -> Answer:
        """The one answer that must come within three seconds."""
        interaction = self.world.state.interactions.get(call.ids["interaction"])
        if interaction is None or interaction.token != call.ids["token"]:
            raise unknown_interaction()
        if interaction.acknowledged:
            raise already_acknowledged()
        if self.world.timeline.now() - interaction.at > self.settings.limits.acknowledge_within:
            raise unknown_interaction()
        body = call.fields()
        kind = _callback(body, interaction)
        draft = read_draft(cast("Json", body.get("data") or {}), call.body.files)
        match kind:
            case Callback.MESSAGE:
                interaction.original = self._respond(interaction, draft, MessageFlag.NONE)
            case Callback.DEFERRED_MESSAGE:
                interaction.original = self._respond(interaction, Draft(flags=draft.flags), MessageFlag.LOADING)
            case Callback.DEFERRED_UPDATE:
                interaction.original = interaction.message
            case Callback.UPDATE:
                interaction.original = interaction.message
                if interaction.message:
                    self.world.edit(interaction.message, draft)
        interaction.acknowledged = True
        if call.query.get("with_response", "").lower() not in ("1", "true"):
            return Answer()
        return Answer(self._told(interaction, kind))

    def follow_up(self, call: Call) -> Answer:
        interaction = self._interaction(call)
        draft = read_draft(call.fields(), call.body.files)
        if interaction.original and interaction.original.flags & MessageFlag.LOADING:
            # The first one after a deferral takes the place of "is thinking", for old clients' sake.
            self.world.edit(interaction.original, draft)
            return Answer(self._json(interaction.original))
        return Answer(self._json(self._respond(interaction, draft, MessageFlag.NONE)))

    def get(self, call: Call) -> Answer:
        return Answer(self._json(self._message(call)))

    def edit(self, call: Call) -> Answer:
        message = self._message(call)
        self.world.edit(message, read_draft(call.fields(), call.body.files))
        return Answer(self._json(message))

    def delete(self, call: Call) -> Answer:
        self.world.delete(self._message(call))
        return Answer()

    def _press(
        self, kind: InteractionType, channel: Channel, person: Person, data: Json, message: Message | None = None
    ) -> Interaction:
        state = self.world.state
        token = secrets.token_urlsafe(32)
        now = self.world.timeline.now()
        interaction = Interaction(state.snowflakes.new(), token, kind, channel, person, data, now, message)
        state.interactions[interaction.id] = interaction
        payload = interaction_json(interaction, state)
        self.world.announce(Event("INTERACTION_CREATE", channel.guild, Intent.NONE, lambda _: payload))
        return interaction

    def _respond(self, interaction: Interaction, draft: Draft, flags: MessageFlag) -> Message:
        flags |= MessageFlag.EPHEMERAL & MessageFlag(draft.flags or 0)
        message = self.world.post(
            interaction.channel, self.world.state.bot, draft, response_to=interaction, flags=flags
        )
        interaction.responses.append(message)
        return message

    def _interaction(self, call: Call) -> Interaction:
        """By its token; raises ApiError where it is unknown, too old, or not answered yet."""
        if call.ids["application"] != self.world.state.application:
            raise unknown_webhook()
        token = call.ids["token"]
        for interaction in self.world.state.interactions.values():
            if interaction.token == token:
                break
        else:
            raise invalid_webhook_token()
        if self.world.timeline.now() - interaction.at > self.settings.limits.token_lives:
            raise invalid_webhook_token()
        if not interaction.acknowledged:
            raise unknown_webhook()
        return interaction

    def _message(self, call: Call) -> Message:
        interaction = self._interaction(call)
        id = call.ids["message"]
        found = interaction.original if id == "@original" else None
        for message in interaction.responses:
            if message.id == id:
                found = message
        if found is None or found.id not in found.channel.messages:
            raise unknown_message()
        return found

    def _told(self, interaction: Interaction, kind: Callback) -> Json:
        told: Json = {"id": interaction.id, "type": interaction.kind}
        resource: Json = {"type": kind}
        message = interaction.original
        if message:
            told |= {
                "response_message_id": message.id,
                "response_message_loading": bool(message.flags & MessageFlag.LOADING),
                "response_message_ephemeral": bool(message.flags & MessageFlag.EPHEMERAL),
            }
            if kind in (Callback.MESSAGE, Callback.UPDATE):
                resource["message"] = self._json(message)
        return {"interaction": told, "resource": resource}

    def _json(self, message: Message) -> Json:
        return message_json(message, self.world.state)


def _callback(body: dict[str, Any], interaction: Interaction) -> Callback:
    """The kind of answer; raises ApiError for one that this interaction does not take."""
    kinds = _TO_COMMANDS if interaction.kind is InteractionType.COMMAND else set(Callback)
    try:
        kind = Callback(body.get("type"))
    except ValueError:
        kind = None
    if kind is None or kind not in kinds:
        choices = ", ".join(str(kind.value) for kind in sorted(kinds))
        raise invalid_form("type", "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")
    return kind


def _custom_ids(components: Sequence[dict[str, Any]]) -> set[str]:
    ids: set[str] = set()
    for component in components:
        if "custom_id" in component:
            ids.add(component["custom_id"])
        ids |= _custom_ids(cast("list[dict[str, Any]]", component.get("components") or []))
    return ids
