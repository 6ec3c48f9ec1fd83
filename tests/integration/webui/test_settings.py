"""The configuration pages: what is shown to whom, what is kept, what is refused and how it is told."""

import asyncio
import re
from typing import Any

import pytest

from ipc.errors import CallError, Code
from ipc.messages import settings
from ipc.messages.models import ListModels
from schema.configuration import DECLARATIONS
from tests.integration.webui.site import CSRF, Site

SECRET = "sk-ant-not-to-be-seen"


async def read(site: Site, path: str, role: str = "admin", **more: Any) -> tuple[int, str]:
    async with site.browser(role).get(path, **more) as response:
        return response.status, await response.text()


async def post(site: Site, path: str, *, role: str = "admin", **fields: str) -> tuple[int, str, str]:
    async with site.browser(role).post(path, data={"csrf": CSRF, **fields}, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def current(site: Site, name: str) -> str:
    async with site.browser().get(f"/config/{name}.json") as response:
        found: dict[str, str] = await response.json()
    return f"{found['value']} {found['source']}"


async def test_every_setting_is_shown_with_its_source_and_no_secret(site: Site) -> None:
    for role in ("viewer", "operator", "admin"):
        status, text = await read(site, "/config", role)
        assert status == 200
        assert re.findall(r'id="setting-(\w+)"', text) == list(DECLARATIONS)
        assert SECRET not in text
        part = text.partition('id="setting-interval"')[2].partition("</div>")[0]
        assert "<code>1800</code>" in part
        assert "environment" in part
        assert "30 min" in part
        assert ("Changed most often" in text) == (role == "admin")
    for path in ("/config.json", "/config/anthropic_api_key", "/config/anthropic_api_key.json", "/system.json"):
        status, text = await read(site, path)
        assert (status, SECRET in text) == (200, False), path
    status, text = await read(site, "/config/anthropic_api_key")
    assert "Secrets are given in the environment alone" in text
    assert "<form" not in text.partition("<main")[2].partition("</main>")[0]


async def test_an_admin_sets_and_resets_one(site: Site) -> None:
    status, where, _ = await post(site, "/config/interval", value=" 900 ", seen="1800", key="0123456789")
    assert (status, where) == (303, "/config?saved=interval")
    assert await current(site, "interval") == "900 override"
    _, text = await read(site, where)
    assert "interval is 900" in text
    assert '<strong class="tone tone-plan">override</strong>' in text
    status, where, _ = await post(site, "/config/interval/reset", seen="900")
    assert (status, await current(site, "interval")) == (303, "1800 environment")
    _, text = await read(site, "/audit?action=setting.changed")
    assert "1800 → 900" in text
    assert "by admin" in text


async def test_what_was_typed_stays_in_a_form_that_is_refused(site: Site) -> None:
    status, _, text = await post(site, "/config/interval", value="0", seen="1800")
    assert status == 422
    assert "interval: 0 is below 1" in text
    assert 'value="0"' in text
    status, _, text = await post(site, "/config/interval", value="7", seen="60")
    assert status == 409
    assert "interval was changed meanwhile: it is 1800 now, and was 60" in text
    assert 'value="7"' in text
    assert 'name="seen" value="1800"' in text
    assert await current(site, "interval") == "1800 environment"
    status, _, _ = await post(site, "/config/nothing", value="7")
    assert status == 404
    status, _, text = await post(site, "/config/interval", seen="1800")
    assert (status, "The field value is missing" in text) == (422, True)


async def test_operators_and_viewers_only_look(site: Site) -> None:
    for role in ("viewer", "operator"):
        for path in ("/config", "/config/interval", "/config/interval/reset"):
            assert (await post(site, path, role=role, value="7", interval="7"))[0] == 403
        _, text = await read(site, "/config/interval", role)
        assert "An admin can change it." in text
        assert "<form" not in text.partition("<main")[2].partition("</main>")[0]
    assert await current(site, "interval") == "1800 environment"


async def test_the_existing_programs_form_fields_are_taken_all_or_none(site: Site) -> None:
    given = {"interval": "600", "tier1_model": "sonnet", "tier2_model": "", "tier3_model": "opus", "dry_run": "on"}
    status, _, _ = await post(site, "/config", **given)
    assert status == 303
    assert await current(site, "interval") == "600 override"
    assert await current(site, "tier1_model") == "sonnet override"
    assert await current(site, "tier2_model") == "sonnet environment"
    assert await current(site, "dry_run") == "true override"
    status, _, text = await post(site, "/config", interval="900", tier1_model="a\0b")
    assert (status, "tier1_model: line ends and NULs" in text) == (422, True)
    assert await current(site, "interval") == "600 override"
    status, _, text = await post(site, "/config", intervall="900")
    assert (status, "there is no setting &#39;intervall&#39;" in text) == (404, True)
    headers = {"X-CSRF-Token": CSRF, "Accept": "application/json"}
    given_json = {"interval": 1200, "dry_run": False}
    async with site.browser().post("/config", json=given_json, headers=headers) as response:
        told = await response.json()
    assert [(one["name"], one["value"]) for one in told["settings"]] == [("interval", "1200"), ("dry_run", "false")]


async def test_of_the_everyday_form_only_what_was_touched_is_set(site: Site) -> None:
    form = {"interval": "1800", "seen_interval": "1800", "tier1_model": "opus", "seen_tier1_model": "haiku"}
    status, where, _ = await post(site, "/config", **form)
    assert (status, where) == (303, "/config?saved=tier1_model")
    assert await current(site, "interval") == "1800 environment"
    status, where, _ = await post(site, "/config", interval="1800", seen_interval="1800")
    assert (status, where) == (303, "/config")
    status, _, text = await post(site, "/config", tier1_model="sonnet", seen_tier1_model="haiku")
    assert (status, "tier1_model was changed meanwhile" in text) == (409, True)
    assert 'value="sonnet"' in text


async def test_a_list_is_searched_and_filtered(site: Site) -> None:
    await post(site, "/config/notify_level", value="critical")
    _, text = await read(site, "/config?shown=override")
    assert re.findall(r'id="setting-(\w+)"', text) == ["notify_level"]
    _, text = await read(site, "/config?q=quiet+hours")
    assert set(re.findall(r'id="setting-(\w+)"', text)) >= {"quiet_hours", "notify_quiet_hours"}
    _, text = await read(site, "/config?q=nothing+like+it")
    assert "No setting matches" in text
    status, _ = await read(site, "/config?shown=odd")
    assert status == 422


async def test_a_change_holds_in_the_dashboard_without_a_restart(site: Site) -> None:
    _, text = await read(site, "/triggers")
    assert 'value="3"' in text
    await post(site, "/config/max_tier", value="2")
    async with asyncio.timeout(5):
        while 'value="3"' in text:
            await asyncio.sleep(0.02)
            _, text = await read(site, "/triggers")


@pytest.mark.usefixtures("impatient")
async def test_while_the_worker_is_away_the_last_known_is_shown_and_nothing_can_be_changed(site: Site) -> None:
    await read(site, "/config")
    await site.worker.stop()
    async with site.browser().post("/config/interval", data={"csrf": CSRF, "value": "7"}) as response:
        assert response.status in (503, 504)
    while site.parts.worker.ok:
        await asyncio.sleep(0.05)
    status, text = await read(site, "/config/interval")
    assert status == 200
    assert "nothing can be changed until it is back" in text


async def test_the_other_name_leads_to_it(site: Site) -> None:
    async with site.browser().get("/configuration", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, "/config")


async def test_discovered_models_stand_in_the_lists_of_fields_and_only_those_that_were_told(site: Site) -> None:
    pages = ("/config", "/config/tier1_model")
    for path in pages:
        _, text = await read(site, path)
        assert 'list="models"' in text
        options = re.findall(r'<option value="([^"]+)"', text.partition('<datalist id="models">')[2])
        assert options[:5] == ["haiku", "sonnet", "opus", "claude-haiku-4-5", "claude-opus-4-6"], path
    site.worker.refuse[ListModels] = CallError(Code.DEADLINE, "The worker did not answer in time.")
    for path in pages:
        _, text = await read(site, path)
        assert "claude-opus-4-6" not in text, path
        assert '<option value="haiku">' in text, path
    _, text = await read(site, "/config")
    assert "It can’t be asked now: The worker did not answer in time.</p>" in text


async def test_models_are_asked_for_now_by_operators(site: Site) -> None:
    action = 'action="/config/models/refresh"'
    assert action in (await read(site, "/config", "operator"))[1]
    assert action not in (await read(site, "/config", "viewer"))[1]
    assert (await post(site, "/config/models/refresh", role="viewer"))[0] == 403
    site.worker.requests.clear()
    assert (await post(site, "/config/models/refresh", role="operator"))[:2] == (303, "/config#discovered")
    assert [one.refresh for one in site.worker.requests if isinstance(one, ListModels)] == [True]
    headers = {"X-CSRF-Token": CSRF, "Accept": "application/json"}
    async with site.browser("operator").post("/config/models/refresh", headers=headers) as response:
        told = await response.json()
    assert told["models"] == ["claude-haiku-4-5", "claude-opus-4-6"]
    assert set(told) == {"models", "last_refreshed", "discovery_available"}
    site.worker.refuse[ListModels] = CallError(Code.DEADLINE, "The worker did not answer in time.")
    status, _, text = await post(site, "/config/models/refresh")
    assert (status, "The worker did not answer in time." in text) == (504, True)


async def test_a_worker_that_refuses_is_quoted(site: Site) -> None:
    site.worker.refuse[settings.SetSetting] = CallError(Code.DISK_FULL, "the disk is full; free some")
    status, _, text = await post(site, "/config/interval", value="900", seen="1800")
    assert (status, "the disk is full; free some" in text) == (507, True)
    assert 'value="900"' in text
