"""The pages over a real database, for each role, with the worker there and away."""

import asyncio
from pathlib import Path

import pytest

from ipc.errors import CallError, Code
from ipc.messages.sessions import TriggerSession
from ipc.messages.triggers import AddTrigger
from schema.states import SessionStatus, Trigger
from tests.integration.webui.site import CSRF, Site, open_site

LINE = (
    b"2026-01-31T08:05:00.000000000Z\t"
    b'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"%s"}]}}\n'
)


def form(**fields: str) -> dict[str, str]:
    return {"csrf": CSRF, **fields}


@pytest.mark.parametrize("path", ["/", "/sessions", "/system"])
@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
async def test_every_page_opens_for_every_role(site: Site, role: str, path: str) -> None:
    site.worker.session(log=LINE % b"hello")
    async with site.browser(role).get(path) as response:
        text = await response.text()
    assert response.status == 200, text
    assert "Look at web." in text or path == "/system"


async def test_the_overview_shows_what_runs_what_ran_and_what_went_wrong(site: Site) -> None:
    running = site.worker.session(tier=2, log=b"")
    failed = site.worker.session(tier=1, status="failed", log=b"")
    async with site.browser().get("/") as response:
        text = await response.text()
    assert f'id="now-{running}"' in text
    assert f"Session #{failed} failed." in text
    assert "2.1.197" in text


async def test_a_viewer_is_offered_no_form_and_no_stop(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    viewer = site.browser("viewer")
    async with viewer.get("/") as response:
        assert "/sessions/trigger" not in await response.text()
    async with viewer.get(f"/sessions/{id_}") as response:
        assert f"/sessions/{id_}/stop" not in await response.text()
    async with viewer.post(f"/sessions/{id_}/stop", data=form()) as response:
        assert response.status == 403


async def test_a_prompt_of_200_kb_starts_a_session(site: Site) -> None:
    prompt = "ä" * 100_000
    async with site.browser("operator").post(
        "/triggers", data=form(prompt=prompt, tier="2"), allow_redirects=False
    ) as response:
        assert response.status == 303
        assert response.headers["Location"].startswith("/sessions/")
    sent = next(request for request in site.worker.requests if isinstance(request, AddTrigger))
    assert (sent.prompt, sent.tier, sent.by) == (prompt, 2, "operator")


@pytest.mark.parametrize("path", ["/triggers", "/sessions/trigger"])
async def test_the_same_form_sent_twice_is_one_session(site: Site, path: str) -> None:
    browser = site.browser()
    places = []
    for _ in range(2):
        async with browser.post(path, data=form(prompt="x", key="0123456789abcdef"), allow_redirects=False) as response:
            places.append(response.headers["Location"])
    assert places[0] == places[1]
    assert len(site.worker.database.rows("sessions.running")) == 1


async def test_a_busy_tier_is_told_in_the_form_with_the_prompt_kept(site: Site) -> None:
    site.worker.refuse[TriggerSession] = CallError(Code.BUSY, "tier 1 is busy with session 9; stop it")
    async with site.browser().post("/sessions/trigger", data=form(prompt="keep <me>")) as response:
        text = await response.text()
    assert response.status == 409
    assert "tier 1 is busy with session 9; stop it. Sent again from here, it waits for its turn" in text
    assert "keep &lt;me&gt;</textarea>" in text
    assert 'action="/triggers"' in text


@pytest.mark.parametrize("fields", [{"prompt": " "}, {"prompt": "x", "tier": "4"}, {}])
async def test_bad_input_is_400_at_the_existing_programs_address_and_422_at_ours(
    site: Site, fields: dict[str, str]
) -> None:
    for path, status in (("/sessions/trigger", 400), ("/triggers", 422)):
        async with site.browser().post(path, data=form(**fields)) as response:
            text = await response.text()
        assert response.status == status, path
        assert 'class="error-note"' in text, path
    program = site.browser(headers={"Accept": "application/json", "X-CSRF-Token": CSRF})
    async with program.post("/sessions/trigger", json={"prompt": "x", "tier": 9}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid")
    assert site.worker.database.rows("sessions.running") == []


async def test_a_program_gets_session_or_error_as_json(site: Site) -> None:
    program = site.browser(headers={"Accept": "application/json"})
    async with program.post("/sessions/trigger", json={"prompt": "x", "tier": "auto", "csrf": CSRF}) as response:
        made = await response.json()
        assert (response.status, made["status"], made["prompt_text"]) == (201, "running", "x")
    (asked,) = [one for one in site.worker.requests if isinstance(one, TriggerSession)]
    assert (asked.tier, asked.trigger) == (0, Trigger.API)
    site.worker.refuse[TriggerSession] = CallError(Code.BUSY, "Tier 1 is busy.")
    async with program.post("/sessions/trigger", json={"prompt": "x", "csrf": CSRF}) as response:
        assert response.status == 409
        assert await response.json() == {"error": {"code": "busy", "message": "Tier 1 is busy."}}


async def test_stopping_asks_first_and_then_stops(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser = site.browser("operator")
    async with browser.get(f"/sessions/{id_}/stop") as response:
        text = await response.text()
    assert f"Stop session {id_}?" in text
    async with browser.post(f"/sessions/{id_}/stop", data=form(), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, f"/sessions/{id_}")
    row = site.worker.database.one("sessions.by_id", id=id_)
    assert row is not None
    assert (row["status"], row["reason"]) == (SessionStatus.STOPPED, "stopped by operator")


async def test_each_page_is_json_too(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser = site.browser()
    async with browser.get(f"/sessions/{id_}.json") as response:
        assert (await response.json())["id"] == id_
    async with browser.get(f"/sessions/{id_}", headers={"Accept": "application/json"}) as response:
        assert (await response.json())["status"] == "running"
    async with browser.get("/sessions.json?status=running") as response:
        assert [session["id"] for session in (await response.json())["sessions"]] == [id_]
    async with browser.get("/overview.json") as response:
        assert [session["id"] for session in (await response.json())["running"]] == [id_]
    async with browser.get("/system.json") as response:
        assert (await response.json())["worker_ok"] is True


async def test_what_is_not_there_is_a_page_or_json(site: Site) -> None:
    browser = site.browser()
    async with browser.get("/sessions/99") as response:
        assert response.status == 404
        assert "There is no session 99." in await response.text()
    async with browser.get("/sessions/99.json") as response:
        assert (await response.json())["error"]["code"] == "not_found"
    async with browser.get("/nowhere") as response:
        assert response.status == 404
        assert "There is nothing at this address." in await response.text()


async def test_the_raw_log_is_the_file_byte_for_byte_and_never_html(site: Site) -> None:
    log = b"".join(LINE % f"line {number} <script>".encode() for number in range(3000)) + b"\x00\xff no end"
    id_ = site.worker.session(status="completed", log=log)
    async with site.browser("viewer").get(f"/sessions/{id_}/log") as response:
        assert await response.read() == log
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_folded_result_is_whole_behind_its_link(site: Site) -> None:
    text = "\\n".join(f"row {number}" for number in range(100))
    log = b'{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"%s"}]}}\n' % (
        text.encode()
    )
    id_ = site.worker.session(status="completed", log=log)
    browser = site.browser()
    async with browser.get(f"/sessions/{id_}") as response:
        page = await response.text()
    assert "80 lines folded" in page
    async with browser.get(f"/sessions/{id_}/log?at=0") as response:
        assert (await response.text()).splitlines()[50] == "row 50"


async def test_a_log_outside_of_the_results_directory_is_not_read(site: Site) -> None:
    secret = site.worker.state / "secret.log"
    secret.write_text("secret")
    id_ = site.worker.session(status="completed", log=b"x\n")
    with site.worker.database.transaction():
        site.worker.database.script(f"UPDATE sessions SET log_file = '../state/secret.log' WHERE id = {id_}")
    async with site.browser().get(f"/sessions/{id_}/log") as response:
        assert response.status == 404
        assert "secret</" not in await response.text()


async def test_a_long_transcript_is_paged_backwards_without_a_gap(site: Site) -> None:
    log = b"".join(LINE % f"line {number:05d}.".encode() for number in range(5000))
    id_ = site.worker.session(status="completed", log=log)
    browser, address = site.browser(), f"/sessions/{id_}"
    found: list[str] = []
    for _ in range(3):
        async with browser.get(address) as response:
            text = await response.text()
        found = [piece.split(".")[0] for piece in text.split("<p>line ")[1:]] + found
        if "?before=" in text:
            address = f"/sessions/{id_}?before=" + text.split('href="?before=')[1].split('"')[0]
    assert found == [f"{number:05d}" for number in range(5000)]


async def test_the_list_is_paged_both_ways_and_filtered(site: Site) -> None:
    ids = [
        site.worker.session(tier=number % 3 + 1, status="completed", prompt_text=f"find {number}")
        for number in range(120)
    ]
    browser = site.browser()

    async def page(address: str) -> tuple[list[int], str | None, str | None]:
        async with browser.get(address.replace("/sessions", "/sessions.json", 1)) as response:
            found = await response.json()
        return [session["id"] for session in found["sessions"]], found["next"], found["previous"]

    for query, wanted in (
        ("", ids),
        ("?tier=2", ids[1::3]),
        ("?q=find+1", [i for i in ids if f"{i - 1}".startswith("1")]),
    ):
        first, older, newer = await page(f"/sessions{query}")
        assert newer is None
        found = first
        while older:
            more, older, newer = await page(older)
            found += more
        assert found == wanted[::-1]
        if newer:
            back, _, _ = await page(newer)
            assert set(back) <= set(wanted)
            assert min(back) > min(found)


async def test_a_filter_that_is_none_is_refused(site: Site) -> None:
    async with site.browser().get("/sessions?status=broken") as response:
        assert response.status == 422
        assert "no status" in await response.text()


async def test_pages_are_served_with_the_worker_away_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.worker.SILENT_SECONDS", 0.5)
    async with open_site(tmp_path, start_worker=False) as site:
        (site.worker.runtime / "status.json").write_text(
            '{"state":"degraded","reason":"it starts","processes":[{"name":"worker","pid":5,"state":"starting"}]}'
        )
        id_ = site.worker.session(log=LINE % b"still here")
        browser = site.browser()
        await asyncio.sleep(1.2)
        for path in ("/", "/sessions", f"/sessions/{id_}", "/system"):
            async with browser.get(path) as response:
                text = await response.text()
            assert response.status == 200, text
            assert "Worker down." in text
        assert "still here" in await (await browser.get(f"/sessions/{id_}")).text()
        async with browser.post("/sessions/trigger", data=form(prompt="x")) as response:
            assert response.status in (503, 504)
            assert "not answering" in await response.text()
        async with browser.get("/readyz") as response:
            assert response.status == 503
            assert "worker" in (await response.json())["reasons"][0]
        await site.worker.start()
        for _ in range(50):
            await asyncio.sleep(0.1)
            if (await browser.get("/readyz")).status == 200:
                break
        assert "Worker down." not in await (await browser.get("/")).text()
