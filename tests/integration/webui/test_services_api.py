"""The API's services: lists that are filtered, and what is imported, exported and removed by programs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from schema.states import Role
from tests.integration.webui import rows
from tests.integration.webui.site import Site, open_site
from tests.integration.webui.test_tokens import program, token


async def listed(caller: aiohttp.ClientSession, query: str) -> dict[str, Any]:
    async with caller.get(f"/api/v1/services?{query}") as response:
        found: dict[str, Any] = await response.json()
    assert response.status == 200, found
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [service["name"] for service in found["services"]]


async def test_a_list_finds_what_matches_however_far_behind_and_says_where_it_goes_on(site: Site) -> None:
    with site.worker.database.transaction():
        for number in range(261):
            rows.probed(site.worker.database, f"a-{number:03d}", findings=False, tags=("prod",) if number % 2 else ())
        rows.probed(site.worker.database, "zzz", "down", findings=False, tags=("prod",), group="Shop")
    caller = program(site, token(site, Role.VIEWER))
    down = await listed(caller, "status=down")
    assert (names(down), down["next"]) == (["zzz"], "")
    assert down["counts"] == {"healthy": 261, "down": 1}
    tagged = await listed(caller, "tag=prod&limit=200")
    assert len(tagged["services"]) == 131
    assert (names(tagged)[-1], tagged["next"]) == ("zzz", "")
    for words, wanted in (("ZZ", "zzz"), ("zzz.example.org/h", "zzz"), ("shop", "zzz"), ("a-26", "a-260")):
        assert names(await listed(caller, f"q={words}")) == [wanted], words
    assert len(names(await listed(caller, "q=pro&status=healthy&limit=1000"))) == 130
    seen, after = [], ""
    while True:
        page = await listed(caller, f"tag=prod&limit=50&after={after}")
        seen += names(page)
        after = page["next"]
        if not after:
            break
        assert (len(page["services"]), after) == (50, names(page)[-1])
    assert seen == names(tagged)
    # A page that is full with the last that there is has nothing behind it.
    assert (await listed(caller, "limit=262"))["next"] == ""
    assert (await listed(caller, "limit=261"))["next"] == "a-260"


FILE = """services:
  - name: web
    url: http://ada:pa55@127.0.0.1:1/
    paused: true
    headers: {X-Api-Key: s3cret}
  - name: backup
    url: "heartbeat:"
"""
IMPORT = "/api/v1/services/import"


async def sent(caller: aiohttp.ClientSession, method: str, path: str, status: int, **body: Any) -> dict[str, Any]:
    async with caller.request(method, path, **body) as response:
        text = await response.text()
    assert response.status == status, (response.status, text)
    return json.loads(text) if text else {}


def acted(site: Site) -> list[tuple[str, str, str]]:
    entries = site.worker.database.rows("audit.page", before=2**62, limit=50)
    return [(one["actor"], one["action"], one["subject"]) for one in reversed(entries)]


async def test_a_file_is_imported_by_a_program_and_comes_back_without_passwords(site: Site) -> None:
    caller = program(site, token(site, Role.OPERATOR, name="ci"))
    dry = await sent(caller, "POST", f"{IMPORT}?dry_run=true", 200, data=FILE)
    assert (dry["added"], dry["dry_run"], dry["errors"]) == (["web", "backup"], True, [])
    assert names(await listed(caller, "")) == []
    done = await sent(caller, "POST", f"{IMPORT}?file=ops.yaml", 200, data=FILE)
    assert {name: done[name] for name in ("added", "changed", "removed", "unchanged", "errors", "dry_run")} == {
        "added": ["web", "backup"], "changed": [], "removed": [], "unchanged": 0, "errors": [], "dry_run": False
    }  # fmt: skip
    assert names(await listed(caller, "")) == ["backup", "web"]
    async with program(site, token(site, Role.OPERATOR)).get("/api/v1/services/export") as response:
        text = await response.text()
        assert (response.status, response.content_type) == (200, "application/yaml")
    assert "name: backup" in text
    assert "pa55" not in text
    assert "s3cret" not in text
    # What was exported is taken, as YAML or as JSON, and what is not in it goes where that is asked for.
    assert (await sent(caller, "POST", IMPORT, 200, data=text))["unchanged"] == 2
    only = {"services": [{"name": "backup", "url": "heartbeat:", "grace": "5m"}]}
    pruned = await sent(caller, "POST", f"{IMPORT}?prune=1&file=x.json", 200, json=only)
    assert (pruned["changed"], pruned["removed"]) == (["backup"], ["web"])
    assert [one for one in acted(site) if one[1] == "services.imported"] == [
        ("token:ci", "services.imported", "ops.yaml"), ("token:ci", "services.imported", "x.json"),
    ]  # fmt: skip


async def test_a_file_with_a_mistake_is_refused_with_its_place_and_changes_nothing(site: Site) -> None:
    caller = program(site, token(site, Role.OPERATOR))
    wrong = FILE.replace("paused: true", "interval: soon")
    for query in ("?file=ops.yaml", "?file=ops.yaml&dry_run=true"):
        told = await sent(caller, "POST", IMPORT + query, 400, data=wrong)
        (mistake,) = told["errors"]
        assert (mistake["file"], mistake["line"], mistake["column"]) == ("ops.yaml", 4, 15)
        assert mistake["message"].startswith("interval: ")
        assert told["error"].startswith("ops.yaml:4:15: interval: ")
        assert told["error"].endswith("nothing was changed.")
        assert told["added"] == []
    assert names(await listed(caller, "")) == []
    assert "UTF-8" in (await sent(caller, "POST", IMPORT, 400, data=b"\xff\xfe"))["error"]
    assert "is empty" in (await sent(caller, "POST", f"{IMPORT}?prune=true", 400))["error"]
    assert "prune" in (await sent(caller, "POST", f"{IMPORT}?prune=perhaps", 400, data=FILE))["error"]
    viewer = program(site, token(site, Role.VIEWER))
    await sent(viewer, "POST", IMPORT, 403, data=FILE)
    assert acted(site) == []


async def test_a_service_is_deleted_by_its_address_and_one_that_a_file_describes_is_not(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("services:\n  - name: theirs\n    url: http://127.0.0.1:1/\n    paused: true\n")
    async with open_site(tmp_path / "site", services_file=str(file)) as site:
        caller = program(site, token(site, Role.OPERATOR, name="ci"))
        body = {"name": "ours", "url": "http://127.0.0.1:1/", "paused": True}
        ours = (await sent(caller, "POST", "/api/v1/services", 201, json=body))["service"]["id"]
        await sent(program(site, token(site, Role.VIEWER)), "DELETE", f"/api/v1/services/{ours}", 403)
        assert await sent(caller, "DELETE", f"/api/v1/services/{ours}", 204) == {}
        again = await sent(caller, "DELETE", f"/api/v1/services/{ours}", 404)
        assert f"there is no service {ours}" in again["error"]
        assert ("token:ci", "service.removed", "ours") in acted(site)
        async with asyncio.timeout(10):  # the file is read soon after the start
            while not (found := (await listed(caller, ""))["services"]):
                await asyncio.sleep(0.05)
        (left,) = found
        refused = await sent(caller, "DELETE", f"/api/v1/services/{left['id']}", 409)
        assert f"theirs is described by {file}" in refused["error"]


async def test_a_heartbeat_gets_a_fresh_address_and_nothing_else_does(site: Site) -> None:
    caller = program(site, token(site, Role.OPERATOR, name="ci"))
    first = await sent(caller, "POST", "/api/v1/services", 201, json={"name": "backup", "url": "heartbeat:"})
    id_ = first["service"]["id"]
    again = await sent(caller, "POST", f"/api/v1/services/{id_}/push", 201)
    assert again["push_path"].startswith("/heartbeat/")
    assert again["push_path"] != first["push_path"]
    assert (await sent(caller, "GET", f"/api/v1/services/{id_}", 200))["push_path"] == ""
    stranger = site.browser(None)
    for path, status in ((first["push_path"], 404), (again["push_path"], 200)):
        async with stranger.get(path) as response:
            assert response.status == status
    assert ("token:ci", "service.push_renewed", "backup") in acted(site)
    body = {"name": "web", "url": "http://127.0.0.1:1/", "paused": True}
    web = (await sent(caller, "POST", "/api/v1/services", 201, json=body))["service"]["id"]
    assert "only a heartbeat" in (await sent(caller, "POST", f"/api/v1/services/{web}/push", 400))["error"]
    await sent(caller, "POST", "/api/v1/services/999/push", 404)
