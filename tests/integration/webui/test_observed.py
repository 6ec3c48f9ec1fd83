"""Services as sessions observed them, the cost page, and the overview's order, over a real database."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ipc.errors import CallError, Code
from ipc.messages.settings import ListSettings, SetSetting, SettingReply
from schema import timestamps
from tests.integration.webui import rows
from tests.integration.webui.site import Site, open_site

HOUR = 3600.0
STAMP = "2026-01-31T08:05:00.000000000Z\t"


async def text_of(site: Site, path: str, role: str = "viewer", status: int = 200) -> str:
    async with site.browser(role).get(path) as response:
        text = await response.text()
    assert response.status == status, text
    return text


async def json_of(site: Site, path: str) -> Any:
    async with site.browser("viewer").get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def looked_at(site: Site, name: str, status: str = "healthy", **columns: Any) -> None:
    """What is known of a service, with its newest check."""
    detail = columns.pop("detail", None)
    rows.health(site.worker.database, name, status, **columns)
    rows.check(site.worker.database, name, status, 1, error_detail=detail)


def ids(text: str) -> list[str]:
    """The ids of a page's parts in their order."""
    wanted = ("attention", "service-list", "running", "waiting", "figures", "recent")
    return [name for name in re.findall(r'<section[^>]* id="([\w-]+)"', text) if name in wanted]


async def test_the_overview_is_in_the_order_of_somebody_woken_at_night(site: Site) -> None:
    session = site.worker.session(tier=2, log=b"")
    looked_at(site, "payments", "down", detail="HTTP 503")
    looked_at(site, "search", "degraded", detail="p95 is 4 s")
    looked_at(site, "catalog")
    looked_at(site, "old", "down", last_checked_at=timestamps.at(time.time() - 2 * 86400))
    rows.event(site.worker.database, "the disk of db-2 is full", level="critical", session_id=session)
    approval = rows.approval(site.worker.database, session)
    text = await text_of(site, "/")
    assert ids(text) == ["attention", "service-list", "running", "waiting", "figures", "recent"]
    attention = text.split('id="attention"')[1].split("</section>")[0]
    places = [attention.index(words) for words in (
        "payments down:", "the disk of db-2 is full", "search degraded:", "Waits for a person",
        f"/approvals/{approval}",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "old down" not in attention  # nobody has looked for two days: it may be up by now
    assert "HTTP 503" in attention
    assert "1 of 4 healthy" in text


async def test_dashboard_is_another_name_of_the_overview(site: Site) -> None:
    assert ids(await text_of(site, "/dashboard")) == ids(await text_of(site, "/"))


async def test_when_the_next_session_starts_or_why_nobody_knows(site: Site) -> None:
    async def shown(*words: str) -> None:
        async with asyncio.timeout(10):
            text = ""
            while not all(word in text for word in words):
                await asyncio.sleep(0.05)
                text = (await text_of(site, "/")).split('id="figures"')[1]

    at = timestamps.at(time.time() + 2 * HOUR)
    site.worker.next_run_at = at
    await shown(f'<time datetime="{at}"')
    assert (await json_of(site, "/overview.json"))["next_run_at"] == at
    site.worker.next_run_at = None
    await shown("not set yet")
    assert (await json_of(site, "/overview.json"))["next_run_at"] is None
    session = site.worker.session(log=b"x\n")
    await shown("counted from the end of the running session")
    site.worker.end(session)
    await site.worker.stop()
    await shown("not known while the worker is away")


async def test_where_the_schedule_is_off_the_overview_says_so(tmp_path: Path) -> None:
    async with open_site(tmp_path, schedule_enabled=False) as site:
        assert "the schedule is off" in await text_of(site, "/")


async def test_what_runs_shows_its_last_line_and_what_it_has_cost_so_far(site: Site) -> None:
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "docker ps --format '<json>'"}}
    event = {"type": "assistant", "message": {"id": "m", "content": [call]}}
    site.worker.session(tier=1, log=(STAMP + json.dumps(event) + "\n").encode(), estimated_usd=0.4)
    text = await text_of(site, "/")
    running = text.split('id="running"')[1].split("</section>")[0]
    assert "$ docker ps --format &#39;&lt;json&gt;&#39;" in running
    assert "≈ $0.40" in running
    assert "<dd>$0.40</dd>" in text.split('id="figures"')[1]


async def test_what_was_spent_stands_against_the_budget(tmp_path: Path) -> None:
    async with open_site(tmp_path, budget_day_usd=2.0) as site:
        site.worker.session(status="completed", cost_usd=1.7)
        site.worker.session(status="completed", cost_usd=3.0, started_at=timestamps.at(time.time() - 2 * 86400))
        text = await text_of(site, "/")
        figures = text.split('id="figures"')[1].split("</section>")[0]
        assert '<dd class="tone tone-warn">85 % of $2.00</dd>' in figures
        assert "<dd>$4.70</dd>" in figures
        found = await json_of(site, "/overview.json")
        assert found["spent_today_usd"] == 1.7
        assert found["spent_7_days_usd"] == 4.7
        assert found["budgets_of_day"] == {"budget_day_usd": 2.0}


async def test_the_service_list_is_a_bare_part_and_the_same_as_on_the_overview(site: Site) -> None:
    looked_at(site, "pay<ments>", "down")
    looked_at(site, "catalog")
    part = await text_of(site, "/partials/service-list")
    assert "<html" not in part
    assert part.strip().startswith("<section")
    assert "pay&lt;ments&gt;" in part
    assert f'href="/services/{quote("pay<ments>", safe="")}"' in part

    def without_ages(text: str) -> str:
        return re.sub(r"<time[^>]*>[^<]*</time>", "", " ".join(text.split()))

    assert without_ages(part.strip()) in without_ages(await text_of(site, "/"))
    async with site.browser(None).get("/partials/service-list", allow_redirects=False) as response:
        assert response.status in (303, 401)


async def test_the_overview_counts_the_services_that_are_probed_and_leads_to_each_status(site: Site) -> None:
    for name, status in (("web", "healthy"), ("db", "healthy"), ("search", "degraded"), ("old", "paused")):
        rows.probed(site.worker.database, name, status)
    part = await text_of(site, "/partials/service-list")
    counts = part.split("<nav")[1].split("</nav>")[0]
    assert re.findall(r'href="/services\?status=(\w+)".*?<b>(\d+)</b><span>(\w+)<', counts) == [
        ("degraded", "1", "degraded"), ("paused", "1", "paused"), ("healthy", "2", "healthy"),
    ]  # fmt: skip
    assert "No service is probed yet" not in part
    assert "As sessions found them" not in part
    looked_at(site, "catalog")
    assert "As sessions found them: 1 of 1 healthy" in await text_of(site, "/partials/service-list")
    # Nothing is red because of what is not there.
    stats = await text_of(site, "/partials/dashboard-stats")
    assert re.search(r'<a class="tone-neutral"[^>]*status=down', stats)
    assert "tone-bad" not in stats


async def test_an_empty_database_has_pages_that_say_so(site: Site) -> None:
    part = await text_of(site, "/partials/service-list")
    assert "No service is probed yet" in part
    assert 'href="/services#add"' in part
    assert "No service yet" in await text_of(site, "/services")
    assert "Nothing spent in 30 days" in await text_of(site, "/cost")
    assert "No session has looked at a service" in await text_of(site, "/services/web", status=404)


async def test_services_are_listed_in_trouble_first_then_by_name_a_page_at_a_time(site: Site) -> None:
    for number in range(60):
        looked_at(site, f"s{number:02d}")
    looked_at(site, "a-search", "degraded", since=timestamps.at(time.time() - 60))
    looked_at(site, "payments", "down")
    looked_at(site, "z-unreachable", "unreachable")
    rows.insert(site.worker.database, "service_health_streak", service="cleared", cleared_at=timestamps.now())
    text = await text_of(site, "/services")
    names = re.findall(r'<a href="/services/([\w-]+)"', text)
    assert names[:3] == ["payments", "z-unreachable", "a-search"]
    assert names[3:5] == ["s00", "s01"]
    assert "cleared" not in names
    following = re.search(r'href="(/services\?after=[^"]+)"', text)
    assert following is not None
    more = re.findall(r'<a href="/services/([\w-]+)"', await text_of(site, following[1]))
    healthy = [name for name in names[3:] + more if name.startswith("s")]
    assert healthy == [f"s{number:02d}" for number in range(60)]
    found = await json_of(site, "/services.json")
    assert (found["total"], found["services"][0]["service"], found["services"][0]["healthy_7d"]) == (63, "payments", 0)


async def test_a_service_shows_its_state_history_trend_limits_and_what_was_done(site: Site) -> None:
    database, session = site.worker.database, site.worker.session(tier=2, status="completed")
    since = timestamps.at(time.time() - 2 * HOUR)
    rows.health(database, "web", "down", since=since)
    for number in range(40, -1, -1):
        rows.check(
            database, "web", "down" if number < 2 else "healthy", number * HOUR + 1, response_time_ms=120,
            error_detail="HTTP <503>" if number < 2 else None, session_id=session,
        )  # fmt: skip
    approval = rows.approval(database, session, tool_use_id="t1", status="used", decided_by="ada")
    rows.action(database, "web", session_id=session, tool_use_id="t1")
    rows.call(database, session, tool_use_id="t2", rule="cooldown")
    rows.action(database, "web", session_id=session, tool_use_id="t2", success=0, error="exit 1")
    rows.action(database, "web")
    rows.action(database, "another")
    rows.event(database, "the pool of <web> is exhausted", service="web")
    rows.event(database, "of another", service="another")
    rows.memory(database, "starts in 8 s", service="web")
    rows.memory(database, "is not told", service="web", active=0)
    text = await text_of(site, "/services/web")
    assert "HTTP &lt;503&gt;" in text
    assert f'<time datetime="{since}"' in text
    assert "the pool of &lt;web&gt; is exhausted" in text
    assert "of another" not in text
    assert "starts in 8 s" in text
    assert "is not told" not in text
    log = text.split('id="actions"')[1].split("</section>")[0]
    assert log.count("<li") == 3
    assert f'<a class="textlink" href="/approvals/{approval}">approved by ada</a>' in log
    assert "allowed by the rule cooldown" in log
    assert "by the session’s word" in log
    trend = text.split('id="trend"')[1].split("</section>")[0]
    assert 'role="img"' in trend
    assert "95.1 %" in trend  # 39 of 41, of all ranges but the first
    assert "120 ms" in trend
    older = re.search(r'href="(/services/web\?at=[^"]+)#checks" rel="next"', text)
    assert older is not None
    checks = re.findall(r'id="check-(\d+)"', text)
    rest = re.findall(r'id="check-(\d+)"', await text_of(site, older[1].replace("&amp;", "&")))
    assert [int(id_) for id_ in checks + rest] == list(range(41, 0, -1))
    found = await json_of(site, "/services/web.json?range=24h")
    assert found["service"]["status"] == "down"
    assert (len(found["checks"]), len(found["actions"]), found["actions"][2]["decided_by"]) == (30, 3, "ada")
    assert sum(hour["checks"] for hour in found["hours"]) == 24


async def test_checks_of_one_moment_are_neither_lost_nor_shown_twice_between_pages(site: Site) -> None:
    rows.health(site.worker.database, "web", "healthy")
    for _ in range(70):
        rows.check(site.worker.database, "web", checked_at="2026-01-31T08:05:00.000Z")
    path, seen = "/services/web.json", []
    while path:
        found = await json_of(site, path)
        seen += [check["id"] for check in found["checks"]]
        path = found["next"].replace("/services/web?", "/services/web.json?") if found["next"] else ""
    assert seen == list(range(70, 0, -1))


@pytest.mark.parametrize("name", ["shop/api", "ein Dienst", "a.b.c", "pay<ments>&co", "100%", "ü"])
async def test_a_service_of_any_name_has_its_page(site: Site, name: str) -> None:
    looked_at(site, name, "down")
    found = re.search(r'<a href="(/services/[^"]+)" data-row>', await text_of(site, "/services"))
    assert found is not None
    text = await text_of(site, found[1])
    assert f'href="/events?service={quote(name, safe="").replace("%20", "+")}"' in text
    assert (await json_of(site, f"/services/{quote(name, safe='')}.json"))["service"]["service"] == name


async def test_a_service_of_which_only_the_counters_are_known_has_no_page_but_one_with_actions_has(site: Site) -> None:
    rows.action(site.worker.database, "web")
    text = await text_of(site, "/services/web")
    assert "unknown" in text
    assert "is kept" in text


@pytest.mark.parametrize("query", ["range=1y", "before=x", "actions=-1"])
async def test_what_the_address_asks_for_wrongly_is_named(site: Site, query: str) -> None:
    looked_at(site, "web")
    text = await text_of(site, f"/services/web?{query}", status=422)
    assert query.partition("=")[0] in text


async def test_while_the_worker_is_away_its_counts_are_not_known_and_the_rest_is(site: Site) -> None:
    looked_at(site, "web", "down", detail="HTTP 503")
    await site.worker.stop()
    text = await text_of(site, "/services/web")
    assert "the worker counts, and it does not answer" in text
    assert "HTTP 503" in text
    assert "By day" in await text_of(site, "/cost") or "Nothing spent" in await text_of(site, "/cost")


async def test_cost_by_day_tier_model_and_trigger_and_the_dearest_chain(tmp_path: Path) -> None:
    async with open_site(tmp_path, tier2_budget_day_usd=4.0) as site:
        first = site.worker.session(status="completed", cost_usd=1.0, prompt_text="Why is <search> slow?")
        site.worker.session(
            status="completed", tier=2, cost_usd=3.0, chain_id=first, parent_session_id=first, model="sonnet",
            trigger="escalation",
        )  # fmt: skip
        site.worker.session(status="failed", started_at=timestamps.at(time.time() - 3 * 86400))
        site.worker.session(status="completed", cost_usd=2.0, started_at=timestamps.at(time.time() - 10 * 86400))
        text = await text_of(site, "/cost?days=7")
        assert "+$2.00, 100 % more than in the 7 days before" in text
        assert "75 % of $4.00" in text
        assert f'<a href="/chains/{first}" data-row><b>#{first}</b> Why is &lt;search&gt; slow?</a>' in text
        assert "of <b>1</b> nothing is known" in text
        assert 'aria-current="true">7 days' in text
        found = await json_of(site, "/cost.json?days=7")
        assert found["cost"]["usd"] == 4.0
        assert found["cost"]["previous_usd"] == 2.0
        assert [(one["name"], one["usd"]) for one in found["cost"]["models"]] == [("sonnet", 3.0), ("haiku", 1.0)]
        assert [(one["name"], one["usd"]) for one in found["cost"]["triggers"]] == [
            ("escalation", 3.0),
            ("manual", 1.0),
        ]
        assert found["cost"]["days"][-1]["tiers"] == [1.0, 3.0, 0.0]
        assert found["cost"]["chains"][0] == {"id": first, "day": timestamps.now()[:10], "sessions": 2, "usd": 4.0}
        assert found["budgets_of_day"] == {"tier2_budget_day_usd": 4.0}
        assert "days=" in await text_of(site, "/cost?days=0", status=422)


async def test_a_budget_that_was_changed_meanwhile_is_the_one_that_is_shown(site: Site) -> None:
    await site.parts.worker.call(SetSetting(name="budget_day_usd", value="8", by="test"), SettingReply)
    assert (await json_of(site, "/cost.json"))["budgets_of_day"] == {"budget_day_usd": 8.0}
    site.worker.refuse[ListSettings] = CallError(Code.BUSY, "later")
    assert (await json_of(site, "/cost.json"))["budgets_of_day"] == {"budget_day_usd": 8.0}
