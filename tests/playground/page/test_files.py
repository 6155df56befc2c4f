"""The page's files: complete, from this server alone, and guarded by a policy."""

from __future__ import annotations

import re
from pathlib import Path

from playground.page import server
from tests.playground.page.house import House

STATIC = Path(server.__file__).parent / "static"


async def test_the_page_and_everything_it_names_is_served(house: House) -> None:
    async with house.client.get("/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        html = await answer.text()
    wanted = set(re.findall(r'(?:src|href)="(/[^"]+)"', html))
    for script in STATIC.glob("*.js"):
        wanted |= {f"/page/{name}" for name in re.findall(r'from "\./([^"]+)"', script.read_text())}
    assert {"/page/main.js", "/page/page.css", "/page/rivulet.svg", "/page/thread.js"} <= wanted
    for path in wanted:
        async with house.client.get(path) as answer:
            assert answer.status == 200, path


def test_no_file_asks_another_server_for_anything() -> None:
    for file in STATIC.iterdir():
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name


def test_every_template_that_the_scripts_use_is_in_the_page() -> None:
    html = (STATIC / "index.html").read_text()
    used = {name for file in STATIC.glob("*.js") for name in re.findall(r'fromTemplate\("(\w+)"\)', file.read_text())}
    assert used == set(re.findall(r'<template id="(\w+)">', html))


async def test_the_policy_lets_nothing_run_that_is_not_ours(house: House) -> None:
    async with house.client.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


async def test_only_the_pages_own_files_can_be_read(house: House) -> None:
    for path in ("/page/../server.py", "/page/%2e%2e/server.py", "/page/nothing.js", "/page/"):
        async with house.client.get(path) as answer:
            assert answer.status in (403, 404), path
