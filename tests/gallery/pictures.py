"""From the playground's page to pictures: an answer's part of it, and the two phases side by side."""

from __future__ import annotations

import base64
import json

from tests.gallery.answers import Answer, Platform
from tests.gallery.browser import Box, Browser

_WIDTH = 1240  # pixels: two panes of almost 600
_HEIGHT = 1600
_SEAM = (420, 460)  # pixels before and after the place where a page ends
_END = 760
_SEVERAL = 9000  # pixels for an answer of several pages

# The time of day would make every picture a new one.
SAME_TIME = """
Object.defineProperty(Intl.DateTimeFormat.prototype, "format", { get: () => () => "10:24" });
"""

_PARTS = {
    "discord": (".discord .messages .message", ".discord .room:not([hidden]) > .presence"),
    "slack": (".slack .thread .messages .message", ".slack .thread > .presence"),
}


async def open_page(chrome: Browser, url: str, answer: Answer) -> None:
    """Returns when the page shows everything that there is."""
    await chrome.open(f"{url}/", width=_WIDTH, height=_HEIGHT if answer.view == "all" else _SEVERAL)
    await chrome.until("document.querySelector('.connection')?.classList.contains('live')")
    await chrome.until(_STILL)


async def shoot(chrome: Browser, answer: Answer, platform: Platform) -> bytes:
    """What is to be seen of the answer: Discord in the dark, Slack in the light, as most people know them."""
    await chrome.colours(dark=platform == "discord")
    messages, presence = _PARTS[platform]
    measured = await chrome.value(
        _MEASURE % (json.dumps(f".{platform} .log"), json.dumps(messages), json.dumps(presence))
    )
    left, width, top, bottom, seam = (float(number) for number in measured)
    if answer.view == "end":
        top = max(top, bottom - _END)
    elif answer.view == "seam":
        top, bottom = max(top, seam - _SEAM[0]), min(bottom, seam + _SEAM[1])
    return await chrome.picture(Box(left, top, width, bottom - top))


async def side_by_side(chrome: Browser, platform: Platform, caught: bytes, ended: bytes) -> bytes:
    """One picture of both."""
    dark = platform == "discord"
    page = _TOGETHER.format(
        ground="#313338" if dark else "#ffffff",
        ink="#b5bac1" if dark else "#616061",
        line="#4e5058" if dark else "#d3d3d3",
        caught=base64.b64encode(caught).decode(),
        ended=base64.b64encode(ended).decode(),
    )
    frame = await chrome.call("Page.getFrameTree")
    await chrome.call("Page.navigate", url="about:blank")
    await chrome.until("document.readyState === 'complete' && location.href === 'about:blank'")
    frame = await chrome.call("Page.getFrameTree")
    await chrome.call("Page.setDocumentContent", frameId=frame["frameTree"]["frame"]["id"], html=page)
    await chrome.until("[...document.images].length === 2 && [...document.images].every((image) => image.complete)")
    size = await chrome.value("[document.body.scrollWidth, document.body.scrollHeight]")
    return await chrome.picture(Box(0, 0, float(size[0]), float(size[1])))


# True when the page has not changed for a quarter of a second.
_STILL = """
(async () => {
  const before = document.querySelector("main").innerHTML;
  await new Promise((later) => setTimeout(later, 250));
  return before === document.querySelector("main").innerHTML && document.querySelectorAll(".message").length > 3;
})()
"""

# Left, width, top, bottom of what is to be seen, and where the first page of the answer ends.
_MEASURE = """
(() => {
  const rect = (element) => element.getBoundingClientRect();
  const log = document.querySelector(%s);
  const all = [...document.querySelectorAll(%s)];
  const presence = document.querySelector(%s);
  const pages = all.filter((message) => !message.querySelector(".app").hidden);
  const top = Math.max(rect(log).top, rect(log.querySelector(".messages")).top);
  const bottom = Math.max(rect(presence).bottom, rect(all.at(-1)).bottom + 4);
  return [rect(log).left, rect(log).width, top, bottom, rect(pages[0]).bottom];
})()
"""

_TOGETHER = """<!doctype html>
<style>
  body {{ margin: 0; width: max-content; display: flex; color: {ink}; background: {ground}; font: 13px sans-serif; }}
  figure {{ margin: 0; }}
  figure + figure {{ border-left: 1px solid {line}; }}
  figcaption {{ padding: 8px 16px; border-bottom: 1px solid {line}; }}
  img {{ display: block; }}
</style>
<figure><figcaption>while it is being written</figcaption><img src="data:image/png;base64,{caught}"></figure>
<figure><figcaption>when it has ended</figcaption><img src="data:image/png;base64,{ended}"></figure>
"""
