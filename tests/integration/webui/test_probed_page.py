"""The page of a service that is probed: uptime, findings, incident, certificate, definition."""

import asyncio
import contextlib
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.target import Target
from tests.fixtures import certificates
from tests.integration.webui.probing import get, post, row_of, until
from tests.integration.webui.site import Site


async def test_a_service_has_a_page_with_uptime_findings_incident_and_definition(site: Site, target: Target) -> None:
    target.answer("/", status=503, body=b"<script>")
    browser = site.browser("operator")
    await post(browser, "/services", name="<shop>", url=target.url("/"), headers="X-Api-Key: s3cret-value")
    await until(site, "<shop>", lambda row: row["incident_id"] is not None)
    text = await get(browser, "/services/%3Cshop%3E")
    assert "<shop>" not in text
    assert "[STATUS] (503) &lt; 400" in text.split('id="probed-head"')[1].split("</section>")[0]
    assert "s3cret-value" not in text
    assert "X-Api-Key: ***" in text
    assert "Uptime, 30 days" in text
    ends = text.split('<p class="small muted ends">')[1].split("</p>")[0]
    assert re.match(r"<span>the first <time [^>]*>\d+ s ago</time></span>", ends)
    assert 'href="#findings">Each in words</a><span>now</span>' in ends
    assert "UTC, down, " in text.split('data-told="')[1].split('"')[0]
    assert "The same as a table" in text
    findings = text.split('id="findings"')[1].split("</section>")[0]
    assert "Connection" in findings
    incident = re.search(r'action="(/incidents/\d+)"', text)
    assert incident is not None
    where, _ = await post(browser, incident[1], text="the <pool> is full", acknowledge="1")
    text = await get(browser, where)
    assert "operator looks after it" in text
    assert "the &lt;pool&gt; is full" in text
    looks = await get(site.browser("viewer"), "/services/%3Cshop%3E")
    assert 'action="/incidents/' not in looks
    assert "Edit" not in looks.split('id="probed-head"')[1].split("</section>")[0]
    async with browser.get("/services/%3Cshop%3E.json") as response:
        assert (await response.json())["probed"]["service"]["status"] == "down"


async def test_a_service_over_https_shows_whose_certificate_it_has_by_whom_and_the_days_that_are_left(
    site: Site, tmp_path: Path
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked has gone
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
        writer.close()

    chain = certificates.chain(tmp_path / "tls", days=5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*chain.site)
    browser = site.browser("operator")
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        for name, warnings in (("quiet", ""), ("warned", "[CERTIFICATE_EXPIRATION] > 14d")):
            await post(browser, "/services", name=name, url=url, ca_file=str(chain.root), timeout="3",
                       conditions="[STATUS] == 200", warnings=warnings)  # fmt: skip
        # Nobody vouches for it here, and nobody asks.
        await post(browser, "/services", name="unverified", url=url, verify="no", timeout="3")
        await until(site, "quiet", lambda row: row["status"] == "healthy")
        await until(site, "unverified", lambda row: len(row["beats"]) >= 3)
        warned = await until(site, "warned", lambda row: row["status"] == "degraded")
        text, unverified = await get(browser, "/services/quiet"), await get(browser, "/services/unverified")
        line = row_of(await get(browser, "/services"), warned["id"])
    panel, same = (page.split('id="certificate"')[1].split("</section>")[0] for page in (text, unverified))
    shown = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", panel))
    assert dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", same)) == shown
    day = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    # The certificate is some seconds old, so the fifth day has begun; it may have been made before midnight.
    before = (datetime.now(UTC) + timedelta(days=5, minutes=-1)).date().isoformat()
    assert shown.pop("Good until") in {f"{day}, in 4 days", f"{before}, in 4 days"}
    assert shown == {"Of": "leaf", "By": "middle", "Names": "localhost, 127.0.0.1"}
    assert "ends soon" in panel
    # The answer is a good one, and the warning says how long is left.
    assert "[CERTIFICATE_EXPIRATION] (4d) &gt; 14d" in line, line
