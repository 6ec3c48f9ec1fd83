"""Programs of admins add people, make tokens and standing rules by the API; each is a line in the audit log."""

from typing import Any

import aiohttp
import pytest

from ipc.messages.limits import AddRule, ClearCooldown, RevokeRule
from schema.access import digest
from tests.integration.webui.site import CSRF, Site

LATER = "2099-01-31T08:00:00Z"


async def ask(browser: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {"X-CSRF-Token": CSRF, "Accept": "application/json"}
    async with browser.request(method, f"/api/v1/{path}", json=body, headers=headers) as response:
        return response.status, await response.json() if response.status != 204 else None


async def test_a_person_is_added_changed_kept_out_and_let_in(site: Site) -> None:
    admin = site.browser()
    status, made = await ask(admin, "POST", "users", {"name": "bo", "role": "admin"})
    assert (status, made["user"]["name"], made["user"]["password"]) == (201, "bo", False)
    id_ = made["user"]["id"]
    async with site.browser(None).get(made["link"].removeprefix("http://ops.example")) as page:
        assert (page.status, "Set a password for bo" in await page.text()) == (200, True)
    assert (await ask(admin, "POST", "users", {"name": "BO"}))[0] == 409
    assert (await ask(admin, "POST", "users", {"name": "token:x"}))[0] == 400
    status, again = await ask(admin, "POST", f"users/{id_}/password-link")
    assert (status, again["link"] != made["link"]) == (200, True)
    bo = site.browser("bo")
    assert (await ask(bo, "POST", "tokens", {"name": "bos", "role": "operator"}))[0] == 201
    status, changed = await ask(admin, "POST", f"users/{id_}/role", {"role": "viewer"})
    assert (status, changed["user"]["role"], changed["revoked"]) == (200, "viewer", ["bos"])
    status, changed = await ask(admin, "POST", f"users/{id_}/disable", {"revoke_tokens": True})
    assert (status, bool(changed["user"]["disabled_at"])) == (200, True)
    assert (await ask(bo, "GET", "sessions"))[0] == 401
    assert (await ask(admin, "POST", f"users/{id_}/enable"))[1]["user"]["disabled_at"] is None
    assert (await ask(admin, "POST", "users/99/enable"))[0] == 404
    known = site.worker.database.one("users.shown", name="admin")
    assert known is not None
    status, told = await ask(admin, "POST", f"users/{known['id']}/role", {"role": "viewer"})
    assert (status, "last admin" in told["error"]) == (409, True)
    lines = site.worker.database.rows("audit.page", before=1 << 40, limit=20)
    assert {row["action"] for row in lines if row["actor"] == "admin"} >= {
        "user.added",
        "user.role",
        "user.disabled",
        "user.enabled",
        "user.password_link",
        "token.revoked",
    }


async def test_a_token_is_told_once_counts_and_ends(site: Site) -> None:
    admin = site.browser()
    body = {"name": "board", "role": "viewer", "scopes": ["read"], "expires_at": LATER}
    status, made = await ask(admin, "POST", "tokens", body)
    assert (status, made["scopes"], made["fingerprint"]) == (201, ["read"], digest(made["token"])[:12])
    assert made["token"].startswith("co_")
    _, listed = await ask(admin, "GET", "tokens")
    assert [one["name"] for one in listed["tokens"]] == ["board"]
    assert made["token"] not in str(listed)
    program = site.browser(None, headers={"Authorization": f"Bearer {made['token']}"})
    assert (await ask(program, "GET", "sessions"))[0] == 200
    for wrong in ({"scopes": ["act"]}, {"expires_at": "soon"}, {"expires_at": "2001-01-01T00:00:00Z"}, {"name": "7"}):
        status, told = await ask(admin, "POST", "tokens", {**body, "name": "other", **wrong})
        assert (status, set(told)) == (400, {"error"}), wrong
    assert (await ask(admin, "POST", "tokens", body))[0] == 409
    assert (await ask(admin, "DELETE", f"tokens/{made['id']}"))[0] == 204
    assert (await ask(program, "GET", "sessions"))[0] == 401
    assert (await ask(admin, "DELETE", f"tokens/{made['id']}"))[0] == 409
    assert (await ask(admin, "DELETE", "tokens/0"))[0] == 404


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_who_is_no_admin_grants_nothing(site: Site, role: str) -> None:
    caller = site.browser(role)
    for path, body in (
        ("users", {"name": "x"}),
        ("users/1/role", {"role": "admin"}),
        ("users/1/disable", {}),
        ("users/1/enable", None),
        ("users/1/password-link", None),
        ("tokens", {"name": "x", "role": "viewer"}),
        ("rules", {"decision": "allow", "pattern": "docker *"}),
    ):
        assert (await ask(caller, "POST", path, body))[0] == 403, path
    assert (await ask(caller, "DELETE", "tokens/1"))[0] == 403
    assert (await ask(caller, "DELETE", "rules/1"))[0] == 403


async def test_a_standing_rule_and_cleared_counters_reach_the_worker(site: Site) -> None:
    admin = site.browser()
    body = {"decision": "allow", "pattern": "docker restart *", "tier": 2, "reason": "known", "expires_at": LATER}
    status, made = await ask(admin, "POST", "rules", body)
    assert (status, made["decision"], made["pattern"], made["tier"]) == (201, "allow", "docker restart *", 2)
    assert made["expires_at"] == "2099-01-31T08:00:00.000Z"
    for wrong in ({"decision": "maybe"}, {"pattern": " "}, {"tier": 4}, {"expires_at": "soon"}):
        assert (await ask(admin, "POST", "rules", {**body, **wrong}))[0] == 400, wrong
    _, listed = await ask(admin, "GET", "rules")
    assert [one["pattern"] for one in listed["rules"]] == ["docker restart *"]
    assert (await ask(admin, "DELETE", f"rules/{made['id']}"))[0] == 204
    status, listed = await ask(site.browser("operator"), "POST", "cooldowns/clear", {"service": "web"})
    assert (status, set(listed)) == (200, {"cooldowns"})
    asked = [request for request in site.worker.requests if isinstance(request, AddRule | RevokeRule | ClearCooldown)]
    assert [(type(request).__name__, request.by) for request in asked] == [
        ("AddRule", "admin"),
        ("RevokeRule", "admin"),
        ("ClearCooldown", "operator"),
    ]
