"""The queue and chains, over a real database and the real protocol."""

import asyncio

import pytest

from ipc.errors import CallError, Code
from ipc.messages.triggers import AddTrigger, CancelTrigger, TriggersChanged
from schema import timestamps
from schema.states import Trigger
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import until

LINE = (
    b"2026-01-31T08:05:00.000000000Z\t"
    b'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"%s"}]}}\n'
)


def form(**fields: str) -> dict[str, str]:
    return {"csrf": CSRF, **fields}


async def test_what_waits_stands_in_the_order_of_its_start_with_its_reason(site: Site) -> None:
    database = site.worker.database
    low = rows.trigger(database, kind="scheduled", priority=30, prompt="", reason="quiet until 06:30")
    high = rows.trigger(database, kind="alert", priority=5, tier=2, key="alert:disk", merged=4, reason="tier 2 is busy")
    same = rows.trigger(database, priority=30)
    async with site.browser("viewer").get("/triggers.json") as response:
        found = await response.json()
    assert [one["id"] for one in found["waiting"]] == [high, low, same]
    async with site.browser("viewer").get("/triggers") as response:
        text = await response.text()
    for words in ("quiet until 06:30", "tier 2 is busy", "4 more merged into it", "alert:disk"):
        assert words in text
    assert "/cancel" not in text
    assert 'name="prompt"' not in text


async def test_a_long_queue_says_how_many_more_there_are(site: Site) -> None:
    for _ in range(120):
        rows.trigger(site.worker.database)
    async with site.browser("viewer").get("/triggers") as response:
        text = await response.text()
    assert "20 more wait behind these." in text
    assert text.count('id="trigger-') == 100


async def test_what_is_asked_for_leads_to_its_session_when_it_starts_at_once(site: Site) -> None:
    async with site.browser("operator").post(
        "/triggers", data=form(prompt="Look.", tier="2"), allow_redirects=False
    ) as response:
        assert (response.status, response.headers["Location"]) == (303, "/sessions/1")
    [added] = [request for request in site.worker.requests if isinstance(request, AddTrigger)]
    assert (added.tier, added.prompt, added.kind, added.by) == (2, "Look.", Trigger.MANUAL, "operator")


async def test_what_has_to_wait_is_shown_in_the_queue_and_goes_on_once_it_starts(site: Site) -> None:
    site.worker.holds = "tier 1 is busy with session 9"
    browser = site.browser("operator")
    async with browser.post("/triggers", data=form(prompt="Look."), allow_redirects=False) as response:
        place = response.headers["Location"]
    assert place == "/triggers?added=1"
    async with browser.get(place) as response:
        text = await response.text()
    assert "Trigger 1 waits." in text
    assert "tier 1 is busy with session 9" in text
    session = site.worker.session(log=b"")
    site.worker.database.change("triggers.started", id=1, session_id=session, now=timestamps.now())
    async with browser.get(place, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/sessions/{session}"
    async with browser.get("/triggers/1", allow_redirects=False) as response:
        assert response.headers["Location"] == f"/sessions/{session}"


async def test_a_program_gets_the_trigger(site: Site) -> None:
    program = site.browser("operator", headers={"Accept": "application/json"})
    async with program.post("/triggers", json={"csrf": CSRF, "tier": 1}) as response:
        assert response.status == 201
        found = await response.json()
    assert (found["kind"], found["prompt"]) == ("api", "")
    async with program.get("/triggers/1.json") as response:
        assert (await response.json())["id"] == 1


@pytest.mark.parametrize(
    ("fields", "words"), [({"prompt": " "}, "Say what"), ({"prompt": "x", "tier": "4"}, "1, 2 or 3")]
)
@pytest.mark.parametrize("origin", ["overview", "triggers"])
async def test_what_can_not_be_asked_for_is_told_in_the_form_it_came_from(
    site: Site, fields: dict[str, str], words: str, origin: str
) -> None:
    async with site.browser("operator").post("/triggers", data=form(**fields, **{"from": origin})) as response:
        text = await response.text()
    assert response.status == 422
    assert words in text
    assert ('id="running"' in text) == (origin == "overview")
    assert not [request for request in site.worker.requests if isinstance(request, AddTrigger)]


async def test_cancelling_asks_first_and_then_cancels(site: Site) -> None:
    id_ = rows.trigger(site.worker.database, prompt="never mind")
    browser = site.browser("operator")
    async with browser.get(f"/triggers/{id_}/cancel") as response:
        assert "never mind" in await response.text()
    async with browser.post(f"/triggers/{id_}/cancel", data=form(), allow_redirects=False) as response:
        assert response.headers["Location"] == "/triggers"
    [cancelled] = [request for request in site.worker.requests if isinstance(request, CancelTrigger)]
    assert (cancelled.id, cancelled.by) == (id_, "operator")
    async with browser.get("/triggers") as response:
        assert "cancelled by operator" in await response.text()
    async with browser.post(f"/triggers/{id_}/cancel", data=form()) as response:
        assert response.status == 409
    assert (await site.browser("viewer").post(f"/triggers/{id_}/cancel", data=form())).status == 403


async def test_what_a_person_has_decided_can_not_be_cancelled(site: Site) -> None:
    session = site.worker.session(log=b"")
    id_ = rows.trigger(site.worker.database, kind="approval", session_id=session)
    async with site.browser("operator").get(f"/triggers/{id_}/cancel", allow_redirects=False) as response:
        assert response.headers["Location"] == "/triggers"


async def test_the_queue_changes_live_with_buttons_only_for_those_who_may(site: Site) -> None:
    rows.trigger(site.worker.database, prompt="first")
    operator, viewer = (read(site.browser(role), "/live?page=triggers") for role in ("operator", "viewer"))
    for stream in (operator, viewer):
        await until(stream, lambda said: "first" in said.data)
    id_ = rows.trigger(site.worker.database, prompt="second")
    site.worker.publish(TriggersChanged(waiting=2))
    said = await until(operator, lambda said: "second" in said.data)
    assert f"/triggers/{id_}/cancel" in said.data
    said = await until(viewer, lambda said: "second" in said.data)
    assert "/cancel" not in said.data
    for stream in (operator, viewer):
        await stream.aclose()


def chain_of(site: Site, *, second: str = "running") -> tuple[int, int]:
    first = site.worker.session(tier=1, status="escalated", log=LINE % b"from the first", cost_usd=0.5)
    rows.set_values(site.worker.database, "sessions", first, summary="**web** is down")
    later = site.worker.session(
        tier=2, status=second, log=LINE % b"from the second", estimated_usd=0.25, parent_session_id=first,
        chain_id=first, context="web answers 502\n<b>",
    )  # fmt: skip
    return first, later


async def test_a_chain_shows_its_tiers_what_was_handed_over_and_the_total(site: Site) -> None:
    first, second = chain_of(site)
    async with site.browser("viewer").get(f"/chains/{first}") as response:
        text = await response.text()
    assert text.index(f'id="tier-{first}"') < text.index(f'id="tier-{second}"')
    assert "<strong>web</strong> is down" in text
    assert "web answers 502\n&lt;b&gt;" in text
    assert "≈ $0.75" in text
    assert "from the second" in text
    assert "from the first" not in text
    async with site.browser("viewer").get(f"/chains/{first}.json") as response:
        found = await response.json()
    assert [one["id"] for one in found["sessions"]] == [first, second]
    assert found["total_cost_usd"] == 0.75


async def test_a_later_sessions_id_leads_to_its_chain_and_its_page_names_its_family(site: Site) -> None:
    first, second = chain_of(site)
    browser = site.browser("viewer")
    async with browser.get(f"/chains/{second}", allow_redirects=False) as response:
        assert response.headers["Location"] == f"/chains/{first}"
    async with browser.get(f"/sessions/{second}") as response:
        text = await response.text()
    assert f'href="/sessions/{first}"' in text
    assert f'href="/chains/{first}"' in text
    async with browser.get(f"/sessions/{first}") as response:
        assert f'href="/sessions/{second}"' in await response.text()
    assert (await browser.get("/chains/99")).status == 404


async def test_one_stream_follows_a_chain_from_tier_to_tier(site: Site) -> None:
    database = site.worker.database
    first = site.worker.session(tier=1, log=LINE % b"one")
    async with site.browser("viewer").get(f"/chains/{first}") as response:
        text = await response.text()
    at = text.split('data-offset="')[1].split('"')[0]
    stream = read(site.browser("viewer"), f"/chains/{first}/stream?at={at}")
    await until(stream, lambda said: said.event == "beat")
    with site.worker.log_of(first).open("ab") as log:
        log.write(LINE % b"two")
    said = await until(stream, lambda said: said.event == "rows")
    assert f'id="s{first}-b' in said.data
    assert "<p>one" not in said.data
    trigger = rows.trigger(database, kind="escalation", tier=2, parent_session_id=first, reason="tier 2 is busy")
    site.worker.end(first, "escalated")
    await until(stream, lambda said: "Tier 2 comes next: tier 2 is busy" in said.data)
    second = site.worker.session(tier=2, log=LINE % b"three", parent_session_id=first, chain_id=first)
    database.change("triggers.started", id=trigger, session_id=second, now=timestamps.now())
    await until(stream, lambda said: f'id="tier-{second}"' in said.data)
    said = await until(stream, lambda said: said.event == "rows" and "three" in said.data)
    assert said.id.startswith(f"s{second}-")
    again = read(site.browser("viewer"), f"/chains/{first}/stream?at=", {"Last-Event-ID": said.id})
    site.worker.end(second)
    await until(stream, lambda said: said.event == "done")
    seen = []
    async with asyncio.timeout(10):
        async for said in again:
            seen.append(said)
            if said.event == "done":
                break
    assert "three" not in "".join(said.data for said in seen if said.event == "rows")


async def test_a_place_that_is_none_of_the_chain_is_told_to_load_anew(site: Site) -> None:
    first, _ = chain_of(site)
    for at in ("s99-0", f"s{first}-999999"):
        stream = read(site.browser("viewer"), f"/chains/{first}/stream?at={at}")
        await until(stream, lambda said: said.event == "reset")
        await stream.aclose()


async def test_a_worker_that_is_away_is_told_in_the_form(site: Site) -> None:
    site.worker.refuse[AddTrigger] = CallError(Code.UNAVAILABLE, "The worker is not answering.")
    async with site.browser("operator").post("/triggers", data=form(prompt="keep <me>")) as response:
        text = await response.text()
    assert response.status == 503
    assert "The worker is not answering." in text
    assert "keep &lt;me&gt;</textarea>" in text
