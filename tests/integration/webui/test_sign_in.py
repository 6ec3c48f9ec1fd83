"""Setting up, signing in and out, and what slows down whoever guesses."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from tests.integration.webui.site import Site, open_site

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
