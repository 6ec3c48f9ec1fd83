"""Rows that are edited where they stand, tags for several at once, and what is said of services that change."""

import re
import time

from ipc.messages.services import ChangeService
from schema.states import ServiceStatus
from tests.fakes.target import Target
from tests.fixtures.probed import monitored
from tests.integration.webui import rows
from tests.integration.webui.probing import get, post, row_of, service, until
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import until as said_until
from webui.pages import toasts
from webui.pages.toasts import Turned


async def test_a_row_is_edited_in_the_list_by_a_plain_form_and_the_rest_of_the_service_stays(
    site: Site, target: Target
) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="web", url=target.url("/old"), tags="prod", conditions="[STATUS] == 200")
    await post(browser, "/services", name="other", url=target.url("/other"), tags="dev")
    id_ = service(site, "web")
    assert f'href="/services/{id_}/inline"' in row_of(await get(browser, "/services"), id_)
    async with browser.get(f"/services/{id_}/inline", headers={"Referer": f"{site.origin}/services?tag=prod"}) as found:
        text = await found.text()
    assert "other" not in text.split('id="services-list"')[1].split("</ul>")[0]
    row = row_of(text, id_)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', row))
    assert (fields["name"], fields["url"], fields["interval"], fields["tags"]) == (
        "web",
        target.url("/old"),
        "1s",
        "prod",
    )
    # The fields belong to the form of the list, whose other buttons go elsewhere.
    assert f'formaction="/services/{id_}/inline"' in row
    sent = {**fields, "url": target.url("/new"), "tags": "prod eu", "tag": "prod", "sort": "status"}
    async with browser.post(f"/services/{id_}/inline", data={"csrf": CSRF, **sent}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/services?tag=prod&sort=status&did=changed&done=1#probed-{id_}"
    found_row = await until(site, "web", lambda row: row["url"].endswith("/new") and row["status"] == "healthy")
    assert found_row["tags"] == "eu,prod"
    (message,) = [request for request in site.worker.requests if isinstance(request, ChangeService)]
    assert message.definition.conditions == ("[STATUS] == 200",)
    # The key makes a form that is sent twice one action; this is another form.
    sent = {**fields, "url": "ftp://x", "interval": "0s", "name": "keep <this>", "row_key": "k" * 16}
    async with browser.post(f"/services/{id_}/inline", data={"csrf": CSRF, **sent}) as answer:
        row = row_of(await answer.text(), id_)
        assert answer.status == 409  # somebody, who was this test, was faster
    assert "stored now:" in row
    sent["version"] = str(message.version + 1)
    async with browser.post(f"/services/{id_}/inline", data={"csrf": CSRF, **sent}) as answer:
        assert answer.status == 422
        row = row_of(await answer.text(), id_)
    for field, said in (("url", "a URL begins with"), ("interval", "between 1 s")):
        assert said in row.split(f'id="row-{field}-said">')[1].split("</p>")[0]
    assert 'value="keep &lt;this&gt;"' in row
    viewer = site.browser("viewer")
    assert "/inline" not in await get(viewer, "/services")
    await get(viewer, f"/services/{id_}/inline", 403)


async def test_a_row_from_an_old_version_is_shown_both_values_and_overwrites_nothing(
    site: Site, target: Target
) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="web", url=target.url("/first"), tags="prod")
    id_ = service(site, "web")
    fields = dict(
        re.findall(r'name="(\w+)" value="([^"]*)"', row_of(await get(browser, f"/services/{id_}/inline"), id_))
    )
    await post(browser, f"/services/{id_}/edit", version=fields["version"], url=target.url("/theirs"))
    mine = {"csrf": CSRF, **fields, "url": target.url("/mine")}
    async with browser.post(f"/services/{id_}/inline", data=mine) as answer:
        assert answer.status == 409
        row = row_of(await answer.text(), id_)
    assert target.url("/theirs") in row.split('id="row-url-said">')[1].split("</p>")[0]
    assert f'value="{target.url("/mine")}"' in row
    assert 'id="row-name-said"' not in row
    assert (await until(site, "web", lambda row: True))["url"] == target.url("/theirs")
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', row))
    async with browser.post(f"/services/{id_}/inline", data={"csrf": CSRF, **again}) as answer:
        assert answer.status == 200
    assert (await until(site, "web", lambda row: True))["url"] == target.url("/mine")
    await post(browser, f"/services/{id_}/remove")
    for headers in ({}, {"Accept": "application/json"}):
        async with browser.post(f"/services/{id_}/inline", data=mine, headers=headers) as answer:
            assert answer.status == 404
            assert f"there is no service {id_}" in await answer.text()


async def test_the_row_is_on_the_page_that_is_shown_wherever_it_stands_in_the_list(site: Site) -> None:
    with site.worker.database.transaction():
        ids = [rows.probed(site.worker.database, f"s{number:03d}", findings=False) for number in range(250)]
    text = await get(site.browser("operator"), f"/services/{ids[230]}/inline")
    assert "data-editing" in text.split(f'<li id="probed-{ids[230]}"')[1].split(">")[0]
    assert text.count("data-editing") == 1
    assert "201 to 250 of 250" in text


async def test_tags_are_given_to_and_taken_from_those_that_match_or_are_picked(site: Site) -> None:
    browser = site.browser("operator")
    for name, given in (("web", "prod"), ("db", "Prod eu"), ("cache", "dev")):
        await post(browser, "/services", name=name, url="tcp://127.0.0.1:1", tags=given, interval="60")
    where, _ = await post(browser, "/services/bulk", which="all", tag="prod", action="tag", bulk_tag="night, on-call")
    assert "1 service tagged." in await get(browser, where)

    def tags(name: str) -> set[str]:
        row = site.worker.database.one("monitored.one", id=service(site, name)) or {}
        return set(row["tags"].split(",")) if row["tags"] else set()

    assert (tags("web"), tags("db")) == ({"prod", "night", "on-call"}, {"Prod", "eu"})
    data = [("csrf", CSRF), *(("ids", str(service(site, name))) for name in ("web", "db", "cache")), ("ids", "4711")]
    async with browser.post("/services/bulk", data=[*data, ("action", "untag"), ("bulk_tag", "PROD")]) as response:
        assert "3 untagged, 1 could not be: there is no service 4711" in await response.text()
    assert (tags("web"), tags("db"), tags("cache")) == ({"night", "on-call"}, {"eu"}, {"dev"})
    lines = site.worker.database.rows("audit.page_by_action", action="service.changed", before=1 << 40, limit=9)
    assert [(row["subject"], row["detail"]) for row in lines] == [
        ("db", "tags: eu"), ("web", "tags: night, on-call"), ("web", "tags: prod, night, on-call"),
    ]  # fmt: skip
    _, text = await post(browser, "/services/bulk", 422, which="all", action="tag")
    assert "Write the tag" in text
    _, text = await post(browser, "/services/bulk", 409, which="all", action="tag", bulk_tag="x" * 300)
    assert "3 could not be" in text


async def test_a_change_is_said_once_and_who_was_away_is_told_when_back_whoever_serves_then(
    site: Site, target: Target
) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="<web>", url=target.url("/"))
    await until(site, "<web>", lambda row: row["status"] == "healthy")
    id_ = service(site, "<web>")
    stream = re.search(r'data-stream="([^"]+)"', await get(browser, "/services"))
    assert stream is not None
    path = stream[1].replace("&amp;", "&")
    events = read(browser, path)
    last = await said_until(events, lambda said: bool(said.id))
    target.answer("/", status=503)
    began = time.monotonic()
    said = await said_until(events, lambda said: "data-append=" in said.data)
    assert time.monotonic() - began < 2 + 1  # the interval is a second
    assert "&lt;web&gt; is down" in said.data
    assert f'<li id="probed-{id_}"' in said.data
    assert 'id="services-mark"' in said.data
    toast = re.search(r'id="(toast-[\d-]+)"', said.data)
    assert toast is not None
    await events.aclose()
    # From before it: by the browser's header, by the script's address, and to another process, which has other numbers.
    for number, (headers, more) in enumerate(
        (({"Last-Event-ID": last.id}, ""), ({}, f"&last={last.id}"), ({}, f"&last=another:{last.id.split(':', 1)[1]}"))
    ):
        events = read(browser, path + more, headers)
        again = await said_until(events, lambda said: "data-append=" in said.data)
        assert toast[1] in again.data, number
        assert ">down<" in again.data
        await events.aclose()
    # Who has seen it is not told again: the number after it says so, or, of another process, the time.
    events = read(browser, f"{path}&last={said.id.rsplit(':', 1)[0]}:{round(time.time() * 1000)}")
    first = await said_until(events, lambda said: said.event == "beat")
    assert "toast" not in first.data
    await events.aclose()


def test_what_is_tried_or_not_known_is_not_said_and_many_are_said_as_one() -> None:
    healthy, down = ServiceStatus.HEALTHY, ServiceStatus.DOWN
    web = monitored(1, "web", healthy)
    for before, said in (
        (down, True), (ServiceStatus.TIMEOUT, True), (None, True), (ServiceStatus.MAINTENANCE, True),
        (ServiceStatus.PENDING, False), (ServiceStatus.UNKNOWN, False), (healthy, False), (ServiceStatus.PAUSED, False),
    ):  # fmt: skip
        assert bool(toasts.told([Turned(web, before)])) is said, before
    for status in (ServiceStatus.PENDING, ServiceStatus.UNKNOWN, ServiceStatus.PAUSED):
        assert toasts.told([Turned(monitored(1, "web", status), healthy)]) == []
    found = [Turned(monitored(number, "x" * 300, down if number % 2 else healthy), None) for number in range(9)]
    assert toasts.together(found).text == "9 services changed: 4 down, 5 healthy"
    assert len(toasts.one(found[1]).text) <= 120
