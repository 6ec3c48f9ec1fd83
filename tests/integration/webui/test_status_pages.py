"""Status pages: what anybody may see is what was chosen, and not a word more; what is not published is not there."""

import json
import re
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest

from daemon.services import rollups
from schema import timestamps
from schema.database import Database
from tests.integration.webui import rows
from tests.integration.webui.probing import get, post
from tests.integration.webui.site import CSRF, Site
from webui.pages import badges, public_read
from webui.rates import Rate

SECRETS = ("s3cret", "[STATUS]", "503", "ada", "example.org", "hidden-service", "session", "I look at the pool", "pa55")
PAGE: dict[str, Any] = {
    "slug": "shop",
    "title": "The <shop>",
    "description": "For all.",
    "tags": "public",
    "published": "yes",
}


def fill(database: Database) -> dict[str, int]:
    """A web that is down, with an incident that was looked at; others; one that is hidden."""
    began = timestamps.now()
    session = rows.insert(
        database, "sessions", tier=1, model="m", prompt_file="p", status="completed", started_at=began, ended_at=began
    )
    found = {
        "web <1>": rows.probed(
            database, "web <1>", "down", tags=("public", "secret-tag"), beats="hhtdpb", detail="[STATUS] (503) == 200",
            url="https://ada:pa55@web.example.org/s3cret", conditions=("[STATUS] == 200",),
            description="s3cret words", headers={"X": "s3cret"},
        ),
        "api": rows.probed(database, "api", "timeout", tags=("public",), group="Edge", beats="t"),
        "queue": rows.probed(database, "queue", group="Edge", beats="h"),
        "hidden-service": rows.probed(database, "hidden-service", "down", tags=("s3cret-tag",)),
    }  # fmt: skip
    for name in ("web <1>", "hidden-service"):
        rows.probed_incident(database, found[name], session_id=session)
    old = rows.probed_incident(database, found["queue"])
    database.change("incidents.end", id=old, now=timestamps.now(), by="ada")
    return found


class Words(HTMLParser):
    """The texts of a page, and the attributes that are no matter of form."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: set[tuple[str, str]] = set()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {(name, value or "") for name, value in attrs if name in ("href", "src", "aria-label", "id")}


SAYS = re.compile(
    r"The <shop>|For all\.|Something is down · The <shop>|Something is down|Going on|Maintenance|Services|Edge|queue"
    r"|api|web <1>|down|healthy"
    r"|since \d{4}-\d\d-\d\d \d\d:\d\d UTC|\d{4}-\d\d-\d\d \d\d:\d\d UTC|2 h 00 m|planned|goes on"
    r"|(24 h|7 days|30 days): (–|[\d.]+ %)|The last 14 days|over|was down for 2 h 00 m|from [\d-]+ [\d:]+ UTC"
    r"|Backups|Upgrade of the shop|all of it|[\d: -]+ UTC to [\d: -]+ UTC|Feed \(RSS\)|JSON"
)
NAMES = re.compile(
    r"/static/[\w.-]+(\?v=\w+)?|/status/shop(\.json|/feed\.rss)|#i-[\w-]+|main|i-[\w-]+|(group|open|over|planned)-?\w*"
    r"|Last \d checks?: [\w, ]+\."
)


async def test_the_whole_answer_holds_nothing_that_was_not_chosen(site: Site) -> None:
    fill(site.worker.database)
    rows.windows(site.worker.database)
    await post(site.browser("operator"), "/status-pages", **PAGE, groups="Edge")
    public = site.browser(None)
    text = await get(public, "/status/shop")
    words = Words()
    words.feed(text)
    assert [said for said in words.texts if not SAYS.fullmatch(said)] == []
    assert {name for _, name in words.attributes if not NAMES.fullmatch(name)} == set()
    assert [secret for secret in SECRETS if secret in text] == []
    assert re.findall(r"<script[^>]*>", text) == re.findall(
        r'<script type="module" src="/static/public\.js[^"]*">', text
    )
    async with public.get("/status/shop", headers={"Accept": "application/json"}) as response:
        assert response.headers["Cache-Control"] == "public, max-age=10"
        assert "Set-Cookie" not in response.headers
        found = await response.json()
    assert [secret for secret in SECRETS if secret in json.dumps(found)] == []
    assert set(found) == {"title", "description", "status", "at", "services", "incidents", "maintenance"}
    assert {key for one in found["services"] for key in one} == {"name", "group", "status", "uptime", "beats"}
    assert {key for one in found["incidents"] for key in one} == {"service", "began_at", "ended_at", "acknowledged"}
    assert {key for one in found["maintenance"] for key in one} == {"title", "begins_at", "ends_at", "now", "services"}
    assert [(one["name"], one["group"], one["status"]) for one in found["services"]] == [
        ("web <1>", "", "down"), ("api", "Edge", "down"), ("queue", "Edge", "healthy"),
    ]  # fmt: skip
    assert found["services"][0]["beats"] == "hhddhd"
    assert (found["status"], [one["service"] for one in found["incidents"]]) == ("down", ["web <1>", "queue"])
    assert [one["title"] for one in found["maintenance"]] == ["Backups"]
    uptime = found["services"][0]["uptime"]
    assert 0 < uptime["24 h"] < 1
    assert [secret for secret in SECRETS if secret in await get(public, "/status/shop/feed.rss")] == []


async def test_what_is_unknown_and_what_is_not_published_are_answered_alike(site: Site) -> None:
    fill(site.worker.database)
    operator, public = site.browser("operator"), site.browser(None)
    await post(operator, "/status-pages", **PAGE)
    assert "web &lt;1&gt;" in await get(public, "/status/shop")
    ends = ("", ".json", "/feed.rss", "/badge/api/status.svg", "/badge/api/uptime.svg")
    for end in ends:
        await get(public, f"/status/shop{end}")
    edit = re.search(r'href="(/status-pages/\d+)/edit"', await get(operator, "/status-pages"))
    assert edit is not None
    await post(operator, f"{edit[1]}/edit", **{**PAGE, "published": ""})

    async def answer(path: str, who: str | None) -> tuple[int, str, dict[str, Any]]:
        async with site.browser(who).get(path) as response:
            kept = {name: value for name, value in response.headers.items() if name not in ("Date", "Set-Cookie")}
            return response.status, re.sub(r'value="[\w-]{20,}"', "", await response.text()), kept

    for who in (None, "admin"):  # whoever is signed in sees it where it is managed, and nowhere else
        for end in ends:
            hidden, unknown = await answer(f"/status/shop{end}", who), await answer(f"/status/shpp{end}", who)
            assert hidden == unknown
            assert hidden[0] == 404
    await get(public, "/status/" + "x" * 3000, 404)
    assert "web &lt;1&gt;" in await get(site.browser("viewer"), f"{edit[1]}/preview")
    async with public.get(f"{edit[1]}/preview", allow_redirects=False) as response:
        assert response.headers["Location"].startswith("/sign-in")
    await get(operator, "/status-pages/4711/preview", 404)


async def test_a_badge_and_a_feed_are_read_by_other_programs_on_other_pages(site: Site) -> None:
    fill(site.worker.database)
    await post(site.browser("operator"), "/status-pages", **PAGE, services="queue")
    public = site.browser(None)
    for path, words in (
        ("web%20%3C1%3E/status", "web <1>: down"),
        ("queue/status", "queue: healthy"),
        ("queue/uptime", "queue 30d: 100 %"),
        ("web%20%3C1%3E/uptime", "web <1> 30d: 91.66 %"),
        ("queue/uptime.svg?range=24h", "queue 24h: 100 %"),
    ):
        address = f"/status/shop/badge/{path}" if ".svg" in path else f"/status/shop/badge/{path}.svg"
        async with public.get(address) as response:
            assert response.content_type == "image/svg+xml"
            assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            drawn = ET.fromstring(await response.text())
        said = drawn.find("{http://www.w3.org/2000/svg}title")
        assert said is not None
        assert (said.text or "")[:12] == words[:12]
    for path in ("hidden-service/status", "queue/latency", "queue/uptime.svg?range=9y", "nobody/status"):
        address = f"/status/shop/badge/{path}" if ".svg" in path else f"/status/shop/badge/{path}.svg"
        await get(public, address, 404)
    channel = ET.fromstring(await get(public, "/status/shop/feed.rss")).find("channel")
    assert channel is not None
    assert channel.findtext("title") == "The <shop>"
    assert [item.findtext("title") for item in channel.iter("item")] == ["web <1> is down", "queue was down"]
    assert channel.findtext("link") == f"{site.origin}/status/shop"


async def test_how_fast_a_service_answers_is_told_where_its_page_says_so_and_nowhere_else(site: Site) -> None:
    database = site.worker.database
    id_ = rows.probed(database, "web", tags=("public",), beats="h" * 9)
    now = int(time.time() * 1000)
    hour = now // 3_600_000 * 3_600_000 - 2 * 3_600_000
    for number in range(100):
        database.change("results.add", service_id=id_, at=hour + number, beat="h", latency_us=80_000, phases=None,
                        detail=None)  # fmt: skip
    rollups.roll_one(database, id_, hour, hour + 3_600_000)
    operator, public = site.browser("operator"), site.browser(None)
    await post(operator, "/status-pages", **PAGE)
    badge = "/status/shop/badge/web/latency.svg"
    await get(public, badge, 404)
    assert "answers in" not in await get(public, "/status/shop")
    assert "latency" not in await get(public, "/status/shop.json")
    await post(operator, "/status-pages/1/edit", **PAGE, latency="yes")
    told = re.search(r"answers in (\d+) ms \(p50, 24 h\)", await get(public, "/status/shop"))
    assert told is not None
    assert int(told[1]) in (79, 80, 81)  # of a sum: within 1 %
    async with public.get("/status/shop.json") as response:
        (one,) = (await response.json())["services"]
    assert one["latency_ms"] == pytest.approx(80, rel=0.011)
    said = ET.fromstring(await get(public, badge)).find("{http://www.w3.org/2000/svg}title")
    assert said is not None
    assert said.text == f"web p50 24h: {told[1]} ms"
    await get(public, "/status/shop/badge/nobody/latency.svg", 404)
    # A box that is not ticked takes it back.
    await post(operator, "/status-pages/1/edit", **PAGE)
    await get(public, badge, 404)


async def test_they_are_added_edited_and_removed_by_operators_with_a_line_each_in_the_audit_log(site: Site) -> None:
    fill(site.worker.database)
    browser = site.browser("operator")
    assert "No status page yet" in await get(browser, "/status-pages")
    _, text = await post(browser, "/status-pages", 422, slug="Not So", title="", services="nobody\nqueue")
    for field, said in (("slug", "small letters"), ("title", "give it a title"), ("services", "&#39;nobody&#39;")):
        assert said in text.split(f'id="wrong-{field}">')[1].split("</p>")[0]
    assert 'value="Not So"' in text
    assert (await post(browser, "/status-pages", **PAGE))[0] == "/status-pages?said=added"
    _, text = await post(browser, "/status-pages", 422, **PAGE)
    assert "has the address &#39;shop&#39; already" in text
    _, text = await post(browser, "/status-pages", 422, slug="none", title="x", published="yes")
    assert "choose what it shows" in text
    text = await get(browser, "/status-pages")
    assert "tag public" in text
    assert "2 services now" in text
    edit = re.search(r'href="(/status-pages/\d+)/edit"', text)
    assert edit is not None
    form = await get(browser, f"{edit[1]}/edit")
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version is not None
    await post(browser, f"{edit[1]}/edit", version=version[1], **{**PAGE, "title": "theirs"})
    _, text = await post(browser, f"{edit[1]}/edit", 409, version=version[1], **{**PAGE, "title": "mine"})
    differs = text.split('id="differs"')[1].split("</div>")[0]
    assert "theirs" in differs
    assert 'value="mine"' in text
    again = re.search(r'name="version" value="(\d+)"', text)
    assert again is not None
    await post(browser, f"{edit[1]}/edit", version=again[1], **{**PAGE, "title": "mine", "slug": "elsewhere"})
    await get(site.browser(None), "/status/shop", 404)
    assert "mine" in await get(site.browser(None), "/status/elsewhere")
    assert "Remove the status page mine?" in await get(browser, f"{edit[1]}/remove")
    await post(browser, f"{edit[1]}/remove")
    await get(site.browser(None), "/status/elsewhere", 404)
    await get(browser, f"{edit[1]}/edit", 404)
    lines = site.worker.database.rows("audit.page", before=1 << 40, limit=9)
    assert [(row["action"], row["subject"]) for row in lines][:4] == [
        ("status_page.removed", "elsewhere"), ("status_page.changed", "elsewhere"), ("status_page.changed", "shop"),
        ("status_page.added", "shop"),
    ]  # fmt: skip
    viewer = site.browser("viewer")
    assert "Add a status page" not in await get(viewer, "/status-pages")
    async with viewer.post("/status-pages", data={"csrf": CSRF, **PAGE}) as response:
        assert response.status == 403


async def test_however_often_it_is_asked_it_is_read_once_in_a_while_and_one_address_may_ask_so_often(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site.worker.database)
    await post(site.browser("operator"), "/status-pages", **PAGE)
    made = []
    read = public_read.read

    def counted(*asked: Any) -> Any:
        made.append(1)
        return read(*asked)

    monkeypatch.setattr(public_read, "read", counted)
    site.parts.public.rate = Rate(30, 60.0)
    public = site.browser(None)
    for _ in range(30):
        await get(public, "/status/shop")
    assert len(made) == 1
    async with public.get("/status/shop") as response:
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60


def test_who_asks_too_often_waits_for_the_end_of_the_window_and_others_do_not() -> None:
    rate = Rate(2, 60.0)
    assert [rate.wait("a", at) for at in (0.0, 1.0, 2.0)] == [0.0, 0.0, 58.0]
    assert rate.wait("b", 2.0) == 0.0
    assert rate.wait("a", 60.0) == 0.0


def test_a_badge_is_no_wider_than_its_bound_and_stays_whole_whatever_the_name_is() -> None:
    for label in ("x" * 500, '"><script>', "\x00\x1b&amp;", "ü" * 3):
        drawn = ET.fromstring(badges.draw(label, "100 %", "ok"))
        assert int(drawn.attrib["width"]) < 500
        assert drawn.attrib["aria-label"].endswith(": 100 %")


async def test_programs_manage_them_through_the_api(site: Site) -> None:
    fill(site.worker.database)
    browser = site.browser("operator")
    headers = {"X-CSRF-Token": CSRF}
    page = {"slug": "shop", "title": "The shop", "published": True, "tags": ["public"]}
    async with browser.post("/api/v1/status-pages", json=page, headers=headers) as response:
        assert response.status == 201
        stored = await response.json()
    assert "web &lt;1&gt;" in await get(site.browser(None), "/status/shop")
    body = {"version": stored["version"], "page": {**page, "published": False}}
    for status in (200, 409):
        async with browser.put(f"/api/v1/status-pages/{stored['id']}", json=body, headers=headers) as response:
            assert response.status == status, await response.text()
    await get(site.browser(None), "/status/shop", 404)
    async with browser.post("/api/v1/status-pages", json={**page, "slug": "No"}, headers=headers) as response:
        assert response.status == 400
        assert "small letters" in (await response.json())["error"]
    async with browser.get("/api/v1/status-pages") as response:
        assert [one["page"]["slug"] for one in (await response.json())["pages"]] == ["shop"]
    async with browser.delete(f"/api/v1/status-pages/{stored['id']}", headers=headers) as response:
        assert response.status == 204
    ids = [row["id"] for row in site.worker.database.rows("monitored.page", after="", limit=9)]
    tags = {"ids": ids, "add": ["night"], "remove": ["public"]}
    async with browser.post("/api/v1/services/tag", json=tags, headers=headers) as response:
        assert (await response.json())["done"] == ids
    rows_ = site.worker.database.rows("monitored.page", after="", limit=9)
    assert all("night" in row["tags"] and "public" not in row["tags"] for row in rows_)


async def test_a_slash_at_the_end_leads_to_the_page_and_to_no_sign_in(site: Site) -> None:
    async with site.browser(None).get("/status/shop%2F/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/status/shop%2F")
