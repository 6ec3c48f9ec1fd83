"""The page of notifications over a real database and the protocol, for each role, with the worker there and away."""

from pathlib import Path

import pytest

from ipc.errors import CallError, Code
from ipc.messages.notifications import RetryNotifications, TestNotification
from tests.integration.webui.site import CSRF, Site, open_site

AT = "2026-01-31T08:00:00.000Z"


def fill(site: Site) -> None:
    """Two notifications; one has not arrived."""
    database = site.worker.database
    values = {"kind": "event", "level": "warning", "body": "", "link": "/events", "session_id": None}
    for number, title in enumerate(("db: <slow>", "web: down"), 1):
        more = {"approval_id": None, "channel": None, "channels": None, "told_as": None, "created_at": AT, "key": None}
        database.value("notifications.add", title=title, **values, **more)
        database.change("notifications.route", id=number, now=AT)
        database.change("notifications.deliver", notification_id=number, channel="slack-3f2a", urgent=0, now=AT)
    row = {"id": 1, "was": "pending", "status": "sending", "attempts": 1, "next_at": AT, "now": AT, "together": 1}
    database.change("notifications.move", **row, error=None)
    database.change("notifications.move", **{**row, "was": "sending", "status": "retrying"}, error="refused <b>")


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
async def test_the_page_shows_what_was_sent_what_waits_and_why(site: Site, role: str) -> None:
    fill(site)
    async with site.browser(role).get("/notifications") as response:
        text = await response.text()
    assert response.status == 200, text
    failed = "attempt 1 failed: refused &lt;b&gt;"
    for shown in ("db: &lt;slow&gt;", "slack-3f2a", failed, "fails; 2 wait", "part 2 is no URL"):
        assert shown in text
    assert ("Send a test" in text) is (role != "viewer")
    async with site.browser(role).get("/notifications.json") as response:
        found = await response.json()
    assert [one["title"] for one in found["notifications"]] == ["web: down", "db: <slow>"]
    assert found["notifications"][1]["deliveries"][0]["status"] == "retrying"
    assert [one["name"] for one in found["channels"]] == ["slack-3f2a", "mailto-1a2b"]


async def test_the_overview_says_that_a_channel_cannot_be_told(site: Site) -> None:
    async with site.browser("viewer").get("/") as response:
        assert "be told" not in await response.text()
    fill(site)
    async with site.browser("viewer").get("/") as response:
        broken = (await response.text()).split('id="attention"')[1].split("</section>")[0]
    assert "slack-3f2a can’t be told,</strong> 2 notifications wait · refused &lt;b&gt;" in broken
    assert 'href="/notifications"' in broken


async def test_a_test_and_sending_again_are_asked_of_the_worker_by_operators_alone(site: Site) -> None:
    data = {"csrf": CSRF, "key": "0123456789abcdef", "channel": "slack-3f2a"}
    async with site.browser("viewer").post("/notifications/test", data=data) as response:
        assert response.status == 403
    browser = site.browser("operator")
    async with browser.post("/notifications/test", data=data, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/notifications?told=test")
    more = {**data, "key": "fedcba9876543210", "id": "7"}
    async with browser.post("/notifications/retry", data=more, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/notifications?told=retry")
    sent = [one for one in site.worker.requests if isinstance(one, TestNotification | RetryNotifications)]
    assert sent == [
        TestNotification(channel="slack-3f2a", by="operator"),
        RetryNotifications(id=7, channel="slack-3f2a", by="operator"),
    ]
    async with browser.get("/notifications?told=test") as response:
        assert "A test is on its way." in await response.text()


async def test_what_the_worker_refuses_is_said_on_the_page(site: Site) -> None:
    site.worker.refuse[TestNotification] = CallError(Code.CONFLICT, "there is no channel")
    data = {"csrf": CSRF, "key": "0123456789abcdef"}
    async with site.browser().post("/notifications/test", data=data) as response:
        text = await response.text()
    assert response.status == 409
    assert "there is no channel" in text


async def test_without_the_worker_the_rows_are_there_and_the_channels_not_known(tmp_path: Path) -> None:
    async with open_site(tmp_path, start_worker=False) as site:
        fill(site)
        site.parts.worker.ok = False
        async with site.browser().get("/notifications") as response:
            text = await response.text()
        assert response.status == 200
        assert "web: down" in text
        assert "Not known now" in text
