"""Calls that wait for a person, over a real database and the real protocol: shown, decided once, remembered."""

import json

import pytest

from ipc.errors import CallError, Code
from ipc.messages.limits import AddRule, Decide, RevokeRule
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site


def form(**fields: str) -> dict[str, str]:
    return {"csrf": CSRF, **fields}


def asked(site: Site, command: str = "docker restart web", **columns: object) -> int:
    """A running session's call that waits."""
    running = site.worker.database.rows("sessions.running")
    session = running[0]["id"] if running else site.worker.session(tier=2, log=b"")
    return rows.approval(site.worker.database, session, command, **columns)


def sent(site: Site, kind: type) -> list[object]:
    return [request for request in site.worker.requests if isinstance(request, kind)]


async def text_of(site: Site, path: str, role: str = "operator", status: int = 200) -> str:
    async with site.browser(role).get(path) as response:
        text = await response.text()
    assert response.status == status, text
    return text


async def test_the_list_shows_the_call_whole_what_the_rule_saw_and_how_much_is_used(site: Site) -> None:
    command = "docker restart web && echo " + "x" * 3000
    id_ = asked(site, command)
    text = await text_of(site, "/approvals")
    assert f'id="approval-{id_}"' in text
    assert "x" * 3000 in text
    assert "Restarts of web need a person at tier 2." in text
    assert "web: 1 of 2 restarts used in 4 h" in text
    assert "The health check has failed three times." in text
    assert "data-left>expires in " in text


async def test_calls_stand_by_their_expiry(site: Site) -> None:
    late = asked(site, "b", expires_at="2999-01-02T00:00:00.000Z")
    soon = asked(site, "a", expires_at="2999-01-01T00:00:00.000Z")
    async with site.browser("viewer").get("/approvals.json") as response:
        found = await response.json()
    assert [one["id"] for one in found["waiting"]] == [soon, late]


async def test_a_viewer_sees_a_call_and_is_offered_nothing(site: Site) -> None:
    id_ = asked(site)
    for path in ("/approvals", f"/approvals/{id_}", "/sessions/1", "/chains/1"):
        text = await text_of(site, path, "viewer")
        assert "docker restart web" in text, path
        assert f"/approvals/{id_}/approve" not in text, path
    viewer = site.browser("viewer")
    for verb in ("approve", "deny"):
        assert (await viewer.get(f"/approvals/{id_}/{verb}")).status == 403
        assert (await viewer.post(f"/approvals/{id_}/{verb}", data=form())).status == 403
    assert sent(site, Decide) == []


async def test_a_link_alone_never_decides(site: Site) -> None:
    id_ = asked(site)
    text = await text_of(site, f"/approvals/{id_}/approve")
    assert "Let session 1 run exactly this, once?" in text
    assert "docker restart web" in text
    assert sent(site, Decide) == []


async def test_approving_leads_to_the_card_frozen_with_name_and_time(site: Site) -> None:
    id_ = asked(site)
    browser = site.browser("operator")
    async with browser.post(f"/approvals/{id_}/approve", data=form(key="k" * 32), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, f"/approvals/{id_}")
    [decide] = sent(site, Decide)
    assert isinstance(decide, Decide)
    assert (decide.id, decide.approve, decide.by, decide.remember) == (id_, True, "operator", None)
    text = await text_of(site, f"/approvals/{id_}")
    assert "Approved by operator" in text
    assert f"/approvals/{id_}/approve" not in text


async def test_the_same_answer_sent_twice_is_one(site: Site) -> None:
    id_ = asked(site)
    browser = site.browser("operator")
    for _ in range(2):
        data = form(key="0123456789abcdef", reason="no")
        async with browser.post(f"/approvals/{id_}/deny", data=data, allow_redirects=False) as response:
            assert response.status == 303


async def test_a_denials_reason_is_passed_on(site: Site) -> None:
    id_ = asked(site)
    data = form(reason=" Not before <the release>. ")
    async with site.browser("operator").post(f"/approvals/{id_}/deny", data=data) as response:
        text = await response.text()
    [decide] = sent(site, Decide)
    assert isinstance(decide, Decide)
    assert (decide.approve, decide.reason) == (False, "Not before <the release>.")
    assert "Not before &lt;the release&gt;." in text


async def test_who_comes_second_is_told_who_was_first(site: Site) -> None:
    id_ = asked(site)
    await site.browser("admin").post(f"/approvals/{id_}/deny", data=form(reason="no"))
    async with site.browser("operator").post(f"/approvals/{id_}/approve", data=form()) as response:
        text = await response.text()
    assert response.status == 409
    assert "Already denied by admin 0 s ago. Your answer was not used." in text
    async with site.browser("operator", headers={"Accept": "application/json"}).post(
        f"/approvals/{id_}/approve", json={"csrf": CSRF}
    ) as response:
        assert response.status == 409
        assert (await response.json())["error"]["code"] == "conflict"


async def test_the_question_about_a_decided_call_leads_to_its_card(site: Site) -> None:
    id_ = asked(site, status="denied", decided_by="bob")
    async with site.browser("operator").get(f"/approvals/{id_}/approve", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, f"/approvals/{id_}")


async def test_a_conflict_that_nobody_decided_shows_its_own_words(site: Site) -> None:
    id_ = asked(site)
    site.worker.refuse[Decide] = CallError(Code.CONFLICT, "its session is being stopped")
    async with site.browser("operator").post(f"/approvals/{id_}/approve", data=form()) as response:
        assert response.status == 409
        assert "its session is being stopped" in await response.text()


async def test_only_the_very_same_calls_are_approved_together(site: Site) -> None:
    ids = [asked(site), asked(site), asked(site, "docker restart web "), asked(site)]
    assert "3 waiting calls are the very same" in await text_of(site, f"/approvals/{ids[0]}")
    assert 'name="same"' in await text_of(site, f"/approvals/{ids[0]}/approve")
    assert 'name="same"' not in await text_of(site, f"/approvals/{ids[2]}/approve")
    await site.browser("operator").post(f"/approvals/{ids[0]}/approve", data=form(same="1"))
    approved = {decide.id for decide in sent(site, Decide) if isinstance(decide, Decide) and decide.approve}
    assert approved == {ids[0], ids[1], ids[3]}


async def test_only_an_admin_is_offered_a_standing_rule_and_can_make_one(site: Site) -> None:
    id_ = asked(site)
    assert 'name="scope"' not in await text_of(site, f"/approvals/{id_}/approve")
    assert 'name="scope"' in await text_of(site, f"/approvals/{id_}/approve", "admin")
    data = form(scope="0-program", host="same", tier="same", expires="3600")
    async with site.browser("operator").post(f"/approvals/{id_}/approve", data=data) as response:
        assert response.status == 403
    assert sent(site, Decide) == []
    async with site.browser("admin").post(f"/approvals/{id_}/approve", data=data, allow_redirects=False) as response:
        assert response.status == 303
    [decide] = sent(site, Decide)
    assert isinstance(decide, Decide)
    assert decide.remember is not None
    assert (decide.remember.decision, decide.remember.pattern, decide.remember.tier) == ("allow", "docker restart *", 2)
    assert "docker restart *" in await text_of(site, "/approvals/rules", "viewer")


async def test_a_scope_that_was_not_offered_is_refused(site: Site) -> None:
    id_ = asked(site)
    data = form(scope="9-exact", expires="3600")
    async with site.browser("admin").post(f"/approvals/{id_}/approve", data=data) as response:
        assert response.status == 422
    assert sent(site, Decide) == []


async def test_rules_are_made_and_revoked_by_admins(site: Site) -> None:
    admin = site.browser("admin")
    data = form(decision="ask", tool="Bash", pattern="git push *", host="*", tier="3", expires="", reason="careful")
    async with admin.post("/approvals/rules", data=data, allow_redirects=False) as response:
        assert response.headers["Location"] == "/approvals/rules"
    [added] = sent(site, AddRule)
    assert isinstance(added, AddRule)
    assert (added.rule.decision, added.rule.host, added.rule.tier, added.rule.expires_at) == ("ask", "*", 3, None)
    assert added.by == "admin"
    text = await text_of(site, "/approvals/rules", "viewer")
    assert "git push *" in text
    assert "/revoke" not in text
    assert 'name="pattern"' not in text
    for method in ("get", "post"):
        async with getattr(site.browser("operator"), method)("/approvals/rules/1/revoke", data=form()) as response:
            assert response.status == 403
    assert "Revoke rule 1?" in await text_of(site, "/approvals/rules/1/revoke", "admin")
    await admin.post("/approvals/rules/1/revoke", data=form())
    assert [request.id for request in sent(site, RevokeRule) if isinstance(request, RevokeRule)] == [1]
    assert "revoked by admin" in await text_of(site, "/approvals/rules", "viewer")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pattern": " "}, "Give the words of the command"),
        ({"decision": "maybe"}, "A rule lets a call run"),
        ({"tier": "9"}, "A tier is 1, 2 or 3."),
        ({"expires": "5"}, "Say how long"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_told_in_the_form(site: Site, changes: dict[str, str], words: str) -> None:
    data = {"decision": "allow", "pattern": "docker <b>", "tier": "", "expires": "3600", **changes}
    async with site.browser("admin").post("/approvals/rules", data=form(**data)) as response:
        text = await response.text()
    assert response.status == 422
    assert words in text
    assert "docker &lt;b&gt;" in text or "pattern" in changes


async def test_decided_calls_are_paged_backwards(site: Site) -> None:
    ids = [asked(site, f"c{number}", status="denied", decided_by="bob") for number in range(120)]
    browser, path, found = site.browser("viewer"), "/approvals", []
    while path:
        async with browser.get(path.replace("/approvals", "/approvals.json")) as response:
            page = await response.json()
        found += [one["id"] for one in page["decided"]]
        path = page["next"]
    assert found == ids[::-1]


async def test_an_approval_is_json_too_and_one_that_is_not_there_says_so(site: Site) -> None:
    id_ = asked(site)
    async with site.browser("viewer").get(f"/approvals/{id_}.json") as response:
        found = await response.json()
    assert json.loads(found["input"])["command"] == "docker restart web"
    for path in ("/approvals/99", "/approvals/99.json", f"/approvals/{'9' * 30}"):
        async with site.browser("viewer").get(path) as response:
            assert response.status == 404


async def test_the_bell_and_the_title_count_what_waits_on_every_page(site: Site) -> None:
    asked(site)
    asked(site, "b")
    rows.event(site.worker.database, "Needs human attention: web: renew it", level="critical")
    rows.event(site.worker.database, "critical, but nobody is needed", level="critical")
    rows.health(site.worker.database, "web", "down")
    for path in ("/", "/approvals", "/sessions", "/sessions/1", "/chains/1", "/triggers", "/events", "/system"):
        text = await text_of(site, path, "viewer")
        assert "<title>(1 down, 3 need you) " in text, path
        assert "Approvals: 2 wait for a person" in text, path


async def test_the_overview_begins_with_what_only_a_person_can_settle(site: Site) -> None:
    id_ = asked(site)
    rows.trigger(site.worker.database, status="refused", reason="above CLAUDEOPS_MAX_TIER")
    text = await text_of(site, "/")
    attention = text.split('id="attention"')[1].split("</section>")[0]
    assert attention.index(f"/approvals/{id_}") < attention.index("was refused")
    async with site.browser("viewer").get("/overview.json") as response:
        assert [one["id"] for one in (await response.json())["approvals"]] == [id_]


async def test_a_session_that_waits_shows_its_card_and_can_be_stopped(site: Site) -> None:
    id_ = asked(site)
    rows.set_values(site.worker.database, "sessions", 1, status="awaiting_approval")
    text = await text_of(site, "/sessions/1")
    assert "awaiting approval" in text
    assert f'id="approval-{id_}"' in text
    assert "/sessions/1/stop" in text
    assert 'data-stream="/sessions/1/stream"' in text
    assert "awaiting approval" in await text_of(site, "/")
    assert "awaiting approval" in await text_of(site, "/sessions?status=awaiting_approval")


async def test_denied_and_asked_calls_are_marked_in_the_transcript(site: Site) -> None:
    log = b"".join(
        b'{"type":"assistant","message":{"id":"%s","content":[{"type":"tool_use","id":"%s","name":"Bash","input":'
        b'{"command":"docker restart web"}}]}}\n' % (name, name)
        for name in (b"one", b"two", b"three")
    )
    id_ = site.worker.session(log=log)
    rows.call(site.worker.database, id_, tool_use_id="one")
    rows.call(site.worker.database, id_, tool_use_id="two", decision="deny", reason="2 of 2 used, next 14:05")
    rows.approval(site.worker.database, id_, tool_use_id="three", status="used", decided_by="ada")
    text = await text_of(site, f"/sessions/{id_}", "viewer")
    assert "Let through: restart of web: 1 of 2 used in 4 h" in text
    assert "Denied: 2 of 2 used, next 14:05" in text
    assert "Approved by ada." in text
    assert text.count('data-mark="changes"') == 2
    assert text.count('data-mark="denied"') == 1
