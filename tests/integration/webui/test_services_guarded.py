"""What strangers send and what targets say: nothing is changed without our token, and nothing is shown as markup."""

import re

from tests.fakes.target import Target
from tests.integration.webui.probing import get, post, service, until
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import until as said_until
from webui import routes
from webui.auth.rules import Door

MARKUP = "<script>alert(1)</script>"
WATCHED = ("/services", "/incidents", "/maintenance", "/status-pages")


async def test_without_a_token_or_from_elsewhere_nothing_is_changed(site: Site, target: Target) -> None:
    browser = site.browser("admin")
    await post(browser, "/services", name="web", url=target.url("/"), tags="prod")
    id_ = service(site, "web")
    before = site.worker.database.rows("definitions.page", after=0, limit=9)
    asked = len(site.worker.requests)
    forms = [
        (route.method, re.sub(r"\{id:[^}]*\}", str(id_), route.path))
        for route in routes.TABLE
        if route.method != "GET" and route.door is not Door.ADDRESS and route.path.startswith(WATCHED)
    ]
    assert ("DELETE", f"/services/{id_}") in forms
    assert len(forms) >= 15
    fields = {"name": "other", "url": target.url("/x"), "action": "pause", "which": "all", "title": "x", "slug": "x",
              "tags": "prod", "text": "x"}  # fmt: skip
    for method, path in forms:
        for token, headers in (
            ({}, {}),
            ({"csrf": "x" * 43}, {}),
            ({"csrf": CSRF}, {"Origin": "https://evil.example"}),
            ({"csrf": CSRF}, {"Sec-Fetch-Site": "cross-site"}),
        ):  # fmt: skip
            sent = {**fields, **token}
            async with browser.request(method, path, data=sent, headers=headers, allow_redirects=False) as response:
                assert response.status == 403, (method, path, token, headers)
    assert len(site.worker.requests) == asked
    assert site.worker.database.rows("definitions.page", after=0, limit=9) == before


async def test_markup_in_a_name_or_an_answer_is_text_on_every_page_and_stream(site: Site, target: Target) -> None:
    target.answer("/", body=MARKUP.encode())
    browser = site.browser("operator")
    url = target.url("/").replace("//", "//ada:s3cr3t@")
    await post(browser, "/services", name=MARKUP, url=url, conditions="[BODY] == ok", tags="public", group=MARKUP)
    await until(site, MARKUP, lambda row: row["incident_id"] is not None)
    id_ = service(site, MARKUP)
    await post(browser, "/status-pages", slug="shop", title=MARKUP, description=MARKUP, tags="public", published="yes")
    await post(browser, "/maintenance", title=MARKUP, when="once", starts_at="2126-01-01T00:00", services=MARKUP)
    pages = ["/services", f"/services/{id_}/inline", "/services/wall", "/incidents", "/incidents/1", "/maintenance",
             "/status-pages", "/status/shop", "/", "/services/%3Cscript%3Ealert%281%29%3C%2Fscript%3E",
             f"/services/{id_}/remove", "/partials/services-table"]  # fmt: skip
    for path in pages:
        text = await get(browser, path)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text, path
        assert "<script>" not in text, path
        assert "s3cr3t" not in text, path
    for path in ("/status/shop/feed.rss", "/status/shop/badge/%3Cscript%3Ealert%281%29%3C%2Fscript%3E/status.svg"):
        text = await get(browser, path)
        assert "&lt;script&gt;" in text, path
        assert "<script>" not in text, path
    target.answer("/", body=b"ok")
    stream = re.search(r'data-stream="([^"]+)"', await get(browser, "/services"))
    assert stream is not None
    events = read(browser, stream[1].replace("&amp;", "&"))
    said = await said_until(events, lambda said: "data-append=" in said.data)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; works again" in said.data
    assert "<script>" not in said.data
    assert "s3cr3t" not in said.data
    await events.aclose()


async def test_a_change_to_what_is_gone_is_told_in_words_by_every_way(site: Site, target: Target) -> None:
    browser = site.browser("operator")
    await post(browser, "/services", name="web", url=target.url("/"))
    id_ = service(site, "web")
    async with browser.delete(f"/services/{id_}", headers={"X-CSRF-Token": CSRF}, allow_redirects=False) as response:
        assert response.status == 303
    definition = {"name": "web", "url": target.url("/")}
    body = {"version": 1, "definition": definition}
    async with browser.put(f"/api/v1/services/{id_}", json=body, headers={"X-CSRF-Token": CSRF}) as response:
        assert response.status == 404
        assert f"there is no service {id_}" in (await response.json())["error"]
    for path in ("pause", "maintain", "edit", "inline", "test"):
        _, text = await post(browser, f"/services/{id_}/{path}", 404)
        assert re.search(rf"[Tt]here is no service {id_}", text), path


async def test_who_may_not_change_a_service_sees_neither_the_body_of_its_request_nor_the_words_of_its_command(
    site: Site, target: Target
) -> None:
    operator, viewer = site.browser("operator"), site.browser("viewer")
    await post(operator, "/services", name="web", url=target.url("/"), method="POST", body="login=ada&word=s3cr3t-body")
    await post(operator, "/services", name="disk", url="command:", command="check_disk --with s3cr3t-word")
    for name, secret, shown in (("web", "s3cr3t-body", ""), ("disk", "s3cr3t-word", "check_disk")):
        id_ = service(site, name)
        seen, page = await get(viewer, f"/api/v1/services/{id_}"), await get(viewer, f"/services/{name}")
        assert secret not in seen + page
        assert shown in seen
        assert "***" in seen
        # Who may is shown it: what is written back must be what was there.
        assert secret in await get(operator, f"/api/v1/services/{id_}")
        assert secret in await get(operator, f"/services/{id_}/edit")
        assert secret not in await get(operator, f"/services/{name}")
