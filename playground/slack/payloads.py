"""The JSON that Slack makes of people, channels, messages, events and commands."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from playground.slack.state import Channel, Message, Person, Workspace

# The subscription under which a message of each kind of channel is delivered.
MESSAGE_EVENT = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


def message_json(workspace: Workspace, channel: Channel, message: Message, *, metadata: bool = False) -> dict[str, Any]:
    """As conversations.history and chat.postMessage answer it; of its thread too, where it has one."""
    body: dict[str, Any] = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    if message.tombstone:
        body |= {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "hidden": True}
    else:
        body |= {"team": workspace.team, "blocks": message.blocks}
    if message.client_msg_id:
        body["client_msg_id"] = message.client_msg_id
    if message.bot:
        body |= {"bot_id": workspace.bot_id, "app_id": workspace.app_id, "bot_profile": bot_profile(workspace)}
    if message.edited_ts:
        body["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.files:
        body |= {"files": message.files, "upload": False}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if metadata and message.metadata:
        body["metadata"] = message.metadata
    return body | _thread_json(channel, message)


def message_event(workspace: Workspace, channel: Channel, message: Message) -> dict[str, Any]:
    """The event of a new message."""
    body = message_json(workspace, channel, message)
    if message.files:
        body["subtype"] = "file_share"
    return body | {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind}


def mention_event(workspace: Workspace, channel: Channel, message: Message, event_ts: str) -> dict[str, Any]:
    """The app_mention of a new or edited message; it has no channel_type."""
    body = message_json(workspace, channel, message) | {"type": "app_mention"}
    return body | {"channel": channel.id, "event_ts": event_ts}


def changed_event(channel: Channel, now: dict[str, Any], before: dict[str, Any], event_ts: str) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": now,
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel.kind,
    }


def deleted_event(channel: Channel, before: dict[str, Any], event_ts: str) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "deleted_ts": before["ts"],
        "channel": channel.id,
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel.kind,
    }


def event_callback(workspace: Workspace, event: dict[str, Any]) -> dict[str, Any]:
    """The envelope's payload around an event."""
    authorization = {
        "enterprise_id": None,
        "team_id": workspace.team,
        "user_id": workspace.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    context = {"et": event["type"], "tid": workspace.team, "aid": workspace.app_id, "cid": event.get("channel")}
    return {
        "token": "playground",
        "team_id": workspace.team,
        "context_team_id": workspace.team,
        "context_enterprise_id": None,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": "4-" + base64.b64encode(json.dumps(context).encode()).decode(),
    }


def command_payload(
    workspace: Workspace, channel: Channel, person: Person, command: str, text: str, trigger: str, response_url: str
) -> dict[str, Any]:
    """A slash command; it never tells of a thread."""
    return {
        "token": "playground",
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "im" else channel.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def actions_payload(
    workspace: Workspace,
    channel: Channel,
    person: Person,
    message: Message,
    action: dict[str, Any],
    trigger: str,
    response_url: str,
) -> dict[str, Any]:
    """A click on an element of a message."""
    return {
        "type": "block_actions",
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": workspace.team},
        "api_app_id": workspace.app_id,
        "token": "playground",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": False,
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        },
        "trigger_id": trigger,
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
        "message": message_json(workspace, channel, message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }


def person_json(workspace: Workspace, person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "team_id": workspace.team,
        "name": person.name,
        "deleted": False,
        "real_name": person.real_name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "profile": {
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": "" if person.bot else person.real_name,
            "display_name_normalized": "" if person.bot else person.real_name,
            "team": workspace.team,
            **({"bot_id": workspace.bot_id, "api_app_id": workspace.app_id} if person.bot else {}),
        },
        "is_admin": False,
        "is_owner": False,
        "is_bot": person.bot,
        "is_app_user": False,
        "updated": 0,
    }


def channel_json(workspace: Workspace, channel: Channel) -> dict[str, Any]:
    common = {"id": channel.id, "created": channel.created, "is_archived": channel.archived, "updated": 0}
    if channel.kind == "im":
        other = next(member for member in channel.members if member != workspace.bot_user)
        return common | {"is_im": True, "is_org_shared": False, "user": other, "is_user_deleted": False, "priority": 0}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_member": workspace.bot_user in channel.members,
        "creator": channel.members[0] if channel.members else "",
        "context_team_id": workspace.team,
        "num_members": len(channel.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def bot_profile(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "user_id": workspace.bot_user,
        "name": workspace.bot_name,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": workspace.team,
    }


def _thread_json(channel: Channel, message: Message) -> dict[str, Any]:
    if message.thread_ts:
        root = channel.messages.get(message.thread_ts)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": root.user} if root else {})
    replies = channel.replies(message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "reply_users": people,
        "is_locked": False,
        "subscribed": False,
    }
