"""Summaries are written after the end, from what is there, and never stand in a session's way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict

from daemon.summaries import messages_api
from daemon.summaries.summaries import Summaries
from ipc.messages.sessions import SessionChanged
from schema.sessions import Session
from schema.states import SessionStatus
from tests.integration.knowledge.place import Place

LONG = "# Report\n\nAll three services answer.\n\n" + "web answers in 3 ms. " * 60
KEY = "sk-ant-made-up-key"
Answer = Callable[[int], web.Response | Awaitable[web.Response]]


class Api:
    """A Messages API that answers by number of the request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[tuple[CIMultiDict[str], dict[str, Any]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.headers.copy(), await request.json()))
        found = self.answer(len(self.requests))
        return found if isinstance(found, web.Response) else await found


@asynccontextmanager
async def api(answer: Answer) -> AsyncIterator[Api]:
    found = Api(answer)
    application = web.Application()
    application.router.add_post("/v1/messages", found.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


def words(text: str) -> web.Response:
    return web.json_response({"content": [{"type": "text", "text": text}]})


@asynccontextmanager
async def running(place: Place, **environ: str) -> AsyncIterator[Summaries]:
    summaries = Summaries(place.store, place.settings(**environ), place.heard)
    task = asyncio.create_task(summaries.run())
    try:
        yield summaries
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def summary_of(place: Place, session: Session) -> str:
    async with asyncio.timeout(10):
        while True:
            (row,) = await place.rows(f"SELECT summary FROM sessions WHERE id = {session.id}")
            if row["summary"] is not None:
                return str(row["summary"])
            await asyncio.sleep(0.01)


async def ended(place: Place, **columns: str) -> Session:
    return await place.session(1, "completed", **columns)


async def test_the_summary_of_a_structured_output_is_taken_and_nobody_is_asked(place: Place) -> None:
    async with (
        api(lambda n: words("no")) as asked,
        running(place, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=asked.url) as summaries,
    ):
        session = await ended(place, response=LONG, structured='{"summary":"web is down"}')
        summaries.note_end(session.id)
        assert await summary_of(place, session) == "web is down"
        assert place.heard.events == [SessionChanged(id=session.id, status=SessionStatus.COMPLETED)]
        assert asked.requests == []


async def test_a_long_answer_is_summed_up_by_a_model(place: Place) -> None:
    async with (
        api(lambda n: words(f"All is well; {KEY}")) as asked,
        running(
            place, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=asked.url, CLAUDEOPS_SUMMARY_MODEL="haiku"
        ) as summaries,
    ):
        session = await ended(place, response=LONG)
        summaries.note_end(session.id)
        assert await summary_of(place, session) == "All is well; [REDACTED:ANTHROPIC_API_KEY]"
        ((headers, body),) = asked.requests
        assert headers["x-api-key"] == KEY
        assert (body["model"], body["max_tokens"]) == ("claude-haiku-4-5-20251001", 300)
        assert "All three services answer" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "environ", [{}, {"ANTHROPIC_API_KEY": KEY, "CLAUDEOPS_DEMO": "true"}, {"CLAUDE_CODE_OAUTH_TOKEN": "subscription"}]
)
async def test_without_a_key_or_in_the_demo_the_answers_beginning_is_its_summary(
    place: Place, environ: dict[str, str]
) -> None:
    async with (
        api(lambda n: words("no")) as asked,
        running(place, ANTHROPIC_BASE_URL=asked.url, **environ) as summaries,
    ):
        session = await ended(place, response=LONG)
        summaries.note_end(session.id)
        assert await summary_of(place, session) == "All three services answer."
        assert asked.requests == []


async def test_an_overloaded_api_is_asked_once_more(place: Place) -> None:
    def answer(number: int) -> web.Response:
        return web.Response(status=529, headers={"retry-after": "0"}) if number == 1 else words("well")

    async with (
        api(answer) as asked,
        running(place, ANTHROPIC_AUTH_TOKEN="token", ANTHROPIC_BASE_URL=asked.url) as summaries,
    ):
        session = await ended(place, response=LONG)
        summaries.note_end(session.id)
        assert await summary_of(place, session) == "well"
        assert [headers["authorization"] for headers, _ in asked.requests] == ["Bearer token"] * 2


@pytest.mark.parametrize(
    ("answer", "asked_times"),
    [
        (lambda n: web.Response(status=401), 1),
        (lambda n: web.Response(status=500), 2),
        (lambda n: web.Response(text="<html>"), 2),
        (lambda n: web.json_response({"content": []}), 2),
        (lambda n: web.Response(text="[" * 200_000), 2),
        (lambda n: web.Response(body=b'"' + b"x" * 2_000_000), 2),
        (lambda n: web.Response(status=302, headers={"location": "/elsewhere"}), 1),
    ],
    ids=["refused", "broken", "html", "empty", "brackets", "huge", "redirect"],
)
async def test_an_api_that_fails_is_told_once_and_the_session_keeps_its_beginning(
    place: Place, answer: Answer, asked_times: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("daemon.summaries.rules.wait", lambda told: 0.0)
    async with api(answer) as asked, running(place, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=asked.url) as summaries:
        first, second = await ended(place, response=LONG), await ended(place, response=LONG)
        summaries.note_end(first.id)
        summaries.note_end(second.id)
        assert await summary_of(place, first) == await summary_of(place, second) == "All three services answer."
        assert len(asked.requests) == 2 * asked_times
    told = capsys.readouterr().err
    assert told.count("summaries: ") == 1
    assert KEY not in told


async def test_an_api_that_never_answers_is_given_up_and_nobody_waits_for_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages_api, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr("daemon.summaries.rules.wait", lambda told: 0.0)

    async def hang() -> web.Response:
        await asyncio.sleep(60)
        return words("late")

    async with (
        api(lambda n: hang()) as asked,
        running(place, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=asked.url) as summaries,
    ):
        session = await ended(place, response=LONG)
        before = asyncio.get_running_loop().time()
        summaries.note_end(session.id)
        assert asyncio.get_running_loop().time() - before < 0.05
        assert await summary_of(place, session) == "All three services answer."
    assert "Timeout" in capsys.readouterr().err


async def test_what_an_earlier_worker_left_undone_is_taken_up(place: Place) -> None:
    left, silent = await ended(place, response="short and good"), await ended(place)
    done = await ended(place, response="x", summary="written")
    waits, runs = await place.session(2, "awaiting_approval", response="y"), await place.session(3, response="z")
    async with running(place):
        assert await summary_of(place, left) == "short and good"
        await asyncio.sleep(0.05)
    rows = {row["id"]: row["summary"] for row in await place.rows("SELECT id, summary FROM sessions")}
    assert rows == {left.id: "short and good", silent.id: None, done.id: "written", waits.id: None, runs.id: None}


async def test_a_flood_of_ends_is_bounded_and_harmless(place: Place) -> None:
    summaries = Summaries(place.store, place.settings(), place.heard)
    for number in range(10_000):
        summaries.note_end(number)
    assert summaries._waiting.qsize() == 200
