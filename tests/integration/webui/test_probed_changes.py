"""What is done to services that are probed: many at once, removed, a heartbeat's address."""

import asyncio
import re
import time

import aiohttp

from tests.fakes.target import Target
from tests.integration.webui.probing import FORM, get, post, service, until
from tests.integration.webui.site import CSRF, Site


async def test_of_45_the_20_that_match_are_paused_together_and_the_counts_show_them_apart(
    site: Site, target: Target
) -> None:
    browser = site.browser("operator")
    for number in range(45):
        # What the filter leaves out is like the others but for the one or the other.
        name, tag = ("shop" if number < 32 else "bank"), ("prod" if number < 20 or number >= 32 else "dev")
        path = "/matches" if number < 20 else f"/other-{number}"
        await post(browser, "/services", name=f"{name}-{number:02d}", url=target.url(path), tags=tag)
    ids = {row["name"]: row["id"] for row in site.worker.database.rows("monitored.page", after="", limit=99)}
    shown = await get(browser, "/services?q=shop&tag=prod")
    assert len(re.findall(r'<li id="probed-\d+"', shown)) == 20
    where, _ = await post(browser, "/services/bulk", which="all", q="shop", tag="prod", action="pause")
    text = await get(browser, where)
    assert "20 services paused." in text
    assert len(re.findall(r'<li id="probed-\d+"', text)) == 20  # the filter is as it was
    rows = site.worker.database.rows("monitored.page", after="", limit=99)
    paused = {row["name"] for row in rows if row["paused"]}
    assert paused == {f"shop-{number:02d}" for number in range(20)}
    assert {row["status"] for row in rows if row["name"] in paused} == {"paused"}
    await asyncio.sleep(0.3)  # what was on its way has come
    target.arrivals.clear()
    for number in range(20, 45):
        end = time.monotonic() + 8
        while not target.to(f"/other-{number}"):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
    assert target.to("/matches") == []
    assert "<b>20</b><span>paused</span>" in await get(browser, "/services?status=paused")
    picked = [("ids", str(ids[f"shop-{number:02d}"])) for number in range(3)] + [("ids", "998"), ("ids", "999")]
    data = [("csrf", CSRF), *picked, ("action", "resume")]
    async with browser.post("/services/bulk", data=data) as response:
        text = await response.text()
    assert "3 resumed, 2 could not be: there is no service 998;" in text
    async with browser.post("/services/bulk", data=data, headers={"Accept": "application/json"}) as response:
        found = await response.json()
    assert (len(found["done"]), sorted(found["failed"])) == (3, ["998", "999"])
    _, text = await post(browser, "/services/bulk", 422, action="pause")
    assert "Pick the services" in text
    async with site.browser("viewer").post("/services/bulk", data={**FORM, "action": "pause"}) as response:
        assert response.status == 403


async def test_removing_asks_first_and_takes_all_with_it(site: Site, target: Target) -> None:
    browser = site.browser("operator")
    target.answer("/first", status=503)
    for name, path in (("first-of-all", "/first"), ("two", "/"), ("three", "/")):
        await post(browser, "/services", name=name, url=target.url(path))
    await until(site, "first-of-all", lambda row: row["incident_id"] is not None)
    shows = ("/", "/services", "/incidents", "/services/wall")
    for path in shows:
        assert "first-of-all" in await get(browser, path), path
    assert "<b>3</b><span>all</span>" in await get(browser, "/partials/dashboard-stats")
    id_ = service(site, "first-of-all")
    asked = await get(browser, f"/services/{id_}/remove")
    for words in ("Remove first-of-all?", "It is probed no more.", "Its findings, sums and incidents go with it,"):
        assert words in asked, words
    assert len(site.worker.database.rows("monitored.page", after="", limit=9)) == 3
    where, _ = await post(browser, f"/services/{id_}/remove")
    assert "1 service removed." in await get(browser, where)
    await get(browser, "/services/first-of-all", 404)
    # Of its history nothing is left, on no page and in no count.
    for path in shows:
        assert "first-of-all" not in await get(browser, path), path
    stats = await get(browser, "/partials/dashboard-stats")
    assert "<b>2</b><span>all</span>" in stats
    assert "<b>0</b><span>down</span>" in stats
    await get(browser, "/incidents/1", 404)
    await get(browser, f"/services/{id_}/edit", 404)
    await post(browser, f"/services/{id_}/remove", 404)
    await post(browser, f"/services/{id_}/edit", 404, name="first-of-all")
    _, text = await post(browser, "/services/bulk", 200, which="all", action="remove")
    for words in ("Remove 2 services?", "They are probed no more.", "Their findings, sums and incidents go with them,"):
        assert words in text, words
    ids = re.search(r'name="ids" value="([\d,]+)"', text)
    assert ids is not None
    where, _ = await post(browser, "/services/bulk", action="remove", sure="yes", ids=ids[1])
    assert "2 services removed." in await get(browser, where)
    assert site.worker.database.rows("monitored.page", after="", limit=9) == []


async def test_a_job_tells_of_itself_at_an_address_that_is_shown_once(site: Site) -> None:
    browser = site.browser("operator")
    _, text = await post(browser, "/services", 201, name="backup", url="heartbeat:", interval="60")
    found = re.search(r"(http://[^<]+)(/heartbeat/[\w-]{20,})<", text)
    assert found is not None
    assert found[1] == site.origin
    address, id_ = found[2], service(site, "backup")
    assert address not in await get(browser, "/services/backup")
    job = aiohttp.ClientSession(site.origin, headers={"Host": "elsewhere.example", "Origin": "https://evil.example"})
    async with job:
        for method, end, status in (
            ("GET", "", "healthy"), ("POST", "/fail", "down"), ("HEAD", "", "healthy"), ("GET", "/2", "down"),
            ("POST", "/0", "healthy"), ("GET", "/start", "healthy"),
        ):  # fmt: skip
            async with job.request(method, address + end, data=b"the log" if method == "POST" else None) as response:
                assert response.status == 200, (method, end)
                assert await response.text() == ("" if method == "HEAD" else "OK\n")
            await until(site, "backup", lambda row, status=status: row["status"] == status)  # type: ignore[misc]
        for wrong in ("/heartbeat/" + "x" * 32, f"{address}/no", "/heartbeat/" + "x" * 200):
            async with job.get(wrong) as response:
                assert response.status == 404
    _, text = await post(browser, f"/services/{id_}/push", 201)
    again = re.search(r"(/heartbeat/[\w-]{20,})<", text)
    assert again is not None
    assert again[1] != address
    async with site.browser(None).get(address) as response:
        assert response.status == 404
