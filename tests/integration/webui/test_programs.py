"""Addresses for other programs: the chat key and a signature open those alone, and no cookie is needed or wanted."""

import asyncio
import json
import secrets
from typing import Any

import pytest

from ipc.errors import CallError, Code
from ipc.messages.access import CreateToken, TokenReply
from ipc.messages.alerts import TakeAlerts
from ipc.messages.keys import CheckKey
from ipc.messages.sessions import SessionChanged
from schema import timestamps
from schema.access import digest, new_token
from schema.states import Role, SessionStatus
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site
from webui import routes
from webui.auth.rules import Access, Door

KEYED = [route for route in routes.TABLE if route.door in (Door.KEY, Door.SIGNED)]
OPEN = (Access.PUBLIC, Access.SCRAPE)
PAGES = [
    route for route in routes.TABLE if route.door is Door.NONE and route.access not in OPEN and "/{" not in route.path
]


def key(value: str = "the-chat-key", **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}", **more}


def path(route: routes.Route) -> str:
    return route.path.replace("{model}", "claude-ops").replace("{source}", "generic")


async def ask(site: Site, method: str, path: str, headers: dict[str, str], **more: Any) -> tuple[int, Any]:
    async with site.browser(None).request(method, path, headers=headers, allow_redirects=False, **more) as response:
        text = await response.text()
        return response.status, json.loads(text) if response.content_type == "application/json" else text


@pytest.mark.parametrize("route", KEYED, ids=lambda route: f"{route.method} {route.path}")
async def test_the_key_opens_it_from_any_origin_and_by_any_name_and_no_other_does(
    site: Site, route: routes.Route
) -> None:
    foreign = {"Origin": "https://evil.example", "Host": "claude-ops.internal:8080", "Sec-Fetch-Site": "cross-site"}
    status, _ = await ask(site, route.method, path(route), key(**foreign), data=b"{}")
    assert status in (200, 202, 400), status
    for wrong in ("wrong", "", "the-chat-key ".strip() + "x", "co_" + "x" * 40):
        status, body = await ask(site, route.method, path(route), key(wrong), data=b"{}")
        assert status == 401, (wrong, body)
        assert "error" in body
    site.worker.chat_key = ""
    assert (await ask(site, route.method, path(route), {}, data=b"{}"))[0] == 503
    assert (await ask(site, route.method, path(route), key("any"), data=b"{}"))[0] == 503


async def test_the_key_opens_no_page(site: Site) -> None:
    for number, route in enumerate(PAGES):
        # From an address of its own each: who guesses is slowed.
        shown = key(**{"X-Forwarded-For": f"192.0.2.{number}"})
        assert (await ask(site, route.method, route.path, shown, data=b""))[0] == 401, route
        signed = {"webhook-signature": "right"}
        assert (await ask(site, route.method, route.path, signed, data=b""))[0] in (303, 401, 403), route


async def test_a_signature_opens_webhooks_alone(site: Site) -> None:
    signed = {"webhook-signature": "right"}
    assert (await ask(site, "POST", "/api/v1/webhook", signed, data=b"{}"))[0] == 202
    assert (await ask(site, "POST", "/api/v1/webhooks/generic", {"webhook-signature": "x"}, data=b"{}"))[0] == 401
    for chat in ("/v1/chat/completions", "/api/chat", "/api/generate"):
        assert (await ask(site, "POST", chat, signed, data=b"{}"))[0] == 401
    (taken,) = [one for one in site.worker.requests if isinstance(one, TakeAlerts)]
    assert (taken.source, taken.body, taken.by) == ("generic", b"{}", "key:webhook")


async def test_a_person_signed_in_may_ask_too_but_a_form_of_another_site_may_not(site: Site) -> None:
    operator, viewer = site.browser("operator"), site.browser("viewer")
    for browser, csrf, wanted in ((operator, CSRF, 202), (operator, "", 403), (viewer, CSRF, 403)):
        async with browser.post("/api/v1/webhook", data=b"x", headers={"X-CSRF-Token": csrf}) as response:
            assert response.status == wanted
    async with operator.post(
        "/api/v1/webhook", data=b"x", headers={"X-CSRF-Token": CSRF, "Origin": "https://evil.example"}
    ) as response:
        assert response.status == 403


async def test_a_token_needs_the_role_and_the_scope_and_its_refusal_has_the_programs_shape(site: Site) -> None:
    async def token(role: Role) -> str:
        made = new_token()
        name = f"t-{secrets.token_hex(4)}"  # digits alone would be an id
        message = CreateToken(name=name, role=role, token_hash=digest(made), by="test")
        await site.parts.worker.call(message, TokenReply)
        return made

    operator, viewer = await token(Role.OPERATOR), await token(Role.VIEWER)
    assert (await ask(site, "GET", "/v1/models", key(operator)))[0] == 200
    status, body = await ask(site, "POST", "/v1/chat/completions", key(viewer), data=b"{}")
    assert (status, body["error"]["type"]) == (403, "permission_error")
    status, body = await ask(site, "POST", "/api/chat", key(viewer), data=b"{}")
    assert (status, type(body["error"])) == (403, str)
    status, body = await ask(site, "POST", "/api/v1/webhook", key(viewer), data=b"{}")
    assert (status, body["code"]) == (403, "forbidden")


async def test_a_storm_with_one_key_is_one_key_and_many_keys_at_a_time_are_many(site: Site) -> None:
    """An alert storm in the first moment after a start, before any key is known to be right."""

    async def show(value: str) -> int:
        return (await ask(site, "POST", "/api/v1/webhook", key(value), data=b"{}"))[0]

    assert set(await asyncio.gather(*(show("the-chat-key") for _ in range(60)))) == {202}
    statuses = await asyncio.gather(*(show(f"wrong-{number}") for number in range(60)))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 20


async def test_a_worker_that_is_away_is_told_as_such_and_a_webhook_waits_for_it(site: Site) -> None:
    site.worker.refuse[CheckKey] = CallError(Code.UNAVAILABLE, "The worker is away.")
    status, body = await ask(site, "GET", "/v1/models", key())
    assert (status, body["error"]["type"]) == (503, "server_error")
    del site.worker.refuse[CheckKey]
    site.worker.refuse[TakeAlerts] = CallError(Code.UNAVAILABLE, "The worker is away.")
    asking = asyncio.create_task(ask(site, "POST", "/api/v1/webhook", key(), data=b"{}"))
    await asyncio.sleep(0.7)
    del site.worker.refuse[TakeAlerts]
    assert (await asking)[0] == 202
    assert len([one for one in site.worker.requests if isinstance(one, TakeAlerts)]) >= 2


async def test_a_chat_that_nobody_reads_any_more_is_taken_out_and_counted_no_more(site: Site) -> None:
    site.worker.holds = "tier 1 is busy"
    body = json.dumps({"messages": [{"role": "user", "content": "look"}], "stream": True})
    async with site.browser(None).post("/v1/chat/completions", data=body, headers=key()) as response:
        assert b"assistant" in await response.content.readline()
        assert len(site.parts.chats) == 1
    async with asyncio.timeout(10):
        while len(site.parts.chats):
            await asyncio.sleep(0.02)
        while site.worker.database.rows("triggers.waiting", limit=5):
            await asyncio.sleep(0.02)


async def test_more_chats_than_may_be_open_are_refused_with_a_date(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from webui.api import chats

    monkeypatch.setattr(chats, "OPEN_MAX", 1)
    site.worker.holds = "tier 1 is busy"
    body = json.dumps({"messages": [{"role": "user", "content": "look"}], "stream": True})
    browser = site.browser(None)
    async with browser.post("/v1/chat/completions", data=body, headers=key()) as first:
        await first.content.readline()
        async with browser.post("/v1/chat/completions", data=body, headers=key()) as second:
            assert second.status == 429
            assert second.headers["Retry-After"] == "10"
            assert (await second.json())["error"]["type"] == "rate_limit_error"


async def test_a_chat_ends_when_a_call_waits_for_a_person_and_says_so(site: Site) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "restart web"}]})
    asking = asyncio.create_task(ask(site, "POST", "/v1/chat/completions", key(), data=body))
    async with asyncio.timeout(10):
        while not (running := site.worker.database.rows("sessions.running")):
            await asyncio.sleep(0.02)
    id_ = running[0]["id"]
    site.worker.end(id_, "awaiting_approval")
    status, found = await asking
    assert status == 200
    told = found["choices"][0]["message"]["content"]
    assert told == f"Session {id_} waits for a person to decide about one of its calls."


async def test_a_trigger_that_waits_again_after_its_session_never_ran_is_followed_on(site: Site) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "look"}]})
    asking = asyncio.create_task(ask(site, "POST", "/v1/chat/completions", key(), data=body))
    database = site.worker.database
    async with asyncio.timeout(20):
        while not (running := database.rows("sessions.running")):
            await asyncio.sleep(0.02)
        first = running[0]["id"]
        trigger = database.one("triggers.of_session", session_id=first) or {}
        with database.transaction():
            database.change(
                "sessions.finish", id=first, status="interrupted", ended_at=timestamps.now(), exit_code=None,
                reason="killed", duration_ms=None,
            )  # fmt: skip
            database.change("triggers.again", id=trigger["id"], now=timestamps.now())
        site.worker.publish(SessionChanged(id=first, status=SessionStatus.INTERRUPTED))
        await asyncio.sleep(0.5)
        assert not asking.done()
        line = b'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"seen"}]}}'
        second = site.worker.session(log=timestamps.now().encode() + b"\t" + line + b"\n")
        database.change("triggers.started", id=trigger["id"], session_id=second, now=timestamps.now())
        rows.set_values(database, "sessions", second, response="seen")
        site.worker.end(second)
        status, found = await asking
    assert (status, found["choices"][0]["message"]["content"]) == (200, "seen")


async def test_a_browser_can_not_be_made_to_send_the_key(site: Site) -> None:
    """No answer names another origin, so no page of one can read any, nor have a header of its own sent."""
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    stranger = site.browser(None)
    async with stranger.options("/v1/chat/completions", headers=asked, allow_redirects=False) as response:
        assert response.status >= 300
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
