"""What comes back of a command or a click: the acknowledgement's payload, and posts to its response_url."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from playground.slack.blocks import in_mrkdwn, visible_text
from playground.slack.errors import SlackError
from playground.slack.service import Service
from playground.slack.socket_mode import Kind
from playground.slack.state import Channel, Message


@dataclass(slots=True)
class Interaction:
    """One command or click, and what the app answered to it, oldest first."""

    channel: Channel
    person: str
    opened: float  # seconds on the timeline's clock
    uses: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    shown: str = ""  # the ts of the last answer


class ResponseUrls:
    """Hands out response_urls, and shows what is posted to them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._open: dict[str, Interaction] = {}  # trigger_id -> interaction

    def open(self, channel: Channel, person: str) -> tuple[str, str]:
        """A new interaction: its trigger_id and its response_url."""
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._open[trigger] = Interaction(channel, person, self._service.timeline.now())
        return trigger, f"{self._service.url}/commands/{self._service.workspace.team}/{trigger}"

    def answers(self, trigger: str) -> list[dict[str, Any]]:
        """Everything that the app has answered so far. Raises KeyError."""
        return list(self._open[trigger].answers)

    async def send(self, trigger: str, kind: Kind, payload: dict[str, Any]) -> None:
        """Delivers the interaction and shows what its acknowledgement brings; a person is told of a failure."""
        interaction = self._open[trigger]
        try:
            answer = await self._service.sockets.deliver_once(kind, payload)
        except SlackError as error:
            interaction.answers.append({"error": error.code})
            name = payload.get("command", "the app")
            text = f"{name} failed with the error “{error.code}”"
            self._service.whisper(interaction.channel, interaction.person, text, author="Slackbot", mrkdwn=True)
            return
        if answer:
            self._show(interaction, answer)

    def post(self, trigger: str, answer: dict[str, Any]) -> None:
        """One use of the response_url. Raises SlackError."""
        interaction = self._open.get(trigger)
        if interaction is None:
            raise SlackError("invalid_url")
        limits = self._service.limits
        if self._service.timeline.now() - interaction.opened > limits.response_url_seconds:
            raise SlackError("expired_url")
        if interaction.uses >= limits.response_url_uses:
            raise SlackError("used_url")
        if not _text(answer) and not answer.get("delete_original"):
            raise SlackError("no_text")
        interaction.uses += 1
        self._show(interaction, answer)

    def _show(self, interaction: Interaction, answer: dict[str, Any]) -> None:
        interaction.answers.append(answer)
        text = _text(answer)
        if not text:
            return
        mrkdwn = in_mrkdwn(_blocks(answer))
        if answer.get("response_type") == "in_channel":
            workspace = self._service.workspace
            message = Message(workspace.new_ts(), workspace.bot_user, str(answer.get("text", "")), text, bot=True)
            message.mrkdwn = mrkdwn
            self._service.post(interaction.channel, message)
        else:
            self._service.whisper(interaction.channel, interaction.person, text, mrkdwn=mrkdwn)


async def serve(urls: ResponseUrls, request: web.Request) -> web.Response:
    """The HTTP side of `ResponseUrls.post`."""
    try:
        body = await request.json()
    except ValueError:
        return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
    if not isinstance(body, dict):
        return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
    try:
        urls.post(request.match_info["trigger"], cast(dict[str, Any], body))
    except SlackError as error:
        return web.json_response(error.as_dict(), status=400 if error.code == "no_text" else 404)
    return web.Response(text="ok")


def _text(answer: dict[str, Any]) -> str:
    """markdown_text is not known here."""
    return visible_text(_blocks(answer)) or str(answer.get("text") or "")


def _blocks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], answer.get("blocks") or [])
