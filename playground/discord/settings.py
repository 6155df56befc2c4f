"""What may be set before and while the stand-in serves."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.discord.intents import PRIVILEGED, Intent
from playground.discord.limits import Limits


@dataclass
class Settings:
    """Every figure is looked up when it is needed, so a change holds from the next call on."""

    latency: float  # seconds from a call's arrival to its answer; its effect comes half way
    url: str = ""  # http://.../discord
    token: str = "playground-discord-token"
    limits: Limits = field(default_factory=Limits)
    privileged_intents: Intent = PRIVILEGED  # switched on for the application, for the gateway and for REST
    heartbeat_interval: float = 41.25  # seconds

    @property
    def gateway_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/gateway"
