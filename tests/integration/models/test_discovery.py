"""Asking for models over real sockets: one question at a time, bounds, what is remembered, and where the key goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from daemon.models import discovery
from daemon.models.discovery import ANSWER_MAX, Discovery
from daemon.settings.live import LiveSettings
from daemon.store import Store
from schema.database import Database

KEY = "sk-made-up-0123456789"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """An API that lists models; `answer` is what it says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: Answer = self.models
        self.url = ""

    async def models(self, request: web.Request) -> web.StreamResponse:
        """Two, one of them twice."""
        return web.json_response({"data": [{"id": "opus"}, {"id": "haiku"}, {"id": "opus"}]})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Whatever is asked for."""
        self.asked.append({"path": request.path_qs, **request.headers})
        return await self.answer(request)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """It listens."""
    made = Gateway()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", made.handle)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    made.url = str(server.make_url(""))
    yield made
    await server.close()


@pytest.fixture
async def settings(tmp_path: Path, gateway: Gateway) -> AsyncIterator[LiveSettings]:
    """The worker's settings, with the gateway as its API."""
    path = tmp_path / "claudeops.db"
    database = Database(path, readonly=False)
    database.migrate()
    store = Store(path, database)
    given = {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_API_KEY": KEY, "CLAUDEOPS_STATE_DIR": str(tmp_path)}
    yield LiveSettings(given, store)
    await store.close()


async def test_models_are_asked_for_with_the_key_once_each_and_sorted(gateway: Gateway, settings: LiveSettings) -> None:
    found = await Discovery(settings).list(refresh=False)
    assert (found.models, found.available, found.problem) == (["haiku", "opus"], True, "")
    assert found.refreshed_at is not None
    (asked,) = gateway.asked
    assert asked["path"] == "/v1/models?limit=1000"
    assert asked["x-api-key"] == KEY


async def test_however_many_ask_one_question_goes_out_and_its_answer_is_kept(
    gateway: Gateway, settings: LiveSettings
) -> None:
    known = Discovery(settings)
    found = await asyncio.gather(*(known.list(refresh=number % 2 == 0) for number in range(20)))
    assert len(gateway.asked) == 1
    assert all(one == found[0] for one in found)
    assert (await known.list(refresh=False)).refreshed_at == found[0].refreshed_at
    assert len(gateway.asked) == 1
    await known.list(refresh=True)
    assert len(gateway.asked) == 2


async def test_whoever_gives_up_leaves_the_question_to_the_others(gateway: Gateway, settings: LiveSettings) -> None:
    free = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await free.wait()
        return await gateway.models(request)

    gateway.answer = slow
    known = Discovery(settings)
    first, second = (asyncio.create_task(known.list(refresh=True)) for _ in range(2))
    while not gateway.asked:
        await asyncio.sleep(0.01)
    first.cancel()
    free.set()
    assert (await second).models == ["haiku", "opus"]
    assert len(gateway.asked) == 1


async def test_another_address_or_key_is_asked_at_once(gateway: Gateway, settings: LiveSettings) -> None:
    known = Discovery(settings)
    await known.list(refresh=False)
    settings.reload({**settings.environ, "ANTHROPIC_API_KEY": "sk-another-made-up-key"})
    assert (await known.list(refresh=False)).available
    assert [one["x-api-key"] for one in gateway.asked] == [KEY, "sk-another-made-up-key"]
    settings.reload({**settings.environ, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})
    away = await known.list(refresh=False)
    assert (away.models, away.available) == ([], False), "the models of another API are none of this one's"


async def test_a_failure_keeps_what_was_told_and_is_remembered_for_a_while(
    gateway: Gateway, settings: LiveSettings
) -> None:
    known = Discovery(settings)
    before = await known.list(refresh=False)

    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text=f"no way for {KEY}")

    gateway.answer = broken
    for refresh, asked in ((True, 2), (False, 2), (True, 3)):
        found = await known.list(refresh=refresh)
        assert (found.models, found.refreshed_at, found.available) == (before.models, before.refreshed_at, False)
        assert found.problem == "the API answered 502"
        assert len(gateway.asked) == asked


async def test_a_redirect_is_not_followed_for_it_would_take_the_key_along(
    gateway: Gateway, settings: LiveSettings
) -> None:
    async def lead_on(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{gateway.url}/elsewhere"})

    gateway.answer = lead_on
    assert (await Discovery(settings).list(refresh=True)).problem == "the API answered 302"
    assert len(gateway.asked) == 1


async def test_an_answer_without_end_is_given_up(gateway: Gateway, settings: LiveSettings) -> None:
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100 * ANSWER_MAX:
            await response.write(b" " * 65536)
            sent += 65536
        return response

    gateway.answer = flood
    found = await Discovery(settings).list(refresh=True)
    assert f"more than {ANSWER_MAX} bytes" in found.problem
    assert sent < 100 * ANSWER_MAX


async def test_an_api_that_does_not_answer_is_given_up(
    gateway: Gateway, settings: LiveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    gateway.answer = silent
    assert discovery.TIMEOUT_SECONDS == 5.0
    monkeypatch.setattr(discovery, "TIMEOUT_SECONDS", 0.3)
    found = await Discovery(settings).list(refresh=True)
    over.set()
    assert (found.available, found.problem) == (False, "no answer within 0.3 s")


async def test_without_key_and_address_nobody_is_asked(gateway: Gateway, settings: LiveSettings) -> None:
    settings.reload({"CLAUDEOPS_STATE_DIR": settings.current.state_dir})
    found = await Discovery(settings).list(refresh=True)
    assert (found.models, found.available, gateway.asked) == ([], False, [])
    assert "ANTHROPIC_API_KEY" in found.problem
