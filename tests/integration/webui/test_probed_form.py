"""The form of a service that is probed: what can't be so, a test that stores nothing, edits at once, its rules."""

import asyncio
import re
import time
from pathlib import Path

from ipc.messages.services import ChangeService
from schema import monitored, timestamps
from schema.definitions import Definition
from tests.fakes.target import Target
from tests.integration.webui import rows as made
from tests.integration.webui.probing import FORM, get, post, row_of, service, until
from tests.integration.webui.site import CSRF, Site, open_site


async def test_what_can_not_be_so_is_said_beside_each_field_and_what_was_written_stays(
    site: Site, target: Target
) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="known", url=target.url("/"))
    wrong = {"url": "ftp://x", "interval": "0.1", "timeout": "soon", "conditions": "[STATUS] ==", "tags": "keep-this"}
    for name, said in (("", "give the service a name"), ("known", "there is a service &#39;known&#39; already")):
        _, text = await post(browser, "/services", 422, name=name, **wrong)
        for field, words in (
            ("name", said), ("url", "a URL begins with"), ("interval", "between 1 s and 7 d"),
            ("timeout", "between 0.1 s and 300 s"), ("conditions", "column"),
        ):  # fmt: skip
            beside = text.split(f'id="wrong-{field}">')[1].split("</p>")[0]
            assert words in beside, (field, beside)
            assert re.search(rf'id="service-{field}"[^>]*aria-invalid="true"', text)
        assert text.lstrip().startswith("<!doctype html>")  # a whole page, for who has no JavaScript
        assert 'value="keep-this"' in text
        assert 'value="ftp://x"' in text
    _, text = await post(browser, "/services", 422, name="js", url="javascript:alert(1)")
    assert "a URL begins with" in text
    _, text = await post(browser, "/services", 422, name="h", url=target.url("/"), headers="no colon")
    assert "write Name: value" in text
    assert '<details class="fold" open>' in text
    assert len(site.worker.database.rows("monitored.page", after="", limit=9)) == 1


async def test_a_file_with_mistakes_is_told_of_on_the_page_and_what_it_describes_is_not_edited_here(
    tmp_path: Path, target: Target
) -> None:
    file = tmp_path / "services.yaml"
    file.write_text(f"services:\n  - name: web\n    url: {target.url('/')}\n    interval: 1s\n")
    async with open_site(tmp_path / "site", services_file=str(file)) as site:
        browser = site.browser("operator")
        await get(browser, "/services")
        row = await until(site, "web", lambda row: row["status"] == "healthy")
        text = await get(browser, "/services")
        assert f'title="{file}">from services.yaml<' in row_of(text, row["id"])
        assert "has mistakes" not in text
        refused = await get(browser, f"/services/{row['id']}/edit", 409)
        assert f"web is described by {file}; change it there" in refused
        changed = {"definition": {"name": "web", "url": target.url("/x")}, "version": row["version"]}
        origin = {"Origin": site.origin, "X-CSRF-Token": CSRF}
        async with browser.put(f"/api/v1/services/{row['id']}", json=changed, headers=origin) as response:
            assert response.status == 409, await response.text()
            assert str(file) in await response.text()
        file.write_text(file.read_text().replace("1s", "<never>"))
        end = time.monotonic() + 10
        while "has mistakes" not in (text := await get(browser, "/services")):
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        assert f"{file} has mistakes; what it said before holds." in text
        assert "Line 4, column 15: interval: " in text
        assert "web" in row_of(text, row["id"])


async def test_test_now_shows_each_phase_and_condition_and_stores_nothing(site: Site, target: Target) -> None:
    target.answer("/", status=503, body=b"<b>no</b>")
    browser = site.browser("operator")
    _, text = await post(browser, "/services", 200, name="web", url=target.url("/"), action="test",
                         conditions="[STATUS] == 200\n[CONNECTED] == true")  # fmt: skip
    tried = text.split('id="tried"')[1].split("</form>")[0]
    assert "[STATUS] (503) == 200" in tried
    assert "does not hold" in tried
    assert "Connection</dt>" in tried
    assert "&lt;b&gt;no&lt;/b&gt;" in tried
    assert 'value="web"' in text
    assert site.worker.database.rows("monitored.page", after="", limit=9) == []
    async with site.browser("viewer").post("/services", data={**FORM, "name": "x", "action": "test"}) as response:
        assert response.status == 403
    assert "Add a service" not in await get(site.browser("viewer"), "/services")


async def test_an_edit_takes_effect_and_one_from_an_old_version_shows_both(site: Site, target: Target) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="web", url=target.url("/old"))
    id_ = service(site, "web")
    text = await get(browser, f"/services/{id_}/edit")
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version is not None
    where, _ = await post(browser, f"/services/{id_}/edit", version=version[1], url=target.url("/new"))
    assert where == "/services/web"
    await until(site, "web", lambda row: row["url"].endswith("/new") and row["status"] == "healthy")
    end = time.monotonic() + 5
    while not target.to("/new"):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    _, text = await post(browser, f"/services/{id_}/edit", 409, version=version[1], url=target.url("/mine"))
    differs = text.split('id="differs"')[1].split("</div>")[0]
    assert target.url("/new") in differs
    assert target.url("/mine") in differs
    assert f'name="version" value="{int(version[1]) + 1}"' in text
    await post(browser, f"/services/{id_}/edit", version=str(int(version[1]) + 1), url=target.url("/mine"))
    sent = [request for request in site.worker.requests if isinstance(request, ChangeService)]
    assert isinstance(sent[-1].definition, Definition)
    assert sent[-1].definition.interval == 1.0
    _, text = await post(browser, f"/services/{id_}/edit", 200, action="test", url=target.url("/mine"))
    assert ">healthy<" in text.split('id="tried"')[1]
    _, text = await post(browser, f"/services/{id_}/edit", 422, url="ftp://x")
    assert 'id="wrong-url"' in text


async def test_rules_are_set_by_the_form_and_a_session_and_its_incident_lead_to_each_other(
    site: Site, target: Target
) -> None:
    target.answer("/", status=503)
    browser = site.browser("operator")
    _, text = await post(
        browser, "/services", 422, name="web", url=target.url("/"), session_tier="9", session_after="0", remind="soon",
        notify="a|b", notify_from="info",
    )  # fmt: skip
    for field, said in (
        ("session_tier", "1, 2 or 3; 0 starts no session"), ("session_after", "failures in a row are 1 to"),
        ("remind", "between 0 s and 31 d"), ("notify", "is no channel"), ("notify_from", "one of critical, warning"),
    ):  # fmt: skip
        assert said in text.split(f'id="wrong-{field}"')[1][:200], field
    await post(
        browser, "/services", name="web", url=target.url("/"), session_tier="2", session_after="", remind="30m",
        session_cooldown="2h", notify="slack ntfy", notify_from="warning", mute="yes",
    )  # fmt: skip
    row = await until(site, "web", lambda row: row["incident_id"] is not None)
    (stored,) = site.worker.database.rows("definitions.page", after=0, limit=1)
    definition = monitored.definition_of(stored["definition"])
    assert (definition.session_tier, definition.session_after, definition.session_cooldown) == (2, None, 7200.0)
    assert (definition.remind, definition.notify, definition.mute) == (1800.0, ("slack", "ntfy"), True)
    text = await get(browser, "/services/web")
    assert "a session of tier 2 is asked for" in text
    session = made.insert(
        site.worker.database, "sessions", tier=2, model="sonnet", prompt_file="p", status="completed",
        trigger="service", started_at=timestamps.now(), incident_id=row["incident_id"],
    )  # fmt: skip
    site.worker.database.change(
        "incidents.enter", incident_id=row["incident_id"], at=timestamps.now(), kind="session", text="it has ended",
        author=None, session_id=session,
    )  # fmt: skip
    assert f'href="/sessions/{session}"' in (await get(browser, "/services/web")).split('id="incidents"')[1]
    assert f'href="/services/web#incident-{row["incident_id"]}"' in await get(browser, f"/sessions/{session}")
