"""Panels of repositories: listed, framed, and served by an address whose policy trusts them with nothing."""

from ipc.errors import CallError, Code
from ipc.messages import repositories
from tests.integration.webui.site import Site

PANEL = "/panels/shop/disk-usage.html"


async def test_panels_are_listed_by_repository_and_linked_from_it(site: Site) -> None:
    for path in ("/panels", "/repositories"):
        async with site.browser("viewer").get(path) as response:
            assert f'href="{PANEL}"' in await response.text(), path
    async with site.browser().get("/panels.json") as response:
        told = await response.json()
    assert told["repositories"] == [{"repository": "shop", "panels": [{"name": "disk usage", "href": PANEL}]}]


async def test_a_panel_is_framed_under_the_name_of_its_repository(site: Site) -> None:
    async with site.browser().get(PANEL) as response:
        text, policy = await response.text(), response.headers["Content-Security-Policy"]
    assert f'src="{PANEL}/raw"' in text
    assert 'sandbox=""' in text
    assert "from the repository shop" in text
    assert "91 %" not in text
    assert "frame-src 'self'" in policy
    assert "script-src 'self';" in policy
    async with site.browser().get("/panels/shop/scripted.html") as response:
        assert 'sandbox="allow-scripts"' in await response.text()


async def test_a_panel_as_json_is_what_its_file_holds(site: Site) -> None:
    for path, accept in ((PANEL, "application/json"), (f"{PANEL}.json", "*/*")):
        async with site.browser("viewer").get(path, headers={"Accept": accept}) as response:
            told = await response.json()
        assert (told["repository"], told["name"], told["scripts"]) == ("shop", "disk-usage.html", False), path
        assert "91 %" in told["html"]
        assert told["modified_at"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    async with site.browser().get("/panels/shop/gone.html.json") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (404, "not_found")


async def test_the_overview_links_panels_where_there_are_any(site: Site) -> None:
    async with site.browser("viewer").get("/") as response:
        assert f'href="{PANEL}"' in await response.text()
    asked = [one for one in site.worker.requests if isinstance(one, repositories.ListRepositories)]
    async with site.browser().get("/") as response:
        assert f'href="{PANEL}"' in await response.text()
    again = [one for one in site.worker.requests if isinstance(one, repositories.ListRepositories)]
    assert len(asked) == len(again) == 1, "a mount is not read for every page"


async def test_an_overview_without_panels_says_nothing_of_them(site: Site) -> None:
    site.worker.refuse[repositories.ListRepositories] = CallError(Code.UNAVAILABLE, "the mount hangs")
    async with site.browser().get("/") as response:
        assert (response.status, 'id="panels-title"' in await response.text()) == (200, False)


async def test_the_panel_itself_may_nothing(site: Site) -> None:
    async with site.browser().get(f"{PANEL}/raw") as response:
        assert "91 %" in await response.text()
        policy = response.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "sandbox"
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not any(part.startswith(("script-src", "connect-src")) for part in policy)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    async with site.browser().get("/panels/shop/scripted.html/raw") as response:
        policy = response.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "sandbox allow-scripts"
    assert "script-src 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy


async def test_a_panel_that_is_opened_by_itself_leads_to_its_frame(site: Site) -> None:
    headers = {"Sec-Fetch-Dest": "document"}
    async with site.browser().get(f"{PANEL}/raw", headers=headers, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, PANEL)


async def test_what_is_not_there_is_said(site: Site) -> None:
    for path in ("/panels/shop/gone.html", "/panels/shop/gone.html/raw", "/panels/..%2F..%2Fetc/passwd"):
        async with site.browser().get(path) as response:
            assert response.status == 404, path
    site.worker.refuse[repositories.ReadPanel] = CallError(Code.INVALID, "shop: x.html leads out of its repository.")
    async with site.browser().get(f"{PANEL}/raw") as response:
        assert response.status == 422
        assert "leads out of its repository" in await response.text()
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
