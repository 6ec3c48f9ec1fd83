"""Events, memories, cooldowns, MCP servers, repositories and the audit log over a real database and the protocol."""

import re
from pathlib import Path

import pytest

from ipc.errors import CallError, Code
from ipc.messages.knowledge import AddMemory, ChangeMemory, DeleteMemories, DeleteMemory
from ipc.messages.limits import ClearCooldown, ListCooldowns
from ipc.messages.repositories import ListRepositories, ListServers
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site, open_site

PAGES = ("/events", "/memories", "/cooldowns", "/mcp", "/repositories", "/audit", "/approvals/rules", "/triggers")


def form(**fields: str) -> dict[str, str]:
    return {"csrf": CSRF, **fields}


async def text_of(site: Site, path: str, role: str = "viewer") -> str:
    async with site.browser(role).get(path) as response:
        text = await response.text()
    assert response.status == 200, text
    return text


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_opens_empty_for_every_role_and_as_json(site: Site, role: str, path: str) -> None:
    await text_of(site, path, role)
    async with site.browser(role).get(f"{path}.json") as response:
        assert response.status == 200
        assert isinstance(await response.json(), dict)


async def test_events_are_filtered_and_paged(site: Site) -> None:
    session = site.worker.session(status="completed", log=b"")
    ids = [
        rows.event(
            site.worker.database,
            f"m{number}",
            level="warning" if number % 2 else "info",
            service="web" if number % 3 else "db",
            session_id=session if number % 5 == 0 else None,
        )
        for number in range(130)
    ]
    browser = site.browser("viewer")
    wanted = {
        "": ids,
        "?level=warning": ids[1::2],
        "?service=db": ids[::3],
        f"?session={session}": ids[::5],
        f"?session={session}&level=info": ids[::10],
        "?level=info&service=db": ids[::6],
    }
    for query, expected in wanted.items():
        found: list[int] = []
        path: str | None = f"/events{query}"
        while path:
            async with browser.get(path.replace("/events", "/events.json", 1)) as response:
                page = await response.json()
            found += [event["id"] for event in page["events"]]
            path = page["next"]
        assert found == expected[::-1], query
    assert "No event matches" in await text_of(site, "/events?service=nowhere")
    async with browser.get("/events?level=loud") as response:
        assert response.status == 422


async def test_an_event_is_shown_as_text(site: Site) -> None:
    rows.event(site.worker.database, "<script>x</script>", service="<b>")
    text = await text_of(site, "/events")
    assert "<script>x" not in text
    assert "&lt;script&gt;x" in text


async def test_memories_are_added_changed_and_deleted_by_operators(site: Site) -> None:
    operator = site.browser("operator")
    data = form(observation="slow <at> noon", category="timing", service="web", confidence="0.8")
    async with operator.post("/memories", data=data, allow_redirects=False) as response:
        assert response.headers["Location"] == "/memories#memory-1"
    text = await text_of(site, "/memories")
    assert "slow &lt;at&gt; noon" in text
    assert 'name="observation"' not in text
    assert "/memories/1" not in text
    data = form(observation="slow at one", category="timing", service="web", confidence="0.70")
    await operator.post("/memories/1", data=data)
    assert "No memory matches" in await text_of(site, "/memories")
    assert "slow at one" in await text_of(site, "/memories?shown=all")
    async with operator.get("/memories/1/delete") as response:
        assert "slow at one" in await response.text()
    await operator.post("/memories/1/delete", data=form())
    assert "No memory yet" in await text_of(site, "/memories?shown=all")
    kinds = [type(request) for request in site.worker.requests]
    assert [kind for kind in kinds if kind in (AddMemory, ChangeMemory, DeleteMemory)] == [
        AddMemory, ChangeMemory, DeleteMemory,
    ]  # fmt: skip
    [change] = [request for request in site.worker.requests if isinstance(request, ChangeMemory)]
    assert (change.active, change.by) == (False, "operator")


async def test_several_memories_are_deleted_after_a_question_that_shows_them(site: Site) -> None:
    database = site.worker.database
    for text in ("one <b>", "two", "three"):
        rows.memory(database, text, service="web", category="timing")
    text = await text_of(site, "/memories", "operator")
    assert text.count('type="checkbox" name="memory"') == 3
    assert 'name="memory"' not in await text_of(site, "/memories")
    operator = site.browser("operator")
    async with operator.get("/memories/delete?memory=1&memory=3&memory=99&service=web") as response:
        text = await response.text()
    for words in ("Delete 2 memories?", "web: one &lt;b&gt;", "web: three", 'name="ids" value="1,3"'):
        assert words in text
    database._connection.execute("DELETE FROM memories WHERE id = 3")
    data = form(ids="1,3", service="web", key="k" * 16)
    async with operator.post("/memories/delete", data=data, allow_redirects=False) as response:
        assert response.headers["Location"] == "/memories?service=web&deleted=1&missing=1"
    assert "1 memory is deleted. 1 was gone already." in await text_of(
        site, "/memories?service=web&deleted=1&missing=1"
    )
    async with operator.get("/memories.json") as response:
        assert [memory["observation"] for memory in (await response.json())["memories"]] == ["two"]
    [message] = [request for request in site.worker.requests if isinstance(request, DeleteMemories)]
    assert (message.ids, message.by) == ([1, 3], "operator")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 422, "Choose memories in the list first"),
        ("?memory=one", 422, "is no memory&#39;s number"),
        ("?" + "&".join(f"memory={number}" for number in range(501)), 422, "At most 500 at a time"),
        ("?memory=99", 404, "None of these memories is there any more"),
    ],
)
async def test_what_can_not_be_deleted_together_is_told(site: Site, query: str, status: int, words: str) -> None:
    async with site.browser("operator").get(f"/memories/delete{query}") as response:
        assert (response.status, words in await response.text()) == (status, True)
    async with site.browser("operator").post("/memories/delete", data=form(ids="")) as response:
        assert response.status == 422
    assert [request for request in site.worker.requests if isinstance(request, DeleteMemories)] == []


async def test_a_category_of_an_older_program_stays_until_another_is_chosen(site: Site) -> None:
    rows.memory(site.worker.database, "x", category="network")
    assert "<option selected>network</option>" in await text_of(site, "/memories/1", "operator")
    assert "network</option>" not in (await text_of(site, "/memories", "operator")).split('id="add-title"')[1]


async def test_confidence_that_was_not_touched_keeps_its_digits(site: Site) -> None:
    rows.memory(site.worker.database, "x", confidence=0.54321)
    data = form(observation="y", category="timing", service="", confidence="0.54", active="1")
    await site.browser("operator").post("/memories/1", data=data)
    [change] = [request for request in site.worker.requests if isinstance(request, ChangeMemory)]
    assert (change.confidence, change.active, change.observation) == (None, None, "y")


async def test_at_the_existing_programs_address_what_is_not_named_stays(site: Site) -> None:
    rows.memory(site.worker.database, "x", service="web", category="timing", confidence=0.54321)
    operator = site.browser("operator")
    async with operator.post("/memories/1/update", data=form(observation="y"), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/memories?shown=all#memory-1")
    [change] = [request for request in site.worker.requests if isinstance(request, ChangeMemory)]
    assert (change.observation, change.category, change.service) == ("y", "timing", "web")
    assert (change.confidence, change.active) == (None, None)
    await operator.post("/memories/1/update", data=form(active="0"))
    assert "No memory matches" in await text_of(site, "/memories")
    assert (await site.browser("viewer").post("/memories/1/update", data=form(observation="z"))).status == 403
    assert (await operator.post("/memories/9/update", data=form(observation="z"))).status == 404


async def test_a_viewer_reads_a_memory_and_is_offered_no_form(site: Site) -> None:
    rows.memory(site.worker.database, "slow <at> noon", service="web", category="timing")
    text = await text_of(site, "/memories/1")
    main = text.partition("<main")[2].partition("</main>")[0]
    assert "slow &lt;at&gt; noon" in main
    assert "An operator can change it." in main
    assert "<form" not in main
    assert "/memories/1/delete" not in main
    assert 'action="/memories/1"' in await text_of(site, "/memories/1", "operator")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"observation": ""}, "Say what is to be remembered"),
        ({"confidence": "2"}, "from 0 to 1"),
        ({"confidence": "nan"}, "from 0 to 1"),
        ({"observation": "x" * 2001}, "at most 2000"),
        ({"service": "x" * 101}, "a service 100"),
    ],
)
async def test_what_is_no_memory_is_told_in_its_form(site: Site, fields: dict[str, str], words: str) -> None:
    rows.memory(site.worker.database, "x")
    given = form(**{"observation": "keep <me>", "category": "c", "confidence": "0.5", **fields})
    for path in ("/memories", "/memories/1"):
        async with site.browser("operator").post(path, data=given) as response:
            text = await response.text()
        assert response.status == 422, path
        assert words in text


async def test_memories_are_exported_with_the_same_filters(site: Site) -> None:
    rows.memory(site.worker.database, "one", service="web")
    rows.memory(site.worker.database, "two", service="db")
    browser = site.browser("viewer")
    async with browser.get("/memories.json?service=web") as response:
        assert [memory["observation"] for memory in (await response.json())["memories"]] == ["one"]
    async with browser.get("/memories.md?service=web") as response:
        assert response.headers["Content-Type"].startswith("text/markdown")
        text = await response.text()
    assert "## web\n\n- **timing**: one (70%)" in text
    assert "two" not in text


async def test_an_export_has_all_memories_and_the_list_says_that_it_has_not(site: Site) -> None:
    """Pages of rows, services with and without a name, active and not: each comes once, by service and by id."""
    services = [None, "", "db", "web", "x; 'or 1=1"]
    ids: dict[str | None, list[int]] = {service: [] for service in services}
    for number in range(2500):
        service = services[number % 5 if number < 1200 else 3]
        ids[service].append(rows.memory(site.worker.database, f"m{number}", service=service))
    off = rows.memory(site.worker.database, "off", service="db", active=0)
    everything = [id_ for service in services for id_ in ids[service]]
    browser = site.browser("viewer")

    async def exported(path: str) -> list[int]:
        async with browser.get(path, headers={"Accept": "application/json"}) as response:
            assert response.headers["Vary"] == "Accept"
            return [memory["id"] for memory in (await response.json())["memories"]]

    assert await exported("/memories") == everything
    db = ids[None] + ids[""] + ids["db"]
    assert await exported("/memories.json?shown=all") == [*db, off, *everything[len(db) :]]
    assert await exported("/memories.json?shown=inactive") == [off]
    assert await exported("/memories.json?service=nothing") == []
    text = await text_of(site, "/memories.md?shown=all")
    assert re.findall(r"^- \*\*timing\*\*: m(\d+) \(70%\)$", text, re.MULTILINE) == [str(id_ - 1) for id_ in everything]
    headings = [line.removeprefix("## ") for line in text.split("\n") if line.startswith("## ")]
    assert headings == ["All services", "db", "web", "x; 'or 1=1"]
    assert "- **timing**: off (70%, inactive)" in text
    page = await text_of(site, "/memories")
    assert "The newest 2000 are shown, and there are more" in page
    # What is narrowed down is looked for among all, not among the newest.
    page = await text_of(site, "/memories?service=db")
    assert "and there are more" not in page
    assert [int(id_) for id_ in re.findall(r'id="memory-(\d+)"', page)] == ids["db"]
    page = await text_of(site, "/memories?service=db&category=timing&shown=inactive")
    assert re.findall(r'id="memory-(\d+)"', page) == [str(off)]
    assert "No memory matches" in await text_of(site, "/memories?category=nothing")


async def test_cooldowns_show_what_is_blocked_first_and_are_cleared_by_operators(site: Site) -> None:
    session = site.worker.session(status="completed", log=b"")
    rows.action(site.worker.database, "search", session_id=session, success=0, error="exit 1")
    text = await text_of(site, "/cooldowns")
    assert text.index("<b>search</b>") < text.index("<b>web</b>")
    assert "next possible" in text
    assert "exit 1" in text
    assert f"/sessions/{session}" in text
    assert "/cooldowns/clear" not in text
    operator = site.browser("operator")
    async with operator.get("/cooldowns/clear?service=search") as response:
        assert "2 of 2 restarts used." in await response.text()
    async with operator.post("/cooldowns/clear", data=form(service="search"), allow_redirects=False) as response:
        assert response.headers["Location"] == "/cooldowns"
    [cleared] = [request for request in site.worker.requests if isinstance(request, ClearCooldown)]
    assert (cleared.service, cleared.by) == ("search", "operator")
    async with operator.post("/cooldowns/clear", data=form()) as response:
        assert response.status == 422
    assert (await site.browser("viewer").post("/cooldowns/clear", data=form(service="x"))).status == 403


async def test_servers_and_repositories_show_what_is_replaced_refused_and_broken(site: Site) -> None:
    text = await text_of(site, "/mcp")
    for words in ("Replaces the server of baseline.", "it has no command", "shop: .claude-ops/mcp.json is no JSON"):
        assert words in text
    text = await text_of(site, "/repositories")
    for words in ("http.md", "mcp.json is no JSON and is left out", "It contributes nothing."):
        assert words in text


async def test_pages_that_only_the_worker_can_fill_say_so_when_it_does_not_answer(site: Site) -> None:
    gone = CallError(Code.UNAVAILABLE, "The worker is not answering.")
    site.worker.refuse = {ListServers: gone, ListRepositories: gone, ListCooldowns: gone}
    rows.action(site.worker.database, "web")
    for path in ("/mcp", "/repositories", "/cooldowns"):
        assert "Not known now" in await text_of(site, path)
    assert "restart</b> web" in await text_of(site, "/cooldowns")
    async with site.browser("viewer").get("/mcp.json") as response:
        assert response.status == 503


async def test_the_audit_log_is_filtered_and_paged(site: Site) -> None:
    session = site.worker.session(status="completed", log=b"")
    ids = [
        rows.audit(
            site.worker.database, "call.deny" if n % 2 else "call.allow", f"cmd <{n}>",
            session_id=session if n % 3 == 0 else None,
        )
        for n in range(110)
    ]  # fmt: skip
    browser = site.browser("viewer")
    wanted = {
        "": ids,
        "?action=call.deny": ids[1::2],
        f"?session={session}": ids[::3],
        f"?session={session}&action=call.allow": ids[::6],
    }
    for query, expected in wanted.items():
        found: list[int] = []
        path: str | None = f"/audit{query}"
        while path:
            async with browser.get(path.replace("/audit", "/audit.json", 1)) as response:
                page = await response.json()
            found += [entry["id"] for entry in page["entries"]]
            path = page["next"]
        assert found == expected[::-1], query
    assert "cmd &lt;109&gt;" in await text_of(site, "/audit")


async def test_from_where_somebody_signed_in_is_shown_to_admins_alone(site: Site) -> None:
    for action in ("user.signed_in", "user.sign_in_failed", "user.set_up", "user.password_set", "token.refused"):
        rows.audit(site.worker.database, action, "ann", detail="from 192.0.2.77")
    rows.audit(site.worker.database, "setting.changed", "interval", detail="from 3600 to 600")
    for role, times in (("admin", 5), ("operator", 0), ("viewer", 0)):
        for path in ("/audit", "/audit.json", "/api/v1/audit", "/audit?action=user.signed_in"):
            text = await text_of(site, path, role)
            assert text.count("192.0.2.77") == (min(times, 1) if "?" in path else times), (role, path)
            assert ("from 3600 to 600" in text) is ("?" not in path)


async def test_new_pages_are_served_while_the_worker_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.worker.SILENT_SECONDS", 0.2)
    monkeypatch.setattr("webui.worker.SILENT_TIMEOUT", 0.3)
    async with open_site(tmp_path, start_worker=False) as site:
        rows.approval(site.worker.database, site.worker.session(log=b""))
        browser = site.browser("viewer")
        for path in ("/approvals", "/approvals/1", "/chains/1", *PAGES):
            async with browser.get(path) as response:
                assert response.status == 200, path
