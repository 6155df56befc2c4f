"""Which posts are questions, and what they ask.

A post is a question where it is addressed to the bot: it mentions it, stands in a direct message or in an always-on
channel; or where it goes on in a thread in which the bot was asked before. A bare `!stop` follows the same rule, so at
the top level of a channel it needs a mention (or the slash command): other bots listen for such words too.

The answer to a post in a channel goes into that post's thread. In a direct message it goes where the question is: into
the thread of a threaded question, else un-threaded; where it is streamed, into the question's own thread, since Slack
streams in threads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from adapters.slack.mrkdwn import mentioned, to_plain, without_mention
from bot.core.model import Channel, Person, Place, Prompt

Scope = Literal["channel", "thread"]

# What the Slack app must be subscribed to; message.* all arrive as `message`.
SUBSCRIPTIONS = (
    "agent_session_stopped",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)

# A post, a reply also sent to the channel, a post with files. Edits, deletions, joins and the like are no questions.
_POSTS = {"", "thread_broadcast", "file_share"}


def is_post(event: Mapping[str, Any], *, bot_user: str) -> bool:
    """Whether a person wrote this, here and now."""
    return (
        event.get("type") in {"app_mention", "message"}
        and (event.get("subtype") or "") in _POSTS
        and not event.get("bot_id")
        and event.get("user") not in {None, "", bot_user, "USLACKBOT"}
        and bool(event.get("channel") and event.get("ts"))
    )


def is_addressed(event: Mapping[str, Any], *, bot_user: str, always_on: frozenset[str]) -> bool:
    """Whether the post is a question wherever it stands."""
    return _is_direct(event) or _mentions(event, bot_user) or event["channel"] in always_on


def is_reply(event: Mapping[str, Any]) -> bool:
    """Whether the post stands in a thread that another post began."""
    return bool(event.get("thread_ts")) and event["thread_ts"] != event["ts"]


def edit_in(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The post as its author has worded it anew; None if that is not what the event tells (a preview of a link)."""
    if event.get("subtype") != "message_changed":
        return None
    now, before = _post_in(event, "message"), _post_in(event, "previous_message")
    if not now.get("edited") or now.get("text") == before.get("text"):
        return None
    return {**now, "channel": event.get("channel"), "channel_type": event.get("channel_type")}


def deletion_in(event: Mapping[str, Any]) -> str:
    """The ts of the post that the event tells the end of; empty if it tells of none.

    What has replies leaves a tombstone, which Slack tells as a change.
    """
    match event.get("subtype"):
        case "message_deleted":
            return str(event.get("deleted_ts") or "")
        case "message_changed" if _post_in(event, "message").get("subtype") == "tombstone":
            return str(event["message"].get("ts") or "")
        case _:
            return ""


def key_of(team: str, room: str, ts: str) -> str:
    """The key of the question that this post is or was, if it was one."""
    return f"slack:{team}:{room}:{ts}"


def people_in(event: Mapping[str, Any], *, bot_user: str) -> list[str]:
    """Whose names the prompt needs: the author's and those of the other people mentioned."""
    people = dict.fromkeys([event["user"], *mentioned(event.get("text") or "")])
    return [person for person in people if person != bot_user]


def where(event: Mapping[str, Any], *, team: str, scope: Scope, direct_threads: bool = False) -> tuple[Channel, Place]:
    """Whose conversation a post belongs to, and where its answer goes.

    `direct_threads`: a question in a direct message begins a thread with a memory of its own, as one in a channel does.
    """
    room, ts = event["channel"], event["ts"]
    thread = event.get("thread_ts") or ("" if _is_direct(event) and not direct_threads else ts)
    identity = f"{team}:{room}:{thread}" if scope == "thread" and thread else f"{team}:{room}"
    return Channel("slack", identity), Place(room, message=ts, thread=thread)


def to_prompt(
    event: Mapping[str, Any],
    *,
    team: str,
    bot_user: str,
    scope: Scope = "channel",
    direct_threads: bool = False,
    names: Mapping[str, str] | None = None,
) -> Prompt | None:
    """The question of an addressed post, or None if it is none.

    `app_mention` and `message` for one post give the same prompt. Who addresses the bot without a word asks for help.
    """
    if not is_post(event, bot_user=bot_user):
        return None
    names = names or {}
    text = to_plain(without_mention(event.get("text") or "", bot_user), names).strip()
    if not text:
        if not (_is_direct(event) or _mentions(event, bot_user)):
            return None  # a picture without words in a thread asks for nothing
        text = "!help"
    channel, place = where(event, team=team, scope=scope, direct_threads=direct_threads)
    return Prompt(
        key=key_of(team, place.room, place.message),
        channel=channel,
        place=place,
        author=Person(event["user"], names.get(event["user"]) or event["user"]),
        text=text,
        shared=not _is_direct(event),
    )


def _post_in(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    post = event.get(name)
    return cast("dict[str, Any]", post) if isinstance(post, dict) else {}


def _is_direct(event: Mapping[str, Any]) -> bool:
    # app_mention has no channel_type; the ids of direct messages begin with D
    return event.get("channel_type") == "im" or event["channel"].startswith("D")


def _mentions(event: Mapping[str, Any], bot_user: str) -> bool:
    return event["type"] == "app_mention" or bot_user in mentioned(event.get("text") or "")
