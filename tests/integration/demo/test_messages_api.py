"""The scripted Messages API over real HTTP, as a client other than the CLI sees it."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from daemon.demo.turns import Drop, Hang, HttpError, Text, Turn
from tests.fakes.messages_api import KEY, serving

HEADERS = {"x-api-key": KEY, "x-claude-code-session-id": "one"}


def body(stream: bool = True, **more: Any) -> dict[str, Any]:
    return {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hi"}], **more}


async def ask(url: str, stream: bool = True, headers: dict[str, str] = HEADERS, **more: Any) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{url}/v1/messages?beta=true", json=body(stream, **more), headers=headers) as response,
    ):
        return response.status, (await response.read()).decode()


async def test_a_streamed_answer_is_a_sequence_of_events() -> None:
    async with serving([Turn([Text("hello")])]) as api:
        status, text = await ask(api.url)
    kinds = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("event")]
    assert status == 200
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")


async def test_without_stream_the_answer_is_one_message() -> None:
    async with serving([Turn([Text("hello")])]) as api:
        _, text = await ask(api.url, stream=False)
    assert json.loads(text)["content"] == [{"type": "text", "text": "hello"}]


async def test_a_wrong_key_is_refused_and_noted() -> None:
    async with serving([Turn([Text("hello")])]) as api:
        status, _ = await ask(api.url, headers={"x-api-key": "other"})
        await ask(api.url)
        assert [request.keyed for request in api.turns] == [False, True]
    assert status == 401


async def test_faults_answer_the_first_attempts_of_each_session() -> None:
    async with serving([Turn([Text("hello")], faults=[HttpError(529, retry_after_s=2), HttpError(500)])]) as api:
        assert [(await ask(api.url))[0] for _ in range(3)] == [529, 500, 200]
        other = {**HEADERS, "x-claude-code-session-id": "two"}
        assert (await ask(api.url, headers=other))[0] == 529


async def test_a_dropped_connection_is_cut_in_the_middle() -> None:
    async with serving([Turn([Text("hello")], faults=[Drop(2), Drop()])]) as api:
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(api.url)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask(api.url)
        assert (await ask(api.url))[0] == 200


async def test_who_leaves_before_the_answer_or_within_it_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """As the CLI does when the daemon is stopped, in the console of whoever pressed Ctrl-C."""
    for turn in (Turn([Text("hello")], before_s=0.4), Turn([Text("hello " * 100)], pace_s=0.1)):
        async with serving([turn]) as api:
            waiting = asyncio.create_task(ask(api.url))
            await asyncio.sleep(0.2)
            waiting.cancel()
            await asyncio.sleep(0.5)
            assert len(api.turns) == 1
    assert [record.getMessage() for record in caplog.records if record.name == "aiohttp.server"] == []


async def test_a_hanging_answer_does_not_keep_the_server_from_stopping() -> None:
    async with serving([Turn([Text("hello")], faults=[Hang()])]) as api:
        waiting = asyncio.create_task(ask(api.url))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await waiting


async def test_a_call_for_a_title_takes_no_turn_of_the_script() -> None:
    wanted = {"format": {"type": "json_schema", "schema": {"type": "object", "required": ["title"]}}}
    async with serving([Turn([Text("hello")])]) as api:
        _, text = await ask(api.url, stream=False, output_config=wanted, tools=[])
        assert json.loads(json.loads(text)["content"][0]["text"]) == {"title": "Scripted session"}
        assert api.turns == []


async def test_models_tokens_and_liveness_are_answered_and_the_rest_is_not_found() -> None:
    async with serving([]) as api, aiohttp.ClientSession(api.url, headers=HEADERS) as client:
        async with client.head("/") as response:
            assert response.status == 200
        async with client.get("/v1/models") as response:
            assert [model["type"] for model in (await response.json())["data"]] == ["model"] * 3
        async with client.post("/v1/messages/count_tokens", json=body()) as response:
            assert (await response.json())["input_tokens"] > 0
        async with client.get("/v1/other") as response:
            assert response.status == 404
