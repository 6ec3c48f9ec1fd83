"""Setting up, signing in and out, and what slows down whoever guesses."""

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.users import SignIn, SignInFailed, SignInReply, SignInSeen
from schema import timestamps
from schema.access import digest
from tests.integration.webui.site import Site, open_site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_users import post

PASSWORD = "correct horse battery"


async def token_of(browser: aiohttp.ClientSession, path: str) -> str:
    """The token in a form."""
    async with browser.get(path) as response:
        return (await response.text()).split('name="csrf" value="')[1].split('"')[0]


async def set_up(site: Site, link: str = "one-time-link", **fields: str) -> tuple[aiohttp.ClientSession, Any]:
    site.worker.setup_link(link)
    browser = site.browser(None)
    csrf = await token_of(browser, f"/setup/{link}")
    given = {"name": "ada", "password": PASSWORD, "password_again": PASSWORD, **fields}
    response = await browser.post("/setup", data={"csrf": csrf, "token": link, **given}, allow_redirects=False)
    return browser, response


async def sign_in(
    site: Site, password: str, name: str = "ada", **headers: str
) -> tuple[aiohttp.ClientSession, Any, str]:
    browser = site.browser(None)
    csrf = await token_of(browser, "/sign-in")
    async with browser.post(
        "/sign-in",
        data={"csrf": csrf, "name": name, "password": password, "next": "/sessions?tier=1"},
        headers=headers,
        allow_redirects=False,
    ) as response:
        return browser, response, await response.text()


async def test_a_setup_link_makes_an_administrator_once(site: Site) -> None:
    async with site.browser(None).get("/sign-in") as response:
        assert "claudeopsctl setup-link" in await response.text()
    browser, response = await set_up(site)
    assert response.status == 303
    cookie = response.cookies["claudeops"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    async with browser.get("/") as page:
        assert "Signed in as <strong>ada</strong>" in await page.text()
    async with site.browser(None).get("/setup/one-time-link") as again:
        assert again.status == 403
        assert "claudeopsctl setup-link" in await again.text()
    stored = str(site.worker.database.rows("users.by_name", name="ada"))
    assert "$argon2id$" in stored
    assert PASSWORD not in stored


async def test_a_setup_link_says_whether_it_makes_the_first_account_or_one_beside_others(site: Site) -> None:
    site.worker.setup_link("early-link")
    async with site.browser(None).get("/setup/early-link") as response:
        assert "Create the first administrator" in await response.text()
    await set_up(site)
    async with site.browser(None).get("/setup/early-link") as response:
        text = await response.text()
    assert "Create the first administrator" not in text
    assert "that of a user who is there gets the password below" in text


async def test_a_setup_form_that_can_not_be_used_says_why_and_keeps_the_link(site: Site) -> None:
    _, response = await set_up(site, password="short", password_again="short")
    assert response.status == 422
    assert "at least 12 characters" in await response.text()
    async with site.browser(None).get("/setup/one-time-link") as again:
        assert again.status == 200


async def test_signing_in_leads_to_where_one_wanted_to_go_and_signing_out_takes_effect_at_once(site: Site) -> None:
    await set_up(site)
    browser, response, _ = await sign_in(site, PASSWORD)
    assert (response.status, response.headers["Location"]) == (303, "/sessions?tier=1")
    stolen = {"claudeops": response.cookies["claudeops"].value}
    csrf = await token_of(browser, "/")
    async with browser.post("/sign-out", data={"csrf": csrf}, allow_redirects=False) as out:
        assert out.headers["Location"] == "/sign-in"
    async with site.browser(None).get("/", cookies=stolen, allow_redirects=False) as after:
        assert after.headers["Location"] == "/sign-in"


async def test_a_wrong_password_and_an_unknown_name_read_the_same(site: Site) -> None:
    await set_up(site)
    answers = [await sign_in(site, "wrong password", name) for name in ("ada", "eve")]
    assert [response.status for _, response, _ in answers] == [401, 401]
    assert all("Name or password is wrong." in text for _, _, text in answers)
    assert all("claudeops" not in response.cookies for _, response, _ in answers)


async def test_twenty_wrong_passwords_are_slowed_down_and_the_owner_gets_in_from_elsewhere(tmp_path: Path) -> None:
    async with open_site(tmp_path, trusted_proxies="127.0.0.0/8") as site:
        await set_up(site)
        statuses = [
            (await sign_in(site, f"wrong {n}", **{"X-Forwarded-For": "203.0.113.7"}))[1].status for n in range(20)
        ]
        assert statuses[:5] == [401] * 5
        assert statuses.count(429) >= 10
        _, slowed, text = await sign_in(site, PASSWORD, **{"X-Forwarded-For": "203.0.113.7"})
        assert slowed.status == 429
        assert int(slowed.headers["Retry-After"]) >= 1
        assert "Too many wrong passwords." in text
        _, fresh, _ = await sign_in(site, PASSWORD, **{"X-Forwarded-For": "198.51.100.1"})
        assert fresh.status == 303


async def tried(browser: aiohttp.ClientSession, password: str) -> int:
    """One sign-in in a browser that keeps its cookies; the status."""
    fields = {"csrf": await token_of(browser, "/sign-in"), "name": "ada", "password": password}
    async with browser.post("/sign-in", data=fields, allow_redirects=False) as response:
        return response.status


async def test_who_guesses_from_the_same_address_keeps_no_browser_out_that_was_in_before(site: Site) -> None:
    """As behind a proxy that is not trusted, where everybody comes from one."""
    browser, _ = await set_up(site)
    csrf = await token_of(browser, "/")
    async with browser.post("/sign-out", data={"csrf": csrf}) as out:
        assert out.status == 200
    thief = site.browser(None)
    statuses = [await tried(thief, f"wrong {number}") for number in range(12)]
    assert statuses[-1] == 429
    fresh = site.browser(None)
    assert await tried(fresh, PASSWORD) == 429
    assert await tried(browser, PASSWORD) == 303

    # It is no way to guess, for its own failures count.
    csrf = await token_of(browser, "/")
    async with browser.post("/sign-out", data={"csrf": csrf}) as out:
        assert out.status == 200
    assert 429 in [await tried(browser, f"wrong {number}") for number in range(8)]
    details = [line[2] for line in lines(site, "user.sign_in_failed")]
    assert details[-1].startswith("from 127.0.0.1 in a browser of theirs, ")


async def test_a_known_browser_is_known_until_the_password_changes(site: Site) -> None:
    browser, response = await set_up(site)
    cookie = response.cookies["claudeops_known"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/sign-in", True, "Strict")
    thief = site.browser(None)
    for number in range(12):
        await tried(thief, f"wrong {number}")
    _, response = await set_up(site, "another-link", password="another password", password_again="another password")
    assert response.status == 303
    async with browser.get("/", allow_redirects=False) as page:
        assert page.headers["Location"] == "/sign-in"
    assert await tried(browser, "another password") == 429


async def test_many_guesses_at_a_time_are_judged_one_after_the_other(site: Site) -> None:
    await set_up(site)
    answers = await asyncio.gather(*(sign_in(site, f"wrong {number}") for number in range(14)))
    statuses = [response.status for _, response, _ in answers]
    assert statuses.count(401) <= 6
    assert set(statuses) <= {401, 429}


async def test_a_foreign_target_after_signing_in_is_not_followed(site: Site) -> None:
    await set_up(site)
    browser = site.browser(None)
    csrf = await token_of(browser, "/sign-in?next=//evil.example")
    async with browser.post(
        "/sign-in",
        data={"csrf": csrf, "name": "ada", "password": PASSWORD, "next": "https://evil.example/"},
        allow_redirects=False,
    ) as response:
        assert response.headers["Location"] == "/"


async def test_behind_https_cookies_are_secure_and_another_host_is_refused(tmp_path: Path) -> None:
    async with open_site(tmp_path, public_url="https://ops.example.org") as site:
        site.worker.setup_link("link")
        browser = site.browser(None)
        async with browser.get("/setup/link", headers={"Host": "ops.example.org"}) as response:
            assert response.cookies["claudeops_form"]["secure"]
        async with browser.get("/sign-in", headers={"Host": "rebound.example"}) as response:
            assert response.status == 421
        async with browser.get("/healthz", headers={"Host": "10.1.2.3:8080"}) as response:
            assert response.status == 200


async def test_a_sign_in_that_is_used_lasts_longer(site: Site) -> None:
    browser = site.browser("viewer")
    with site.worker.database.transaction():
        site.worker.database.script(
            "UPDATE sign_ins SET seen_at = '2026-01-01T00:00:00.000Z', expires_at = '2199-01-01T00:00:00.000Z'"
        )
    async with browser.get("/sessions") as response:
        assert response.cookies["claudeops"]["max-age"]
    await asyncio.sleep(0.3)
    seen = [type(request).__name__ for request in site.worker.requests]
    assert seen.count("SignInSeen") == 1


async def test_a_sign_in_that_is_used_every_day_ends_all_the_same(site: Site) -> None:
    browser, day, never = site.browser("viewer"), 86400, "2199-01-01T00:00:00.000Z"
    for age, ends_in, lasts in ((80, 10, True), (91, -1, False)):
        begun, ago = timestamps.at(time.time() - age * day), timestamps.at(time.time() - 2 * day)
        with site.worker.database.transaction():
            site.worker.database.script(
                f"UPDATE sign_ins SET created_at = '{begun}', seen_at = '{ago}', expires_at = '{never}'"
            )
        site.parts.sign_ins.forget()
        async with browser.get("/sessions.json") as response:
            assert response.status == 200
        await asyncio.sleep(0.3)
        row = site.worker.database.one("users.by_sign_in", token_hash=digest("token-of-viewer-0"), now="")
        assert row is not None
        left = timestamps.parse(row["expires_at"]).timestamp() - time.time()
        assert abs(left - ends_in * day) < 60
        async with browser.get("/sessions.json") as response:
            assert response.status == (200 if lasts else 401)


def lines(site: Site, action: str) -> list[tuple[str, str, str]]:
    rows = site.worker.database.rows("audit.page_by_action", action=action, before=1 << 62, limit=500)
    return [(row["actor"], row["subject"], row["detail"]) for row in reversed(rows)]


async def test_a_cookie_that_somebody_planted_is_not_taken_over(site: Site) -> None:
    await set_up(site)
    planted = site.browser(None, headers={"Cookie": "claudeops=planted-by-a-thief"})
    async with planted.get("/sign-in") as page:
        csrf = (await page.text()).split('name="csrf" value="')[1].split('"')[0]
    headers = {"Cookie": f"claudeops=planted-by-a-thief; claudeops_form={csrf}"}
    form = {"csrf": csrf, "name": "ada", "password": PASSWORD}
    async with planted.post("/sign-in", data=form, headers=headers, allow_redirects=False) as response:
        assert response.status == 303
        assert response.cookies["claudeops"].value != "planted-by-a-thief"
    assert site.worker.database.one("users.by_sign_in", token_hash=digest("planted-by-a-thief"), now="") is None


async def test_a_password_that_changes_while_it_is_judged_signs_nobody_in_and_is_not_put_back(site: Site) -> None:
    """Judged a moment before, and slower than the link with which its owner sets another."""
    await set_up(site)
    database = site.worker.database
    known = database.one("users.by_name", name="ada")
    assert known is not None
    database.change("users.set_password", id=known["id"], password_hash="another")
    late = SignIn(
        user_id=known["id"],
        name="ada",
        address="203.0.113.7",
        sign_in_hash=digest("late"),
        csrf="c" * 43,
        verified=digest(known["password_hash"]),
        rehash="the one before, with stronger parameters",
    )
    with pytest.raises(CallError) as refused:
        await site.parts.worker.call(late, SignInReply)
    assert refused.value.code is Code.CONFLICT
    assert (database.one("users.by_name", name="ada") or {})["password_hash"] == "another"
    assert database.one("users.by_sign_in", token_hash=digest("late"), now="") is None
    assert lines(site, "user.signed_in") == []


async def test_a_setup_link_ends_what_its_user_had_open_and_other_links_to_a_password(site: Site) -> None:
    admin = site.browser("admin")
    stream = read(admin, "/live?page=overview")
    await anext(stream)
    status, text = await post(admin, "/users/1/password-link")
    assert status == 201
    link = text.split("http://ops.example")[1].split('"')[0].split("<")[0]
    _, response = await set_up(site, name="admin")
    assert response.status == 303
    async with asyncio.timeout(3):
        async for _ in stream:
            pass
    async with admin.get("/sessions.json") as page:
        assert page.status == 401
    async with site.browser(None).get(link) as page:
        assert page.status == 403


async def test_a_browser_that_becomes_somebody_else_ends_the_sign_in_that_it_had(site: Site) -> None:
    browser = site.browser("operator")
    site.worker.setup_link("one-time-link")
    csrf = await token_of(browser, "/setup/one-time-link")
    typed = {"name": "ada", "password": PASSWORD, "password_again": PASSWORD}
    fields = {"csrf": csrf, "token": "one-time-link", **typed}
    async with browser.post("/setup", data=fields, allow_redirects=False) as response:
        assert response.status == 303
    stolen = {"claudeops": "token-of-operator-0"}
    async with site.browser(None).get("/", cookies=stolen, allow_redirects=False) as page:
        assert page.headers["Location"] == "/sign-in"
    assert lines(site, "user.signed_out") == [("operator", "operator", "")]


async def test_a_sign_in_that_has_expired_is_not_brought_back_by_its_use(site: Site) -> None:
    browser = site.browser("viewer")
    database = site.worker.database
    with database.transaction():
        database.script("UPDATE sign_ins SET expires_at = '2026-01-01T00:00:00.000Z'")
    await site.parts.worker.call(SignInSeen(sign_in_hash=digest("token-of-viewer-0")), Done)
    async with browser.get("/sessions.json") as page:
        assert page.status == 401


async def test_failures_are_lines_of_the_audit_log_and_no_attack_fills_it(site: Site) -> None:
    await set_up(site)

    async def fail(name: str, address: str) -> None:
        await site.parts.worker.call(SignInFailed(name=name, address=address), Done)

    for number in range(30):
        await fail("ADA", f"203.0.113.{number}")
        await fail(f"nobody-{number}", f"198.51.100.{number}")
        await fail("", f"bearer 192.0.2.{number}")
    failed = lines(site, "user.sign_in_failed")
    of_ada = [line for line in failed if line[1] == "ada"]
    assert len(failed) == 20
    assert [line[0] for line in failed] == ["unknown"] * 20
    assert of_ada[0][2] == "from 203.0.113.0, 1 of it within a day"
    assert "counted alone" in of_ada[9][2]
    assert {line[1] for line in failed} == {"ada", "a name that nobody has"}
    refused = lines(site, "token.refused")
    assert len(refused) == 10
    assert refused[0][2].startswith("from 192.0.2.0, ")
    # The rate limit has all of them.
    assert len(site.worker.database._connection.execute("SELECT 1 FROM sign_in_failures").fetchall()) == 90


async def test_a_token_that_is_none_is_a_line_without_the_token(site: Site) -> None:
    wrong = "co_" + "w" * 43
    async with site.browser(None).get("/sessions.json", headers={"Authorization": f"Bearer {wrong}"}) as response:
        assert response.status == 401
    assert [line[:2] for line in lines(site, "token.refused")] == [("unknown", "a token or key that is none")]
    with sqlite3.connect(site.worker.database_path) as database:
        assert wrong not in "\n".join(database.iterdump())
    database.close()
