"""What the tests of the pages of services that are probed have in common: pages, forms, waiting, a row of the list."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from tests.integration.webui.site import CSRF, Site

FORM = {"csrf": CSRF, "interval": "1", "timeout": "0.5", "retries": "0"}


async def get(browser: aiohttp.ClientSession, path: str, status: int = 200) -> str:
    async with browser.get(path) as response:
        text = await response.text()
    assert response.status == status, text
    return text


async def post(browser: aiohttp.ClientSession, path: str, status: int = 303, **fields: Any) -> tuple[str, str]:
    """A form; the address that it leads to, and its text."""
    async with browser.post(path, data={**FORM, **fields}, allow_redirects=False) as response:
        text = await response.text()
    assert response.status == status, text
    return response.headers.get("Location", ""), text


async def until(site: Site, name: str, holds: Callable[[dict[str, Any]], bool], within: float = 8.0) -> dict[str, Any]:
    """Waits for something about a service, as the worker's database has it."""
    end = time.monotonic() + within
    while True:
        rows = site.worker.database.rows("monitored.page", after="", limit=1000)
        for row in rows:
            if row["name"] == name and holds(row):
                return row
        assert time.monotonic() < end, rows
        await asyncio.sleep(0.05)


def service(site: Site, name: str) -> int:
    return int((site.worker.database.one("definitions.by_name", name=name) or {})["id"])


def row_of(text: str, id_: int) -> str:
    return text.split(f'<li id="probed-{id_}"')[1].split("</li>")[0]
