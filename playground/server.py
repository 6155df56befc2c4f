"""The playground as one server on loopback: /discord, /slack, /openai, and the page at /."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from playground.discord.server import DiscordStandIn
from playground.openai.server import OpenAIStandIn
from playground.page.server import Page
from playground.slack.server import SlackStandIn
from playground.timeline import Timeline


@dataclass
class Playground:
    """Start it, point the bot at `discord_api`, `slack_api` and `openai_api`, and look at `timeline`."""

    latency: float = 0.08  # seconds from a call's arrival to its effect and answer, on Discord and Slack
    timeline: Timeline = field(default_factory=Timeline)
    url: str = ""

    def __post_init__(self) -> None:
        self.discord = DiscordStandIn(self.timeline, latency=self.latency)
        self.slack = SlackStandIn(self.timeline, latency=self.latency)
        self.openai = OpenAIStandIn()
        self.page = Page(self.timeline, self.discord, self.slack)

    @property
    def discord_api(self) -> str:
        return f"{self.url}/discord/api/v10"

    @property
    def slack_api(self) -> str:
        return f"{self.url}/slack/api/"

    @property
    def openai_api(self) -> str:
        return f"{self.url}/openai/v1"

    async def start(self, port: int = 0) -> None:
        """Listens on loopback; port 0 takes a free one."""
        app = web.Application()
        for part in (self.discord, self.slack, self.openai, self.page):
            part.mount(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        self.discord.url = f"{self.url}/discord"
        self.slack.url = f"{self.url}/slack"

    async def close(self) -> None:
        for part in (self.discord, self.slack, self.openai, self.page):
            await part.close()
        await self._runner.cleanup()
