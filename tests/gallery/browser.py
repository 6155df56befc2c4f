"""A headless Chromium, driven over its own protocol: it opens an address and takes pictures of parts of the page."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_DEADLINE = 30.0  # seconds, for anything that a browser is asked
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # it may run as root in a container; it opens nothing but our own pages
    "--disable-gpu",
    "--disable-quic",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",  # a mouse
    "--remote-debugging-port=0",
)


def find_browser() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a page, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Browser:
    """One tab."""

    _socket: aiohttp.ClientWebSocketResponse
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def open(self, address: str, *, width: int, height: int, dark: bool = False) -> None:
        """Returns when the page has begun to run; what it fetches by itself may still come."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.colours(dark=dark)
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def colours(self, *, dark: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    async def at_every_start(self, script: str) -> None:
        """This runs in every page before the page's own scripts."""
        await self.call("Page.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def value(self, expression: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        async with asyncio.timeout(_DEADLINE):
            while not await self.value(expression):  # noqa: ASYNC110  (the page does not notify)
                await asyncio.sleep(0.05)

    async def picture(self, box: Box) -> bytes:
        """As PNG."""
        clip = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "scale": 1}
        answer = await self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=False)
        return base64.b64decode(answer["data"])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_DEADLINE):
            while True:
                answer = await self._socket.receive_json()
                if answer.get("id") != number:
                    continue  # an event
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]


@asynccontextmanager
async def browser(path: str) -> AsyncGenerator[Browser]:
    """A browser of its own, with a profile that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="rivulet-gallery-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            path,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile, "DevToolsActivePort"), process)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tabs: list[dict[str, str]] = await answer.json(content_type=None)
                address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Browser(socket)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(_DEADLINE):
        while not (file.exists() and "\n" in (text := file.read_text())):  # noqa: ASYNC240  (a few bytes)
            if process.returncode is not None:
                raise RuntimeError(f"The browser ended by itself with {process.returncode}.")
            await asyncio.sleep(0.05)
    return int(text.splitlines()[0])
