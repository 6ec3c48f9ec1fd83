"""Where jobs tell of themselves: whatever form the address has, a sign of life is heard or refused aloud."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.integration.webui.probing import post, until
from tests.integration.webui.site import Site
from webui.api import heartbeat


@pytest.fixture
async def push(site: Site) -> str:
    _, text = await post(site.browser("operator"), "/services", 201, name="backup", url="heartbeat:", interval="60")
    found = re.search(r"(/heartbeat/[\w-]{20,})<", text)
    assert found is not None
    return found[1]


async def tell(site: Site, path: str, method: str = "GET", **more: Any) -> tuple[int, str, aiohttp.ClientResponse]:
    async with site.browser(None).request(method, path, allow_redirects=False, **more) as response:
        return response.status, await response.text(), response


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b"y" * 1000


@pytest.mark.parametrize("size", [9_000, 20_000, 5 * 1024 * 1024])
async def test_a_failure_with_a_long_output_is_heard(site: Site, push: str, size: int) -> None:
    status, _, _ = await tell(site, f"{push}/fail", "POST", data=io.BytesIO(b"disk full " + b"x" * size))
    assert status == 200
    found = await until(site, "backup", lambda row: row["status"] == "down")
    assert found["detail"].startswith("it says that it failed: disk full xxx")


async def test_an_output_of_no_told_length_is_heard(site: Site, push: str) -> None:
    status, _, _ = await tell(site, f"{push}/fail", "POST", data=chunks(40_000))
    assert status == 200
    await until(site, "backup", lambda row: row["status"] == "down")


async def test_an_output_that_stalls_is_heard_too(site: Site, push: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BODY_SECONDS", 0.3)
    for end, said in (("fail", "down"), ("0", "healthy")):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
        writer.write(f"POST {push}/{end} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf".encode())
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
        writer.close()
        await until(site, "backup", lambda row, said=said: row["status"] == said)  # type: ignore[misc]


@pytest.mark.parametrize(("end", "said"), [("/", "healthy"), ("/fail/", "down"), ("/0/", "healthy"), ("/3/", "down")])
async def test_a_slash_at_the_end_changes_nothing(site: Site, push: str, end: str, said: str) -> None:
    assert (await tell(site, push + end))[:2] == (200, "OK\n")
    await until(site, "backup", lambda row: row["status"] == said)


@pytest.mark.parametrize(
    ("query", "said", "detail"),
    [
        ("?status=up&msg=OK&ping=", "healthy", ""),
        ("?status=down&msg=boom&ping=", "down", "it says that it failed: boom"),
        ("?status=DOWN", "down", "it says that it failed"),
        ("?status=&msg=&ping=nan", "healthy", ""),
        ("?status=broken", "down", "it says that it failed"),
    ],
)
async def test_the_query_of_uptime_kuma_is_understood(
    site: Site, push: str, query: str, said: str, detail: str
) -> None:
    assert (await tell(site, push + query))[0] == 200
    assert (await until(site, "backup", lambda row: row["status"] == said))["detail"] == detail


async def test_a_ping_that_comes_along_is_how_long_it_took(site: Site, push: str) -> None:
    assert (await tell(site, f"{push}?status=up&msg=OK&ping=12.5"))[0] == 200
    assert (await until(site, "backup", lambda row: row["status"] == "healthy"))["latency_us"] == 12_500


@pytest.mark.parametrize("path", ["/heartbeat/", "/heartbeat/TOKEN/fail/now", "/heartbeat/TOKEN//fail", "/heartbeat/é"])
async def test_what_is_no_address_is_refused_in_plain_text_and_leads_to_no_sign_in(
    site: Site, push: str, path: str
) -> None:
    status, text, response = await tell(site, path.replace("/heartbeat/TOKEN", push))
    assert (status, response.content_type) == (404, "text/plain")
    assert "eartbeat" in text


async def test_bytes_that_are_no_text_do_no_harm(site: Site, push: str) -> None:
    for path in ("/heartbeat/caf\udce9", f"{push}?status=down&msg=caf\udce9"):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("utf-8", "surrogateescape"))
        assert (await asyncio.wait_for(reader.readline(), 5)).split()[1] in (b"400", b"404", b"200")
        writer.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_is_refused_with_those_that_are_taken(site: Site, push: str, method: str) -> None:
    for end in ("", "/", "/fail"):
        status, _, response = await tell(site, push + end, method)
        assert (status, response.headers.get("Allow")) == (405, "GET,HEAD,POST")
