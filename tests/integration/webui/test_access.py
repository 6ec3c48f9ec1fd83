"""Nobody gets in without a sign-in, no form is taken that was not sent from here, each role stays within its own."""

import inspect
import io
import re
import sys

import pytest

from tests.integration.webui.site import CSRF, Site
from webui import routes
from webui.auth.rules import Access, Door

OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/setup/{token}"),
    ("POST", "/setup"),
    ("GET", "/password/{token}"),
    ("POST", "/password"),
    ("GET", "/static/{name}"),
    ("GET", "/favicon.svg"),
    ("GET", "/favicon.ico"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/sw.js"),
    ("GET", "/offline"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/openapi.yaml"),
}
# Whoever knows these addresses was told them; a job that asks them has neither sign-in nor form.
SECRET = {
    (method, f"/heartbeat/{{token}}{end}{slash}")
    for method in ("GET", "POST")
    for end in ("", "/start", "/fail", "/{code}")
    for slash in ("", "/")
}
# Below them nothing leads to a sign-in, which a job would take for an answer.
SECRET |= {("*", "/heartbeat/{rest}")}
OPEN |= SECRET
# What was published for everybody; what was not is answered as what is not there.
OPEN |= {("GET", f"/status/{{slug}}{end}") for end in ("", "/", ".json", "/feed.rss", "/badge/{service}/{what}.svg")}


def registered(site: Site) -> list[tuple[str, str]]:
    """What the application really answers, whatever the table says."""
    return [
        (route.method, route.resource.canonical)
        for route in site.application.router.routes()
        if route.resource is not None
    ]


def address(canonical: str) -> str:
    return re.sub(r"\{\w+\}", "1", canonical)


def for_programs(canonical: str) -> bool:
    """Whether an address answers in JSON, whoever asks."""
    return canonical.endswith(".json") or canonical.startswith("/api/v1/")


async def test_every_route_but_the_listed_ones_asks_for_a_sign_in(site: Site) -> None:
    site.worker.session(log=b"x\n")
    stranger = site.browser(None)
    walked = registered(site)
    assert len(walked) > len(OPEN)
    for method, canonical in walked:
        if ("GET" if method == "HEAD" else method, canonical) in OPEN or canonical == "/metrics":
            continue
        for accept in ("text/html", "application/json"):
            async with stranger.request(
                method, address(canonical), headers={"Accept": accept}, allow_redirects=False
            ) as response:
                body = await response.text()
            where = f"{method} {canonical} {accept}: {response.status} {body[:200]}"
            if site.parts.doors.get(("GET" if method == "HEAD" else method, canonical)) not in (None, Door.NONE):
                # Programs alone come here, so it is no redirect whatever they accept.
                assert response.status == 401, where
                assert response.content_type == "application/json", where
                assert response.headers["WWW-Authenticate"].startswith("Bearer"), where
            elif method in ("GET", "HEAD") and accept == "text/html" and not for_programs(canonical):
                assert response.status == 303, where
                assert response.headers["Location"].startswith("/sign-in"), where
            else:
                assert response.status == 401, where
            assert "Look at web" not in body, where


async def test_the_listed_routes_are_the_public_ones_of_the_table(site: Site) -> None:
    table = [route for route in routes.TABLE if route.access is Access.PUBLIC]
    public = {(route.method, re.sub(":.[+*]", "", route.path)) for route in table}
    assert public == OPEN
    assert set(site.parts.access) == {pair for pair in registered(site) if pair[0] != "HEAD"}


def test_every_handler_that_the_table_names_is_there() -> None:
    """Modules are imported with the first request only; a wrong name must not wait for it."""
    routes.load()
    for route in routes.TABLE:
        module, _, function = route.handler.partition(":")
        assert inspect.iscoroutinefunction(getattr(sys.modules[f"webui.{module}"], function)), route.handler
    assert len({route.handler for route in routes.TABLE}) > 40


async def test_each_role_is_kept_out_of_what_needs_a_higher_one(site: Site) -> None:
    site.worker.session(log=b"x\n")
    kept_out = {Access.OPERATOR: ["viewer"], Access.ADMIN: ["viewer", "operator"]}
    browsers = {role: site.browser(role) for role in ("viewer", "operator")}
    walked = 0
    for (method, canonical), access in site.parts.access.items():
        for role in kept_out.get(access, []):
            async with browsers[role].request(
                method, address(canonical), data={"csrf": CSRF}, allow_redirects=False
            ) as response:
                text = await response.text()
            assert response.status == 403, (method, canonical, role)
            assert f"This needs the role {access.value}; you are {role}." in text, (method, canonical, role)
            walked += 1
    assert walked > 20
    assert {type(request).__name__ for request in site.worker.requests} <= {"Hello", "Status", "ListSettings"}


async def test_whatever_changes_something_is_for_operators_or_admins(site: Site) -> None:
    for (method, canonical), access in site.parts.access.items():
        if method == "GET" or (method, canonical) in SECRET:
            continue
        if canonical not in ("/sign-in", "/sign-out", "/setup", "/password"):
            assert access in (Access.OPERATOR, Access.ADMIN), canonical
    assert site.parts.access[("POST", "/approvals/rules")] is Access.ADMIN


async def test_an_address_that_is_not_there_asks_a_stranger_to_sign_in_too(site: Site) -> None:
    async with site.browser(None).get("/secret/thing", allow_redirects=False) as response:
        assert response.headers["Location"] == "/sign-in?next=/secret/thing"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_no_form_is_taken_from_another_origin(site: Site, headers: dict[str, str]) -> None:
    browser = site.browser()
    for method, canonical in registered(site):
        if method not in ("GET", "HEAD") and (method, canonical) not in SECRET:
            async with browser.request(
                method, address(canonical), data={"csrf": CSRF, "prompt": "x"}, headers=headers, allow_redirects=False
            ) as response:
                assert response.status == 403, canonical
    assert site.worker.database.rows("sessions.running") == []


@pytest.mark.parametrize("fields", [{}, {"csrf": ""}, {"csrf": "d" * 43}, {"csrf": "é"}])
async def test_no_form_is_taken_without_its_token(site: Site, fields: dict[str, str]) -> None:
    browser = site.browser(headers={"Origin": site.origin, "Sec-Fetch-Site": "same-origin"})
    for method, canonical in registered(site):
        if method not in ("GET", "HEAD") and (method, canonical) not in SECRET:
            async with browser.request(
                method, address(canonical), data={"prompt": "x", **fields}, allow_redirects=False
            ) as response:
                assert response.status == 403, canonical
    assert site.worker.database.rows("sessions.running") == []


async def test_the_same_form_with_token_and_origin_is_taken(site: Site) -> None:
    browser = site.browser(headers={"Origin": site.origin, "Sec-Fetch-Site": "same-origin"})
    async with browser.post("/sessions/trigger", data={"csrf": CSRF, "prompt": "x"}, allow_redirects=False) as response:
        assert response.status == 303
    async with browser.post(
        "/sessions/trigger", data={"prompt": "y", "tier": "2"}, headers={"X-CSRF-Token": CSRF}, allow_redirects=False
    ) as response:
        assert response.status == 303


async def test_metrics_are_for_programs_on_this_host_and_for_people_who_are_signed_in(site: Site) -> None:
    stranger = site.browser(None)
    async with stranger.get("/metrics") as response:
        text = await response.text()
    assert response.status == 200
    assert "claudeops_worker_up 1.0" in text
    assert 'claudeops_sessions{status="running"} 0.0' in text
    for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via"):
        async with stranger.get("/metrics", headers={name: "10.0.0.9"}, allow_redirects=False) as response:
            assert response.status == 303, name
    async with site.browser("viewer").get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}) as response:
        assert response.status == 200


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    browser = site.browser()
    for path in ("/", "/sign-in", "/nowhere", "/static/app.css", "/healthz", "/sessions.json"):
        async with browser.get(path, allow_redirects=False) as response:
            assert "default-src 'none'" in response.headers["Content-Security-Policy"], path
            assert "unsafe" not in response.headers["Content-Security-Policy"], path
            assert response.headers["X-Content-Type-Options"] == "nosniff", path
            assert response.headers["Referrer-Policy"] == "same-origin", path
            cached = response.headers["Cache-Control"]
        assert ("public" in cached) == path.startswith("/static"), path


async def test_a_page_names_its_assets_by_hash_and_they_are_kept_for_ever(site: Site) -> None:
    browser = site.browser()
    async with browser.get("/") as response:
        text = await response.text()
    found = re.findall(r'"(/static/[^"]+\?v=[0-9a-f]{8})"', text)
    assert len(found) >= 3
    for name in found:
        async with browser.get(name) as response:
            assert response.status == 200, name
            assert "immutable" in response.headers["Cache-Control"], name
    async with browser.get("/static/../webui/app.py") as response:
        assert response.status == 404


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    body = io.BytesIO(f"csrf={CSRF}&prompt={'x' * 1_100_000}".encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with site.browser().post("/sessions/trigger", data=body, headers=headers) as response:
        assert response.status == 413
        assert "too large" in await response.text()
