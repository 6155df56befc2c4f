"""The state as Discord's JSON objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playground.discord.permissions import EVERYONE
from playground.discord.snowflakes import created
from playground.discord.state import Channel, ChannelType, Interaction, Message, MessageType, Person, State

Json = dict[str, Any]


def user_json(person: Person) -> Json:
    return {
        "id": person.id,
        "username": person.name.lower().replace(" ", "."),
        "global_name": None if person.bot else person.name,
        "discriminator": "0000" if person.bot else "0",
        "avatar": None,
        "bot": person.bot,
        "system": False,
        "public_flags": 0,
    }


def member_json() -> Json:
    """What every person is in the guild; the user goes beside it where the context does not say who it is."""
    joined = "2026-01-01T00:00:00.000000+00:00"
    return {"roles": [], "nick": None, "avatar": None, "joined_at": joined, "deaf": False, "mute": False, "flags": 0}


def application_json(state: State, *, content: bool) -> Json:
    """The application; `content`: its Message Content Intent is on."""
    return {
        "id": state.application,
        "name": state.bot.name,
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 1 << 18 if content else 0,  # GATEWAY_MESSAGE_CONTENT
        "owner": user_json(next(person for person in state.people.values() if not person.bot)),
        "team": None,
    }


def channel_json(channel: Channel) -> Json:
    last = next(reversed(channel.messages), None)
    match channel.type:
        case ChannelType.DM:
            recipients = [user_json(channel.owner)] if channel.owner else []
            return {
                "id": channel.id,
                "type": channel.type,
                "last_message_id": last,
                "recipients": recipients,
                "flags": 0,
            }
        case ChannelType.PUBLIC_THREAD:
            return {
                "id": channel.id,
                "type": channel.type,
                "guild_id": channel.guild,
                "parent_id": channel.parent.id if channel.parent else None,
                "owner_id": channel.owner.id if channel.owner else None,
                "name": channel.name,
                "last_message_id": last,
                "message_count": len(channel.messages),
                "total_message_sent": len(channel.messages),
                "member_count": 1,
                "rate_limit_per_user": 0,
                "flags": 0,
                "thread_metadata": {
                    "archived": channel.archived,
                    "auto_archive_duration": 1440,  # minutes
                    "archive_timestamp": _time(created(channel.id)),
                    "create_timestamp": _time(created(channel.id)),
                    "locked": channel.locked,
                },
            }
        case ChannelType.TEXT:
            return {
                "id": channel.id,
                "type": channel.type,
                "guild_id": channel.guild,
                "name": channel.name,
                "position": 0,
                "parent_id": None,
                "topic": None,
                "nsfw": False,
                "rate_limit_per_user": 0,
                "last_message_id": last,
                "flags": 0,
                # The role @everyone has the guild's id.
                "permission_overwrites": [
                    {"id": channel.guild, "type": 0, "allow": "0", "deny": str(channel.denied.value)}
                ]
                if channel.denied
                else [],
            }


def guild_json(state: State) -> Json:
    """As GET /guilds gives it."""
    return {
        "id": state.guild,
        "name": state.guild_name,
        "icon": None,
        "owner_id": next(person.id for person in state.people.values() if not person.bot),
        "features": [],
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
        "premium_tier": 0,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "afk_timeout": 300,
        "system_channel_flags": 0,
        "roles": [
            _role(state.guild, "@everyone", str(EVERYONE.value)),
            *(_role(id, name, "0") for id, name in state.roles.items()),
        ],
    }


def guild_create_json(state: State, *, members: bool) -> Json:
    """The guild as a session first sees it; without the members intent it shows the bot alone."""
    shown = state.people.values() if members else [state.bot]
    return {
        **guild_json(state),
        "joined_at": "2026-01-01T00:00:00.000000+00:00",
        "large": False,
        "unavailable": False,
        "member_count": len(state.people),
        "members": [{**member_json(), "user": user_json(person)} for person in shown],
        "channels": [channel_json(each) for each in state.channels.values() if each.type is ChannelType.TEXT],
        "threads": [channel_json(each) for each in state.threads() if not each.archived],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def message_json(message: Message, state: State, *, content: bool = True, reference: bool = True) -> Json:
    """As REST gives it. Without `content`, what the bot may not read is empty, as without the intent."""
    readable = content or _always_readable(message, state)
    payload: Json = {
        "id": message.id,
        "channel_id": message.channel.id,
        "type": message.type,
        "author": user_json(message.author),
        "content": message.content if readable else "",
        "embeds": message.embeds if readable else [],
        "components": message.components if readable else [],
        "attachments": message.attachments if readable else [],
        "timestamp": _time(message.created),
        "edited_timestamp": None if message.edited is None else _time(message.edited),
        "tts": message.tts,
        "mention_everyone": message.mentioned.everyone,
        "mentions": [user_json(state.people[id]) for id in message.mentioned.users],
        "mention_roles": list(message.mentioned.roles),
        "pinned": False,
        "flags": message.flags,
    }
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.thread:
        payload["thread"] = channel_json(message.thread)
    if message.interaction:
        payload["application_id"] = payload["webhook_id"] = state.application
        payload["interaction_metadata"] = _interaction_metadata(message.interaction)
    if reference:
        payload.update(_reference(message, state, content))
    return payload


def gateway_message_json(message: Message, state: State, *, content: bool) -> Json:
    """As the gateway gives it: with the guild, and people as its members."""
    payload = message_json(message, state, content=content)
    if message.channel.guild:
        payload["guild_id"] = message.channel.guild
        payload["mentions"] = [{**mentioned, "member": member_json()} for mentioned in payload["mentions"]]
        if not message.interaction:
            payload["member"] = member_json()
    return payload


def interaction_json(interaction: Interaction, state: State) -> Json:
    """As INTERACTION_CREATE tells of it."""
    room = interaction.channel
    permissions = str(room.permissions.value)
    payload: Json = {
        "id": interaction.id,
        "application_id": state.application,
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": room.id,
        "channel": {**channel_json(room), "permissions": permissions},
        "app_permissions": permissions,
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": room.guild or "0"},
        "context": 0 if room.guild else 1,
        "attachment_size_limit": 10 * 1024 * 1024,  # bytes
    }
    if interaction.message:
        payload["message"] = message_json(interaction.message, state)
    if not room.guild:
        return {**payload, "user": user_json(interaction.person)}
    return {
        **payload,
        "guild_id": room.guild,
        "guild": {"id": room.guild, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": {**member_json(), "user": user_json(interaction.person), "permissions": permissions},
    }


def _role(id: str, name: str, permissions: str) -> Json:
    return {
        "id": id,
        "name": name,
        "permissions": permissions,
        "position": 0,
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def _always_readable(message: Message, state: State) -> bool:
    own = message.author is state.bot
    return own or not message.channel.guild or state.bot.id in message.mentioned.users


def _interaction_metadata(interaction: Interaction) -> Json:
    return {
        "id": interaction.id,
        "type": interaction.kind,
        "user": user_json(interaction.person),
        "authorizing_integration_owners": {"0": interaction.channel.guild or "0"},
    }


def _reference(message: Message, state: State, content: bool) -> Json:
    match message.type:
        case MessageType.REPLY:
            answered = message.channel.messages.get(message.reply_to)
            return {
                "message_reference": _pointer(message.channel, message.reply_to),
                "referenced_message": answered
                and message_json(answered, state, content=content, reference=False),  # Discord shows one level
            }
        case MessageType.THREAD_CREATED:
            return {"message_reference": _pointer(message.thread)} if message.thread else {}
        case MessageType.THREAD_STARTER:
            parent = message.channel.parent
            started = parent and parent.messages.get(message.reply_to)
            return {
                "message_reference": _pointer(parent, message.reply_to) if parent else {},
                "referenced_message": started and message_json(started, state, content=content, reference=False),
            }
        case _:
            return {}


def _pointer(channel: Channel, message: str = "") -> Json:
    pointer: Json = {"type": 0, "channel_id": channel.id}
    if message:
        pointer["message_id"] = message
    if channel.guild:
        pointer["guild_id"] = channel.guild
    return pointer


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
