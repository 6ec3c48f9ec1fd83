"""The pages of incidents: a list that the address narrows down, one with its timeline, and what people say of it."""

import re
from typing import Any

from schema import timestamps
from schema.database import Database
from tests.integration.webui import rows
from tests.integration.webui.probing import get, post
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import until


def fill(database: Database) -> dict[str, int]:
    """A shop that is down and looked at, a db that was; and a cache in another place."""
    began = timestamps.now()
    session = rows.insert(
        database, "sessions", tier=1, model="m", prompt_file="p", status="completed", started_at=began, ended_at=began
    )
    ids = {}
    for name, tags in (("<shop>", ("prod",)), ("db", ("prod", "eu")), ("cache", ("dev",))):
        service = rows.probed(database, name, "down", tags=tags, beats="hd")
        ids[name] = rows.probed_incident(database, service, session_id=session if name == "<shop>" else None)
    database.change("incidents.end", id=ids["db"], now=timestamps.now(), by="probe")
    return ids


def listed(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="incident-(\d+)"', text)]


async def test_the_list_says_what_broke_how_long_and_who_looks_after_it_and_the_address_narrows_it(site: Site) -> None:
    ids = fill(site.worker.database)
    browser = site.browser("viewer")
    text = await get(browser, "/incidents")
    # What goes on comes before what is over, however new that is.
    assert listed(text) == [ids["cache"], ids["<shop>"], ids["db"]]
    async with browser.get("/incidents.json") as response:
        assert [one["id"] for one in (await response.json())["incidents"]] == [ids["cache"], ids["db"], ids["<shop>"]]
    shop = text.split(f'<li id="incident-{ids["<shop>"]}"')[1].split("</li>")[0]
    assert "&lt;shop&gt;" in shop
    assert "[STATUS] (503) == 200" in shop
    assert "for 2 h 00 m" in shop
    assert "nobody looks after it yet" in shop
    assert re.search(r'href="/sessions/\d+">session #', shop)
    assert ">over<" in text.split(f'<li id="incident-{ids["db"]}"')[1].split("</li>")[0]
    for query, wanted in (
        ("state=open", ["cache", "<shop>"]), ("state=closed", ["db"]), ("tag=PROD", ["<shop>", "db"]),
        ("state=open&tag=prod", ["<shop>"]), ("service=db", ["db"]), ("service=db&state=open", []),
        ("service=db&tag=eu&state=closed", ["db"]), ("service=nobody", []),
    ):  # fmt: skip
        assert listed(await get(browser, f"/incidents?{query}")) == [ids[name] for name in wanted], query
    assert "No incident matches" in await get(browser, "/incidents?service=nobody")
    assert "is no state" in await get(browser, "/incidents?state=sleepy", 422)
    async with browser.get("/incidents?state=closed", headers={"Accept": "application/json"}) as response:
        found = await response.json()
    assert [(one["service"], one["ended_by"]) for one in found["incidents"]] == [("db", "probe")]
    assert found["open"] == 2


async def test_the_list_goes_on_below_the_last_of_a_page(site: Site) -> None:
    service = rows.probed(site.worker.database, "web", "down")
    made = [rows.probed_incident(site.worker.database, service) for _ in range(60)][::-1]
    browser = site.browser("viewer")
    for query in ("", "?state=open", "?service=web"):
        text = await get(browser, f"/incidents{query}")
        assert listed(text) == made[:50]
        older = re.search(r'href="([^"]+)" rel="next"', text)
        assert older is not None
        text = await get(browser, older[1].replace("&amp;", "&"))
        assert listed(text) == made[50:]
        assert "Newest" in text


async def test_one_has_facts_and_a_timeline_and_takes_notes_of_operators(site: Site) -> None:
    number = fill(site.worker.database)["<shop>"]
    browser = site.browser("operator")
    text = await get(browser, f"/incidents/{number}")
    assert "I look at the pool." in text.split('id="incident-timeline"')[1].split("</section>")[0]
    facts = text.split('id="incident-facts"')[1].split("</section>")[0]
    assert 'href="/services/%3Cshop%3E"' in facts
    assert 'href="/incidents?service=%3Cshop%3E"' in facts
    assert "nobody yet" in facts
    stream = re.search(r'data-stream="([^"]+)"', text)
    assert stream is not None
    events = read(browser, stream[1].replace("&amp;", "&"))
    mark = re.search(r'id="services-mark"[^>]*data-mark="([^"]+)"', text)
    assert mark is not None
    await until(events, lambda said: said.event == "beat")
    # Sent with what makes a form sent twice one action.
    for _ in range(2):
        noted: dict[str, Any] = {"from": "incident", "key": "k" * 16}
        where, _ = await post(browser, f"/incidents/{number}", text="the <pool> is full", acknowledge="1", **noted)
        assert where == f"/incidents/{number}"
    said = await until(events, lambda said: 'id="services-mark"' in said.data and f'"{mark[1]}"' not in said.data)
    assert "data-renews=" in said.data
    await events.aclose()
    text = await get(browser, where)
    assert text.count("the &lt;pool&gt; is full") == 1
    assert "I look after it" not in text
    assert "<dd>operator</dd>" in text
    actions = [row["action"] for row in site.worker.database.rows("audit.page", before=1 << 40, limit=9)]
    assert {"incident.acknowledged", "incident.noted"} <= set(actions)
    async with browser.get(f"/incidents/{number}.json") as response:
        assert [entry["kind"] for entry in (await response.json())["entries"]][-2:] == ["acknowledged", "note"]
    looks = await get(site.browser("viewer"), f"/incidents/{number}")
    assert 'method="post" action="/incidents/' not in looks
    async with site.browser("viewer").post(f"/incidents/{number}", data={"csrf": CSRF, "text": "x"}) as response:
        assert response.status == 403
    await get(browser, "/incidents/4711", 404)


async def test_the_overview_and_a_services_page_lead_to_them(site: Site) -> None:
    ids = fill(site.worker.database)
    browser = site.browser("viewer")
    text = await get(browser, "/")
    assert f'href="/incidents/{ids["<shop>"]}"' in text
    assert f'href="/incidents/{ids["db"]}"' not in text
    text = await get(browser, "/services/%3Cshop%3E")
    assert f'href="/incidents/{ids["<shop>"]}"' in text
    assert 'href="/incidents?service=%3Cshop%3E"' in text


async def test_the_overview_names_broken_what_is_down_and_not_what_people_have_put_in_maintenance(site: Site) -> None:
    for name, status in (("shop", "down"), ("billing", "maintenance")):
        rows.probed_incident(site.worker.database, rows.probed(site.worker.database, name, status))
    text = await get(site.browser("viewer"), "/")
    broken = text.split('id="attention"')[1].split("</section>")[0]
    assert "shop does not work" in broken
    assert "billing" not in broken
    assert "(1 down) Overview" in text
    newer = rows.probed_incident(site.worker.database, rows.probed(site.worker.database, "search", "down"))
    await post(site.browser("operator"), f"/incidents/{newer}", acknowledge="1")
    broken = (await get(site.browser("viewer"), "/")).split('id="attention"')[1].split("</section>")[0]
    # Somebody looks after the newer one; the other still wants somebody.
    assert broken.index("shop does not work") < broken.index("search does not work")


async def test_a_service_says_at_the_top_what_people_should_know_and_which_incident_goes_on(site: Site) -> None:
    database = site.worker.database
    id_ = rows.probed(database, "shop", "down", description="The front.\nRunbook: https://wiki.example.org/<shop>.")
    number = rows.probed_incident(database, id_)
    browser = site.browser("operator")
    head = (await get(browser, "/services/shop")).split('id="probed-head"')[1].split("</section>")[0]
    assert f'href="/incidents/{number}"' in head
    assert "nobody looks after it yet" in head
    assert 'The front.\nRunbook: <a class="textlink" href="https://wiki.example.org/" rel=' in head
    await post(browser, f"/incidents/{number}", acknowledge="1", text="See https://wiki.example.org/pool?a=1.\nAgain.")
    text = await get(browser, "/services/shop")
    assert "operator looks after it" in text.split('id="probed-head"')[1].split("</section>")[0]
    note = text.split('id="incident-list"')[1].split("</ol>")[0]
    assert 'href="https://wiki.example.org/pool?a=1" rel="noopener noreferrer"' in note
    assert "</a>.\nAgain." in note
    database.change("incidents.end", id=number, now=timestamps.now(), by="probe")
    head = (await get(browser, "/services/shop")).split('id="probed-head"')[1].split("</section>")[0]
    assert "/incidents/" not in head
