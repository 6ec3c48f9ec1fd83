"""People: added with a link, given roles, kept out at once; and the last admin stays."""

import asyncio
import re
import sqlite3
from typing import Any

import aiohttp
import pytest

from schema.access import digest
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read

PASSWORD = "correct horse battery"


async def post(browser: aiohttp.ClientSession, path: str, **fields: str) -> tuple[int, str]:
    async with browser.post(path, data={"csrf": CSRF, **fields}, allow_redirects=False) as response:
        return response.status, await response.text()


async def add(browser: aiohttp.ClientSession, name: str = "bo", role: str = "operator") -> str:
    """Adds a person; the path of the link."""
    status, text = await post(browser, "/users", name=name, role=role)
    assert status == 201, text
    found = re.search(r"http://ops\.example(/password/[\w-]{43})", text)
    assert found is not None
    return found[1]


async def use(site: Site, path: str, password: str = PASSWORD) -> tuple[aiohttp.ClientSession, int]:
    """Opens a link and sets a password."""
    browser = site.browser(None)
    async with browser.get(path) as page:
        text = await page.text()
        if page.status != 200:
            return browser, page.status
    csrf = text.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": csrf, "token": path.rpartition("/")[2], "password": password, "password_again": password}
    async with browser.post("/password", data=fields, allow_redirects=False) as response:
        return browser, response.status


def role_of(site: Site, name: str) -> str:
    row = site.worker.database.one("users.shown", name=name)
    assert row is not None
    return str(row["role"])


async def test_a_person_is_added_sets_a_password_once_and_has_their_role(site: Site) -> None:
    admin = site.browser()
    path = await add(admin)
    async with admin.get("/users") as page:
        assert "no password" in await page.text()
    _, status = await use(site, path, "short")
    assert status == 422
    theirs, status = await use(site, path)
    assert status == 303
    async with theirs.get("/") as page:
        assert "Signed in as <strong>bo</strong>" in await page.text()
    async with theirs.get("/users") as page:
        assert page.status == 403
    _, status = await use(site, path)
    assert status == 403
    with sqlite3.connect(site.worker.database_path) as database:
        stored = "\n".join(database.iterdump())
    secret = path.rpartition("/")[2]
    assert digest(secret) in stored
    assert secret not in stored
    assert role_of(site, "bo") == "operator"


async def test_a_password_link_makes_nobody_an_admin_and_no_setup_link_is_one(site: Site) -> None:
    path = await add(site.browser(), role="viewer")
    stranger = site.browser(None)
    async with stranger.get(path.replace("/password/", "/setup/")) as page:
        assert page.status == 403
    site.worker.setup_link("one-time-link")
    async with stranger.get("/password/one-time-link") as page:
        assert page.status == 403


async def test_a_newer_link_ends_the_one_before_and_a_form_sent_twice_shows_none(site: Site) -> None:
    admin = site.browser()
    path = await add(admin)
    (user,) = site.worker.database.rows("users.page", after=1, limit=9)
    status, text = await post(admin, f"/users/{user['id']}/password-link", key="k" * 16)
    assert (status, "/password/" in text) == (201, True)
    status, text = await post(admin, f"/users/{user['id']}/password-link", key="k" * 16)
    assert (status, "/password/" in text) == (409, False)
    assert (await use(site, path))[1] == 403


async def test_whoever_is_disabled_is_out_at_once_with_streams_and_can_not_come_back(site: Site) -> None:
    admin = site.browser()
    theirs, _ = await use(site, await add(admin))
    async with theirs.get("/sessions.json") as response:
        assert response.status == 200
    stream = read(theirs, "/live?page=overview")
    await anext(stream)
    (user,) = site.worker.database.rows("users.page", after=1, limit=9)
    assert (await post(admin, f"/users/{user['id']}/disable"))[0] == 303
    async with theirs.get("/sessions.json") as response:
        assert response.status == 401
    async with asyncio.timeout(3):
        async for _ in stream:
            pass
    browser = site.browser(None)
    async with browser.get("/sign-in") as page:
        csrf = (await page.text()).split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": csrf, "name": "bo", "password": PASSWORD}
    async with browser.post("/sign-in", data=fields, allow_redirects=False) as response:
        assert response.status == 401
    assert (await post(admin, f"/users/{user['id']}/password-link"))[0] == 409
    assert (await post(admin, f"/users/{user['id']}/enable"))[0] == 303
    async with browser.post("/sign-in", data=fields, allow_redirects=False) as response:
        assert response.status == 303


async def test_another_role_counts_from_the_next_request_on(site: Site) -> None:
    admin = site.browser()
    theirs, _ = await use(site, await add(admin))
    (user,) = site.worker.database.rows("users.page", after=1, limit=9)
    async with theirs.get("/triggers/1/cancel") as response:
        assert response.status == 404
    assert (await post(admin, f"/users/{user['id']}/role", role="viewer"))[0] == 303
    async with theirs.get("/triggers/1/cancel") as response:
        assert response.status == 403


async def token(browser: aiohttp.ClientSession, name: str, role: str) -> str:
    fields = {"csrf": CSRF, "name": name, "role": role}
    async with browser.post("/users/tokens", data=fields, headers={"Accept": "application/json"}) as response:
        assert response.status == 201
        return str((await response.json())["token"])


async def opens(site: Site, shown: str) -> int:
    async with site.browser(None).get("/sessions.json", headers={"Authorization": f"Bearer {shown}"}) as response:
        return response.status


async def test_a_lower_role_takes_the_tokens_with_it_that_may_more(site: Site) -> None:
    cy = site.worker.user("cy", "admin")
    admin, theirs = site.browser(), site.browser("cy")
    made = {role: await token(theirs, f"cy-{role}", role) for role in ("viewer", "operator", "admin")}
    other = await token(admin, "ours", "admin")
    assert (await post(admin, f"/users/{cy}/role", role="operator"))[0] == 303
    assert [await opens(site, made[role]) for role in ("viewer", "operator", "admin")] == [200, 200, 401]
    # Who is disabled has seen the rest as well: the question offers to end them.
    async with admin.get(f"/users/{cy}/disable") as question:
        assert "Revoke 2 API tokens that they made, too" in await question.text()
    assert (await post(admin, f"/users/{cy}/disable"))[0] == 303
    assert await opens(site, made["viewer"]) == 200
    assert (await post(admin, f"/users/{cy}/disable", tokens="yes"))[0] == 303
    assert [await opens(site, one) for one in made.values()] == [401] * 3
    assert await opens(site, other) == 200
    lines = site.worker.database.rows("audit.page_by_action", action="token.revoked", before=1 << 40, limit=9)
    assert [(row["subject"], row["actor"], row["detail"]) for row in reversed(lines)] == [
        ("cy-admin", "admin", "made by cy"),
        ("cy-operator", "admin", "made by cy"),
        ("cy-viewer", "admin", "made by cy"),
    ]


@pytest.mark.parametrize(("path", "fields"), [("role", {"role": "viewer"}), ("disable", {})])
async def test_the_last_admin_stays_one(site: Site, path: str, fields: dict[str, str]) -> None:
    admin = site.browser()
    link = await add(admin, "cy", "admin")  # who has no password can't administer yet
    status, text = await post(admin, f"/users/1/{path}", **fields)
    assert status == 409
    assert "last admin" in text
    assert role_of(site, "admin") == "admin"
    await use(site, link)
    assert (await post(admin, f"/users/1/{path}", **fields))[0] == 303
    other = site.browser(None)
    async with other.get("/users") as page:
        assert "sign-in" in str(page.url)


async def test_what_can_not_be_is_told_in_the_form(site: Site) -> None:
    admin = site.browser()
    await add(admin)
    for name, role, told in (("BO", "viewer", "already"), ("", "viewer", "Give a name"), ("x", "boss", "A role is"),
                             ("token:x", "viewer", "does not begin")):  # fmt: skip
        status, text = await post(admin, "/users", name=name, role=role)
        assert status in (409, 422)
        assert told in text
    assert (await post(admin, "/users/99/enable"))[0] == 404


async def test_what_was_done_stands_in_the_audit_log_whose_chain_holds(site: Site) -> None:
    admin = site.browser()
    await use(site, await add(admin))
    await post(admin, "/users/2/role", role="viewer")
    await post(admin, "/users/2/disable")
    await post(admin, "/users/2/enable")
    rows = site.worker.database.rows("audit.page", before=99, limit=99)
    assert [(row["actor"], row["action"]) for row in reversed(rows)] == [
        ("admin", "user.added"),
        ("bo", "user.password_set"),
        ("admin", "user.role"),
        ("admin", "user.disabled"),
        ("admin", "user.enabled"),
    ]


async def test_the_menu_shows_the_page_to_admins_alone(site: Site) -> None:
    for role, there in (("admin", True), ("operator", False), ("viewer", False)):
        async with site.browser(role).get("/sessions") as page:
            assert ('href="/users"' in await page.text()) is there, role


async def test_a_sign_in_of_whoever_is_disabled_counts_for_nothing_however_it_came_to_be(site: Site) -> None:
    """One that was judged while they were disabled, say."""
    bo = site.worker.user("bo", "operator")
    assert (await post(site.browser(), f"/users/{bo}/disable"))[0] == 303
    late = site.browser("bo")
    async with late.get("/sessions.json") as response:
        assert response.status == 401


async def test_what_is_read_while_sign_ins_are_forgotten_is_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.browser("operator")
    state, read_really = site.parts.state, site.parts.state.read
    looks = 0

    async def read_and_forget(query: Any) -> Any:
        nonlocal looks
        looks += 1
        found = await read_really(query)
        site.parts.sign_ins.forget()
        return found

    monkeypatch.setattr(state, "read", read_and_forget)
    for _ in range(2):
        assert await site.parts.sign_ins.check(digest("token-of-operator-0")) is not None
    assert looks == 2, "what may be out of date is looked up again"
