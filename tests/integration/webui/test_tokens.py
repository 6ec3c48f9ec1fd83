"""API tokens: each stays within its role and scopes, is shown once, is over when revoked, and can't be guessed."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from schema import timestamps
from schema.access import SCOPES_OF, Scope, digest, new_token
from schema.states import Role
from tests.integration.webui.site import CSRF, Site, open_site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_access import OPEN, address, registered
from webui import routes
from webui.auth.rules import may

ASKED_ALWAYS = {"Hello", "Status", "ListSettings", "TokenUsed", "SignInFailed"}


def token(site: Site, role: Role = Role.VIEWER, scopes: str | None = None, **columns: Any) -> str:
    """A token that is good for all of its role."""
    made = new_token()
    site.worker.database.value(
        "tokens.insert",
        name=columns.get("name", f"{role.value} {made[-6:]}"),
        role=role.value,
        scopes=" ".join(SCOPES_OF[role]) if scopes is None else scopes,
        token_hash=digest(made),
        created_at=timestamps.now(),
        created_by="ada",
        expires_at=columns.get("expires_at"),
    )
    return made


def program(site: Site, shown: str, **headers: str) -> aiohttp.ClientSession:
    """Something without cookies that shows a token."""
    return site.browser(None, headers={"Authorization": f"Bearer {shown}", "Accept": "*/*", **headers})


def not_open(site: Site) -> list[tuple[str, str]]:
    known = [("GET" if method == "HEAD" else method, canonical) for method, canonical in registered(site)]
    return sorted({pair for pair in known if pair not in OPEN})


@pytest.mark.parametrize("role", list(Role))
async def test_on_every_route_a_token_may_what_its_role_may(site: Site, role: Role) -> None:
    site.worker.session(log=b"x\n")
    token(site)  # number 1, which the admin's walk revokes
    caller = program(site, token(site, role))
    refused = 0
    for method, canonical in not_open(site):
        access = site.parts.access[(method, canonical)]
        async with caller.request(method, address(canonical), allow_redirects=False) as response:
            endless = response.content_type == "text/event-stream"
            text = "" if endless else await response.text()
        where = f"{method} {canonical}: {response.status} {text[:200]}"
        allowed = may(role, access) and (method == "GET" or Scope.ACT in SCOPES_OF[role])
        if allowed:
            assert response.status not in (401, 403), where
            assert "/sign-in" not in response.headers.get("Location", ""), where
        else:
            assert response.status == 403, where
            assert response.content_type == "application/json", where
            refused += 1
    assert refused == 0 if role is Role.ADMIN else refused > 10


async def test_a_token_of_a_viewer_can_change_nothing(site: Site) -> None:
    caller = program(site, token(site), Accept="application/json")
    for method, canonical in not_open(site):
        if method != "GET":
            async with caller.request(method, address(canonical), json={"role": "admin", "name": "x"}) as response:
                assert response.status == 403, canonical
    assert {type(request).__name__ for request in site.worker.requests} <= ASKED_ALWAYS


async def test_whatever_is_not_a_good_token_is_refused_on_every_route_as_json(site: Site) -> None:
    past = "2020-01-01T00:00:00.000Z"
    over = token(site, Role.ADMIN, expires_at=past)
    gone = token(site, Role.ADMIN, name="gone")
    site.worker.database.change("tokens.revoke", id=2, now=timestamps.now(), by="ada")
    for shown, why in ((over, "expired"), (gone, "revoked"), (new_token(), "no such token")):
        caller = program(site, shown, Accept="text/html")
        walked = not_open(site) if shown is not over else not_open(site)[:5]
        for method, canonical in walked:
            async with caller.request(method, address(canonical), allow_redirects=False) as response:
                told = await response.json()
            if response.status == 429:
                assert why == "no such token"
                break
            assert response.status == 401, canonical
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            # Ollama's clients and senders of webhooks know no more than a sentence.
            error = told["error"]
            assert why in (error if isinstance(error, str) else error["message"])


async def test_a_request_with_a_cookie_and_a_token_counts_as_the_token(site: Site) -> None:
    admin = site.browser("admin")
    shown = {"Authorization": f"Bearer {token(site)}"}
    async with admin.get("/users", headers=shown) as response:
        assert response.status == 403
    async with admin.post("/sessions/trigger", data={"csrf": CSRF, "prompt": "x"}, headers=shown) as response:
        assert response.status == 403
    async with admin.get("/", headers={"Authorization": f"Bearer {new_token()}"}) as response:
        assert response.status == 401
    async with admin.get("/", headers={"Authorization": "Basic eDp5"}) as response:
        assert response.status == 200


async def test_a_token_needs_no_form_token_and_stands_in_the_rows_by_its_name(site: Site) -> None:
    caller = program(site, token(site, Role.OPERATOR, name="deploys"))
    async with caller.post("/sessions/trigger", data={"prompt": "look"}, allow_redirects=False) as response:
        assert response.status == 303
    (asked,) = [one for one in site.worker.requests if type(one).__name__ == "TriggerSession"]
    assert asked.by == "token:deploys"  # type: ignore[attr-defined]
    async with caller.post("/sign-out") as response:
        assert response.status == 422


async def test_no_form_of_another_origin_is_taken_with_a_token_either(site: Site) -> None:
    caller = program(site, token(site, Role.ADMIN), Origin="https://evil.example")
    async with caller.post("/sessions/trigger", data={"prompt": "x"}) as response:
        assert response.status == 403


async def test_scopes_narrow_what_a_role_may(site: Site) -> None:
    scrape, acts = program(site, token(site, Role.ADMIN, "metrics")), program(site, token(site, Role.OPERATOR, "act"))
    reads = program(site, token(site, Role.ADMIN, "read"))
    found = {}
    for name, caller in (("scrape", scrape), ("acts", acts), ("reads", reads)):
        away = {"X-Forwarded-For": "10.0.0.9"}
        async with (
            caller.get("/metrics", headers=away) as metrics,
            caller.get("/sessions.json") as page,
            caller.post("/sessions/trigger", data={"prompt": "x"}, allow_redirects=False) as act,
        ):
            found[name] = (metrics.status, page.status, act.status)
    assert found == {"scrape": (200, 403, 403), "acts": (403, 403, 303), "reads": (403, 200, 403)}


@pytest.mark.parametrize(
    ("scopes", "expires_at"), [("act", None), ("read act", None), (None, "2126-01-01T00:00:00.000Z")]
)
async def test_an_admin_token_with_bounds_makes_nothing_that_has_none(
    site: Site, scopes: str | None, expires_at: str | None
) -> None:
    bo = site.worker.user("bo", "viewer")
    caller = program(site, token(site, Role.ADMIN, scopes, expires_at=expires_at))
    granting = [route for route in routes.TABLE if route.grants]
    ends = {route.path.rpartition("/")[2] for route in granting}
    assert ends == {"users", "role", "enable", "password-link", "tokens"}
    for route in granting:
        body = {"name": "x", "role": "admin"}
        async with caller.request(route.method, re.sub(r"{[^}]+}", str(bo), route.path), data=body) as response:
            assert response.status == 403, route.path
            assert "A token that ends, or has not every scope" in await response.text()
    assert site.worker.database.rows("tokens.page", before=99, since="", limit=9)[1:] == []
    assert [user["role"] for user in site.worker.database.rows("users.page", after=0, limit=9)] == ["viewer"]
    async with caller.post(f"/users/{bo}/disable", allow_redirects=False) as response:
        assert response.status == 303  # what takes away, it may


async def stream_over(site: Site, shown: str, end: Any) -> float:
    """How long a live stream goes on after `end`."""
    stream = read(program(site, shown), "/live?page=overview")
    await anext(stream)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await end()
    async with asyncio.timeout(20):
        async for _ in stream:
            pass
    return loop.time() - began


async def test_a_stream_ends_at_once_when_its_token_is_revoked(site: Site) -> None:
    shown = token(site, name="watcher")

    async def revoke() -> None:
        data = {"csrf": CSRF}
        async with site.browser().post("/users/tokens/1/revoke", data=data, allow_redirects=False) as response:
            assert response.status == 303
        async with program(site, shown).get("/sessions.json") as response:
            assert response.status == 401

    assert await stream_over(site, shown, revoke) < 3


async def test_a_stream_ends_when_its_token_expires(site: Site) -> None:
    shown = token(site)

    async def expire() -> None:
        site.worker.database.script("UPDATE api_tokens SET expires_at = '2020-01-01T00:00:00.000Z'")

    assert await stream_over(site, shown, expire) < 8


async def test_wrong_tokens_are_slowed_down_by_address_and_nobody_else_is(tmp_path: Path) -> None:
    async with open_site(tmp_path, trusted_proxies="127.0.0.0/8") as site:
        good, fresh = token(site), token(site)
        here = {"X-Forwarded-For": "203.0.113.7"}
        async with program(site, good, **here).get("/sessions.json") as response:
            assert response.status == 200
        statuses = []
        for _ in range(30):
            async with program(site, new_token(), **here).get("/sessions.json") as response:
                statuses.append(response.status)
                retry = response.headers.get("Retry-After")
        assert statuses[:20] == [401] * 20
        assert statuses.count(401) <= 22
        assert retry is not None
        async with program(site, fresh, **here).get("/sessions.json") as response:
            assert response.status == 429, "a guess that is right is not looked up"
        async with program(site, good, **here).get("/sessions.json") as response:
            assert response.status == 200, "who was let in before goes on"
        async with program(site, fresh, **{"X-Forwarded-For": "198.51.100.1"}).get("/sessions.json") as response:
            assert response.status == 200
        browser = site.browser(None)
        async with browser.get("/sign-in", headers=here) as page:
            csrf = re.search(r'name="csrf" value="([^"]+)"', await page.text())
        assert csrf is not None
        fields = {"csrf": csrf[1], "name": "ada", "password": "wrong password"}
        async with browser.post("/sign-in", data=fields, headers=here) as response:
            assert response.status == 401, "a program's wrong token keeps no person out"


async def test_a_token_is_made_shown_once_and_kept_nowhere(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    browser = site.browser()
    fields = {"csrf": CSRF, "key": "k" * 16, "name": "grafana", "role": "operator", "expires": "30", "scopes": "read"}
    async with browser.post("/users/tokens", data=fields) as response:
        assert response.status == 201
        assert response.headers["Cache-Control"] == "no-store"
        (shown,) = set(re.findall(r"co_[\w-]{43}", await response.text()))
    async with program(site, shown).get("/sessions.json") as response:
        assert response.status == 200
    async with browser.post("/users/tokens", data=fields) as again:
        assert again.status == 409
        assert "co_" not in await again.text()
    for path in ("/users", "/users.json", "/audit", "/audit.json"):
        async with browser.get(path) as page:
            text = await page.text()
            assert "grafana" in text, path
            assert shown not in text, path
    with sqlite3.connect(site.worker.database_path) as database:
        stored = "\n".join(database.iterdump())
    assert digest(shown) in stored
    assert shown not in stored
    assert shown[3:] not in stored
    assert shown not in "".join(capfd.readouterr())
    (row,) = site.worker.database.rows("tokens.page", before=99, since="", limit=9)
    assert (row["role"], row["scopes"], row["created_by"]) == ("operator", "read", "admin")
    assert site.worker.database.rows("audit.page_by_action", action="token.created", before=99, limit=9)


async def test_a_program_makes_a_token_in_json(site: Site) -> None:
    caller = program(site, token(site, Role.ADMIN, name="root"), Accept="application/json")
    given = {"name": "ci", "role": "viewer", "expires_at": "2099-01-01T00:00:00Z"}
    async with caller.post("/users/tokens", json=given) as response:
        made = await response.json()
    assert response.status == 201
    assert (made["name"], made["scopes"], made["created_by"]) == ("ci", ["read", "metrics"], "token:root")
    async with program(site, made["token"]).get("/sessions.json") as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "Give a name."),
        ({"name": "12"}, "no number"),
        ({"name": "token:x"}, "does not begin with"),
        ({"name": "Key:x"}, "does not begin with key:"),
        ({"role": "boss"}, "A role is"),
        ({"scopes": "act"}, "can&#39;t have the scope act"),
        ({"scopes": "fly"}, "scopes are"),
        ({"expires": "0"}, "number of days"),
        ({"expires": "", "expires_at": "2020-01-01T00:00:00Z"}, "has passed"),
        ({"expires": "", "expires_at": "soon"}, "no time"),
    ],
)
async def test_a_token_that_can_not_be_is_not_made_and_the_form_says_why(
    site: Site, fields: dict[str, str], told: str
) -> None:
    given = {"csrf": CSRF, "name": "x", "role": "viewer", "expires": "7", **fields}
    async with site.browser().post("/users/tokens", data=given) as response:
        text = await response.text()
    assert response.status == 422
    assert told in text
    assert "co_" not in text
    assert site.worker.database.rows("tokens.page", before=99, since="", limit=9) == []


async def test_a_name_is_free_again_when_its_token_is_over(site: Site) -> None:
    token(site, name="ci")
    token(site, name="old", expires_at="2020-01-01T00:00:00.000Z")
    browser = site.browser()
    for name, status in (("CI", 409), ("old", 201)):
        async with browser.post("/users/tokens", data={"csrf": CSRF, "name": name, "role": "viewer"}) as response:
            assert response.status == status, name


async def test_when_a_token_was_used_is_noted_once_a_minute(site: Site) -> None:
    caller = program(site, token(site))
    for _ in range(5):
        async with caller.get("/sessions.json") as response:
            assert response.status == 200
    await asyncio.sleep(0.3)
    assert [type(request).__name__ for request in site.worker.requests].count("TokenUsed") == 1
    row = site.worker.database.one("tokens.by_id", id=1)
    assert row is not None
    assert row["last_used_from"] == "127.0.0.1"
    assert row["last_used_at"]


async def test_many_wrong_tokens_at_a_time_are_as_many_as_one_after_the_other(site: Site) -> None:
    async def guess(shown: str) -> int:
        async with program(site, shown).get("/sessions.json") as response:
            return response.status

    good = token(site)
    assert set(await asyncio.gather(*(guess(good) for _ in range(60)))) == {200}
    statuses = await asyncio.gather(*(guess(new_token()) for _ in range(60)))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 20


@pytest.mark.usefixtures("impatient")
async def test_without_the_worker_a_good_token_reads_on_and_a_wrong_one_is_not_judged(site: Site) -> None:
    caller = program(site, token(site))
    await site.worker.stop()
    async with caller.get("/sessions.json") as response:
        assert response.status == 200
    async with program(site, new_token()).get("/sessions") as response:
        told = await response.json()
    assert response.status in (503, 504)
    assert told["error"]["code"] in ("unavailable", "deadline")
