"""The page of maintenance windows: now, to come, over; planned once, weekly, by cron; begun for some services."""

import re
from typing import Any

from ipc.messages.incidents import AddWindow
from tests.fakes.target import Target
from tests.integration.webui import rows
from tests.integration.webui.probing import get, post, service, until
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import until as said_until

FORM: dict[str, Any] = {"title": "upgrade <now>", "minutes": "45", "services": "web", "tags": ""}


def places(text: str) -> dict[str, list[str]]:
    """The titles below each heading."""
    found = {}
    for place in ("now", "coming", "over"):
        part = text.partition(f'id="windows-{place}"')[2].partition("</section>")[0]
        found[place] = re.findall(r'<p class="name"><b>(.*?)</b>', part)
    return found


async def test_windows_are_planned_in_each_way_listed_by_place_and_removed_after_a_question(site: Site) -> None:
    rows.probed(site.worker.database, "web")
    window = '{"title": "gone", "minutes": 45, "starts_at": "2026-01-31T22:00:00.000Z", "services": ["web"]}'
    site.worker.database.value("windows.add", title="gone", definition=window, now="2026-01-30T00:00:00.000Z", by="ada")
    browser = site.browser("operator")
    text = await get(browser, "/maintenance")
    assert "No window goes on." in text
    assert (await post(browser, "/maintenance", **FORM, when="now"))[0] == "/maintenance?said=begun"
    for more in (
        {"title": "late", "when": "once", "starts_at": "2126-01-31T22:00", "zone": "Europe/Berlin"},
        {"title": "weekly", "when": "weekly", "day": "3", "time": "02:30", "zone": "Europe/Berlin"},
        {"title": "cron", "when": "cron", "cron": "0 4 1 * *", "services": "", "tags": "*"},
    ):
        await post(browser, "/maintenance", **{**FORM, **more})
    past = {"title": "past", "when": "once", "starts_at": "2026-01-31T22:00"}
    assert "it would be over already" in (await post(browser, "/maintenance", 422, **{**FORM, **past}))[1]
    text = await get(browser, "/maintenance?said=begun")
    assert "The window has begun." in text
    assert places(text)["now"] == ["upgrade &lt;now&gt;"]
    assert sorted(places(text)["coming"]) == ["cron", "late", "weekly"]
    assert places(text)["over"] == ["gone"]
    assert "every Wed at 02:30 Europe/Berlin, for 45 min" in text
    assert "once, from 2126-01-31 21:00 UTC" in text
    assert "by cron 0 4 1 * *, UTC" in text
    sent = [request.window for request in site.worker.requests if isinstance(request, AddWindow)]
    assert [window.cron for window in sent] == ["", "", "30 2 * * 3", "0 4 1 * *", ""]
    actions = [row["action"] for row in site.worker.database.rows("audit.page", before=1 << 40, limit=9)]
    assert actions.count("maintenance.added") == 4
    number = re.search(r'href="/maintenance/(\d+)/remove" data-ask>End', text)
    assert number is not None
    question = await get(browser, f"/maintenance/{number[1]}/remove")
    assert "Remove the window upgrade &lt;now&gt;?" in question
    assert "What fails is told of again" in question
    await post(browser, f"/maintenance/{number[1]}/remove")
    assert places(await get(browser, "/maintenance"))["now"] == []
    await get(browser, f"/maintenance/{number[1]}/remove", 404)
    await post(browser, f"/maintenance/{number[1]}/remove", 404)
    async with browser.get("/maintenance", headers={"Accept": "application/json"}) as response:
        found = (await response.json())["windows"]
    assert {one["window"]["title"] for one in found} == {"late", "gone", "weekly", "cron"}


async def test_a_form_that_is_sent_twice_plans_one_window(site: Site) -> None:
    rows.probed(site.worker.database, "web")
    browser = site.browser("operator")
    for page, path, more in (
        ("/maintenance", "/maintenance", {**FORM, "when": "now"}),
        ("/services/web", f"/services/{service(site, 'web')}/maintain", {"minutes": "30"}),
    ):
        before = len(site.worker.database.rows("windows.all", limit=9))
        form = (await get(browser, page)).partition(f'action="{path}"')[2].partition("</form>")[0]
        key = re.search(r'name="key" value="(\w+)"', form)
        assert key is not None, page
        answers = [await post(browser, path, **more, key=key[1]) for _ in range(2)]
        assert answers[0][0] == answers[1][0]
        assert len(site.worker.database.rows("windows.all", limit=9)) == before + 1
        await post(browser, path, **more, key="another" + key[1])
        assert len(site.worker.database.rows("windows.all", limit=9)) == before + 2
    actions = [row["action"] for row in site.worker.database.rows("audit.page", before=1 << 40, limit=9)]
    assert actions.count("maintenance.added") == 4


async def test_what_can_not_be_is_said_beside_its_field_and_what_was_written_stays(site: Site) -> None:
    browser = site.browser("operator")
    for fields, field, said in (
        ({"title": ""}, "title", "Say what is done"),
        ({"services": "nobody"}, "services", "There is no service &#39;nobody&#39;"),
        ({"services": "", "tags": ""}, "services", "name the services or the tags"),
        ({"minutes": "soon", "tags": "*", "services": ""}, "minutes", "A whole number"),
        ({"when": "once", "starts_at": "soon"}, "starts_at", "A date and a time"),
        ({"when": "once", "starts_at": "2126-01-31T22:00", "zone": "Mars/Olympus"}, "zone", "is no time zone"),
        ({"when": "weekly", "time": "02:30"}, "day", "Choose a day"),
        ({"when": "weekly", "day": "1", "time": "25:00"}, "time", "A time of day"),
        ({"when": "cron", "cron": "61 * * * *", "services": "", "tags": "*"}, "cron", "61"),
    ):  # fmt: skip
        _, text = await post(browser, "/maintenance", 422, **{**FORM, "title": "keep <this>", **fields})
        beside = text.split(f'id="wrong-{field}">')[1].split("</p>")[0]
        assert said in beside, (field, beside)
        if "title" not in fields:
            assert 'value="keep &lt;this&gt;"' in text
    assert site.worker.database.rows("windows.all", limit=9) == []
    viewer = site.browser("viewer")
    assert "Plan a window" not in await get(viewer, "/maintenance")
    async with viewer.post("/maintenance", data={"csrf": CSRF, **FORM}) as response:
        assert response.status == 403


async def test_half_an_hour_now_for_one_service_and_for_those_that_are_picked(site: Site, target: Target) -> None:
    browser = site.browser("operator")
    for name in ("web", "db", "cache"):
        await post(browser, "/services", name=name, url=target.url(f"/{name}"), tags="prod")
        await until(site, name, lambda row: row["status"] == "healthy")
    id_ = service(site, "web")
    text = await get(browser, "/services/web")
    assert f'action="/services/{id_}/maintain"' in text
    events = read(browser, f"/live?page=service&shown={id_}")
    await said_until(events, lambda said: said.event == "beat")
    where, _ = await post(browser, f"/services/{id_}/maintain", minutes="30")
    assert where == "/services/web"
    said = await said_until(events, lambda said: "toast" in said.data)
    assert "web is in maintenance" in said.data
    assert (site.worker.database.one("monitored.one", id=id_) or {})["status"] == "maintenance"
    await events.aclose()
    where, _ = await post(
        browser,
        "/services/bulk",
        ids=f"{service(site, 'db')},{service(site, 'cache')},4711",
        action="maintain",
        status=200,
    )
    assert await until(site, "db", lambda row: row["status"] == "maintenance")
    assert await until(site, "cache", lambda row: row["status"] == "maintenance")
    windows = [request.window for request in site.worker.requests if isinstance(request, AddWindow)]
    assert [(window.minutes, window.services, window.title) for window in windows] == [
        (30, ("web",), "Maintenance of web"), (30, ("cache", "db"), "Maintenance of 2 services"),
    ]  # fmt: skip
    text = await get(browser, "/maintenance")
    assert places(text)["now"] == ["Maintenance of web", "Maintenance of 2 services"]
    assert re.search(r"ends <time [^>]*data-in>in (29|30) min", text)
