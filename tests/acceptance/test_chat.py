"""Other programs chat with the whole daemon: by OpenAI's and Ollama's own client libraries, and by plain HTTP."""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ollama
import openai
import pytest
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import messages_api, real, report, say
from tests.fakes.messages_api import bash

KEY = "chat-key-made-up-0123456789"
LOOK = say("I look.", bash("echo it answers", "one"))
BROKEN = report("web answers 502", needed=True, status="down")
REPAIRED = report("web was restarted and answers")


def client(daemon: Daemon, key: str = KEY) -> openai.OpenAI:
    """As a program is set up for it: nothing but an address and a key."""
    return openai.OpenAI(base_url=f"http://127.0.0.1:{daemon.port}/v1", api_key=key, max_retries=0, timeout=120)


def user(text: str) -> list[ChatCompletionMessageParam]:
    return [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "an earlier question"},
        {"role": "assistant", "content": "an earlier answer"},
        {"role": "user", "content": text},
    ]


def plan(**more: Any) -> list[ChatCompletionMessageParam]:
    """What the fake CLI is to do."""
    return [{"role": "user", "content": json.dumps(more)}]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finishes(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]


def triggers(daemon: Daemon) -> list[dict[str, Any]]:
    found = daemon.json("triggers", "list")
    assert isinstance(found, list)
    return found


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the fake CLI with a chat key; a chat waits for two seconds."""
    with running(tmp_path / "d", CLAUDEOPS_CHAT_API_KEY=KEY, CLAUDEOPS_CHAT_WAIT="2") as daemon:
        yield daemon


def test_the_official_client_chats_with_the_real_cli(tmp_path: Path) -> None:
    with (
        messages_api(check=[LOOK, report("web answers")]) as (url, messages),
        real(tmp_path, url, CLAUDEOPS_CHAT_API_KEY=KEY) as daemon,
        client(daemon) as api,
    ):
        names = ["claude-ops", "claude-ops-tier1", "claude-ops-tier2", "claude-ops-tier3"]
        assert [one.id for one in api.models.list()] == names
        assert api.models.retrieve("claude-ops-tier2").owned_by == "claude-ops"

        whole = api.chat.completions.create(model="claude-ops", messages=user("script check"))
        assert whole.choices[0].message.content == "web answers"
        assert whole.choices[0].finish_reason == "stop"
        assert abs(whole.created - time.time()) < 60
        assert whole.usage is not None
        assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0

        parts: list[ChatCompletionMessageParam] = [
            {"role": "user", "content": [{"type": "text", "text": "script"}, {"type": "text", "text": "and more"}]},
            {"role": "user", "content": [{"type": "text", "text": "script check"}, {"type": "text", "text": "please"}]},
        ]
        options: Any = {"include_usage": True}
        with api.chat.completions.create(
            model="claude-ops-tier2:latest", messages=parts, stream=True, stream_options=options
        ) as stream:
            chunks = list(stream)
        assert chunks[0].choices[0].delta.role == "assistant"
        assert [chunk for chunk in chunks[1:] if chunk.choices and chunk.choices[0].delta.role] == []
        assert finishes(chunks) == ["stop"]
        assert text_of(chunks) == "I look.\n\nweb answers"
        (call,) = [one for chunk in chunks if chunk.choices for one in chunk.choices[0].delta.tool_calls or []]
        assert call.function is not None
        assert (call.index, call.id, call.function.name) == (0, "one", "Bash")
        assert json.loads(call.function.arguments or "")["command"] == "echo it answers"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens > 0
        assert {chunk.created for chunk in chunks} == {chunks[0].created}
        assert len({chunk.id for chunk in chunks}) == 1

        first, second = daemon.json("sessions", "list")[::-1]
        assert [(one["tier"], one["trigger"], one["requested_by"]) for one in (first, second)] == [
            (1, "api", "key:chat"), (2, "api", "key:chat"),
        ]  # fmt: skip
        assert second["prompt_text"] == "script check\nplease"
        assert "an earlier question" not in str(messages.turns[0].body)


def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    with (
        messages_api(check=[LOOK, BROKEN], tier2=[REPAIRED]) as (url, _),
        real(tmp_path, url, CLAUDEOPS_CHAT_API_KEY=KEY, CLAUDEOPS_ESCALATION_RESUME="false") as daemon,
        client(daemon) as api,
    ):
        whole = api.chat.completions.create(model="claude-ops", messages=user("script check"))
        assert whole.choices[0].message.content == "Tier 1: web answers 502\n\nTier 2: web was restarted and answers"
        with api.chat.completions.create(model="claude-ops", messages=user("script check"), stream=True) as stream:
            chunks = list(stream)
        assert text_of(chunks) == (
            "I look.\n\nweb answers 502\n\nTier 2 takes over (session 4).\n\nweb was restarted and answers"
        )
        assert finishes(chunks) == ["stop"]
        rows = daemon.json("sessions", "list")[::-1]
        assert [(row["tier"], row["status"]) for row in rows] == [(1, "escalated"), (2, "completed")] * 2


def test_ollamas_own_client_chats_and_always_shows_the_key(tmp_path: Path) -> None:
    with (
        messages_api(check=[LOOK, report("web answers")]) as (url, _),
        real(tmp_path, url, CLAUDEOPS_CHAT_API_KEY=KEY, CLAUDEOPS_MAX_TIER="2") as daemon,
        ollama.Client(host=f"http://127.0.0.1:{daemon.port}", headers={"Authorization": f"Bearer {KEY}"}) as api,
    ):
        listed = [one.model for one in api.list().models]
        assert listed == ["claude-ops:latest", "claude-ops-tier1:latest", "claude-ops-tier2:latest"]
        said = [{"role": "user", "content": "script check"}]
        pieces = list(api.chat(model="claude-ops:latest", messages=said, stream=True))
        assert "".join(one.message.content or "" for one in pieces) == "I look.\n\nweb answers"
        assert [one.done for one in pieces] == [False] * (len(pieces) - 1) + [True]
        assert pieces[-1].done_reason == "stop"
        whole = api.chat(model="claude-ops-tier2:latest", messages=said)
        assert whole.message.content == "web answers"
        assert whole.eval_count
        assert whole.prompt_eval_count
        assert daemon.json("sessions", "list")[0]["tier"] == 2
        assert api.generate(model="claude-ops", prompt="script check").response == "web answers"
        assert api.generate(model="claude-ops").done_reason == "load"
        assert len(daemon.json("sessions", "list")) == 3, "to load a model starts nothing"
        with pytest.raises(ollama.ResponseError, match="CLAUDEOPS_MAX_TIER is 2") as error:
            api.chat(model="claude-ops-tier3", messages=said)
        assert error.value.status_code == 400
        key = {"Authorization": f"Bearer {KEY}"}
        assert set(json.loads(daemon.request("GET", "/api/version", headers=key)[2])) == {"version"}
        body = json.dumps({"model": "claude-ops", "prompt": "script check"})
        status, headers, raw = daemon.request("POST", "/api/generate", body, headers=key, timeout=60)
        assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
        lines = [json.loads(line) for line in raw.splitlines()]
        assert "".join(line["response"] for line in lines) == "I look.\n\nweb answers"
        for method, path in (
            ("GET", "/api/version"),
            ("GET", "/api/tags"),
            ("POST", "/api/chat"),
            ("POST", "/api/generate"),
        ):
            status, _, raw = daemon.request(method, path, body if method == "POST" else "")
            assert (status, list(json.loads(raw))) == (401, ["error"]), path


def test_who_may_chat(keyed: Daemon) -> None:
    operator = keyed.json("token", "create", "--name", "webui", "--role", "operator")["token"]
    viewer = keyed.json("token", "create", "--name", "board", "--role", "viewer")["token"]
    asked = plan(lines=1, say="all is well")
    with client(keyed, operator) as api:
        found = api.chat.completions.create(model="claude-ops", messages=asked)
        assert found.choices[0].message.content
    with client(keyed, viewer) as api, pytest.raises(openai.PermissionDeniedError, match="needs the role operator"):
        api.chat.completions.create(model="claude-ops", messages=asked)
    with client(keyed, "wrong") as api, pytest.raises(openai.AuthenticationError, match="The key is wrong") as error:
        api.chat.completions.create(model="claude-ops", messages=asked)
    assert isinstance(error.value.body, dict)
    assert error.value.body["code"] == "invalid_api_key"
    assert error.value.response.headers["WWW-Authenticate"].startswith("Bearer")
    with client(keyed) as api:
        with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'; choose one of claude-ops"):
            api.chat.completions.create(model="gpt-4", messages=asked)
        image: Any = {"type": "image_url", "image_url": {"url": "data:,"}}
        with pytest.raises(openai.BadRequestError, match="not 'image_url'") as wrong:
            api.chat.completions.create(model="claude-ops", messages=[{"role": "user", "content": [image]}])
        assert wrong.value.param == "messages[0].content[0].type"
        with pytest.raises(openai.BadRequestError, match="no words of the user"):
            api.chat.completions.create(model="claude-ops", messages=[])
    assert [row["requested_by"] for row in triggers(keyed)] == ["token:webui"]
    # A browser of another site gets in by no cookie, and a name that is not this dashboard's keeps no program out.
    body = json.dumps({"messages": plan(lines=1)})
    assert keyed.request("POST", "/v1/chat/completions", body)[0] == 401
    # Whoever guesses is slowed; who has shown the right key before is not.
    for _ in range(25):
        status, headers, _ = keyed.request("GET", "/v1/models", headers={"Authorization": "Bearer guess"})
    assert (status, int(headers["Retry-After"]) >= 1) == (429, True)
    assert keyed.request("GET", "/v1/models", headers={"Authorization": f"Bearer {KEY}"})[0] == 200


def test_a_chat_ends_with_the_token_that_asked_and_its_session_goes_on(keyed: Daemon, tmp_path: Path) -> None:
    """One that is streamed, and one that is told whole."""
    go = tmp_path / "go"
    made = [keyed.json("token", "create", "--name", name, "--role", "operator") for name in ("one", "two")]
    told: dict[str, str] = {}

    def ask(name: str, token: str, model: str, *, stream: bool) -> None:
        body = json.dumps({"model": model, "messages": plan(lines=1, until=str(go)), "stream": stream})
        headers = {"Authorization": f"Bearer {token}"}
        told[name] = keyed.request("POST", "/v1/chat/completions", body, headers=headers, timeout=60)[2].decode()

    with ThreadPoolExecutor(2) as threads:
        threads.submit(ask, "speaks", made[0]["token"], "claude-ops", stream=True)
        wait_for(lambda: keyed.json("sessions", "list")[:1], 15, "the first session")
        threads.submit(ask, "whole", made[1]["token"], "claude-ops-tier2", stream=False)
        wait_for(lambda: len(keyed.json("sessions", "list")) == 2, 15, "the second session")
        for one in made:
            keyed.ctl("token", "revoke", one["name"])
        wait_for(lambda: len(told) == 2, 5, "both chats at their end")
    try:
        for text, id_ in ((told["speaks"], 1), (told["whole"], 2)):
            assert f"was revoked, has ended, or lost its role. Session {id_} goes on." in text
        assert told["speaks"].endswith("data: [DONE]\n\n")
        assert [row["status"] for row in keyed.json("sessions", "list")] == ["running", "running"]
    finally:
        go.touch()


def test_without_a_key_nobody_chats_but_with_a_token(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        status, _, raw = daemon.request("POST", "/v1/chat/completions", "{}")
        error = json.loads(raw)["error"]
        assert status == 503
        assert "set CLAUDEOPS_CHAT_API_KEY" in error["message"]
        assert error["type"] == "server_error"
        assert daemon.request("POST", "/api/chat", "{}")[0] == 503
        with (
            client(daemon, "anything") as api,
            pytest.raises(openai.InternalServerError, match="CHAT_API_KEY"),
        ):
            api.models.list()
        operator = daemon.json("token", "create", "--name", "webui", "--role", "operator")["token"]
        with client(daemon, operator) as api:
            assert len(list(api.models.list())) == 4


def test_busy_waits_for_its_turn_and_then_says_what_runs(keyed: Daemon, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = keyed.trigger(lines=1, interval=0.05, until=str(go))
    with client(keyed) as api:
        before = time.monotonic()
        found = api.chat.completions.create(model="claude-ops", messages=plan(lines=1))
        assert time.monotonic() - before < 15
        text = found.choices[0].message.content or ""
        assert text.startswith(f"Nothing was started, for tier 1 is busy with session {first['id']} (manual, since ")
        assert text.endswith("Ask again later.")
        assert [row["status"] for row in triggers(keyed)] == ["cancelled"]
        threading.Timer(0.7, go.touch).start()
        with api.chat.completions.create(
            model="claude-ops", messages=plan(lines=1, say="here {n}"), stream=True
        ) as stream:
            told = text_of(list(stream))
        assert told.startswith(f"Waiting: tier 1 is busy with session {first['id']}.")
        assert "here " in told
    assert [row["status"] for row in triggers(keyed)] == ["started", "cancelled"]


def test_a_client_that_goes_away_takes_its_waiting_trigger_with_it_and_stops_nothing(
    keyed: Daemon, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    busy = keyed.trigger(lines=1, interval=0.05, until=str(go))
    body = json.dumps({"messages": plan(lines=1), "stream": True})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", keyed.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    assert response.readline().startswith(b"data: ")
    wait_for(lambda: [row["status"] for row in triggers(keyed)] == ["waiting"], 10, "a trigger that waits")
    response.close()
    connection.close()
    wait_for(lambda: [row["status"] for row in triggers(keyed)] == ["cancelled"], 10, "taken out")
    assert keyed.session(busy["id"])["status"] == "running"
    go.touch()
    keyed.wait_ended(busy["id"])
    # One whose session runs leaves it running: it may be in the middle of something.
    hold = tmp_path / "hold"
    long = json.dumps({"messages": plan(lines=1, interval=0.05, until=str(hold)), "stream": True})
    connection = http.client.HTTPConnection("127.0.0.1", keyed.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", long, headers)
    response = connection.getresponse()
    while b"line" not in response.readline():
        pass
    response.close()
    connection.close()
    time.sleep(2)
    (session,) = [row for row in keyed.json("sessions", "list") if row["trigger"] == "api"]
    assert session["status"] == "running"
    hold.touch()
    assert keyed.wait_ended(session["id"])["status"] == "completed"


def test_what_takes_too_long_or_fails_is_told_in_words_so_that_no_client_repeats_it(tmp_path: Path) -> None:
    settings = {"CLAUDEOPS_CHAT_API_KEY": KEY, "CLAUDEOPS_CHAT_TIMEOUT": "4", "CLAUDEOPS_CHAT_TOOL_CALLS": "false"}
    with (
        running(tmp_path / "d", CLAUDEOPS_PUBLIC_URL="https://ops.example.org", **settings) as daemon,
        client(daemon) as api,
    ):
        failed = api.chat.completions.create(model="claude-ops", messages=plan(lines=1, exit=3))
        text = failed.choices[0].message.content or ""
        assert "Session 1 has not completed (failed): " in text
        assert text.endswith("see https://ops.example.org/sessions/1.")
        go = tmp_path / "go"
        late = api.chat.completions.create(model="claude-ops", messages=plan(lines=1, interval=0.1, until=str(go)))
        text = late.choices[0].message.content or ""
        assert text == (
            "There is no answer yet after 4 s. Session 2 (tier 1) goes on, see https://ops.example.org/sessions/2."
        )
        go.touch()
        assert daemon.wait_ended(2)["status"] == "completed"
        # What was shown as a tool call is not a question: whoever hands a result back starts nothing.
        call = {"id": "a", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
        handed: Any = [
            {"role": "user", "content": "look"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "none"},
        ]  # fmt: skip
        found = api.chat.completions.create(model="claude-ops", messages=handed)
        assert "Nothing was started" in (found.choices[0].message.content or "")
        with api.chat.completions.create(model="claude-ops", messages=handed, stream=True) as stream:
            chunks = list(stream)
        assert "Nothing was started" in text_of(chunks)
        assert finishes(chunks) == ["stop"]
        assert len(triggers(daemon)) == 2


def test_a_worker_that_is_killed_costs_a_chat_nothing(keyed: Daemon, tmp_path: Path) -> None:
    go = tmp_path / "go"
    chunks: list[ChatCompletionChunk] = []
    asked = plan(lines=40, interval=0.1, say="step {n}", until=str(go))

    def listen() -> None:
        with (
            client(keyed) as api,
            contextlib.suppress(openai.APIError),
            api.chat.completions.create(model="claude-ops", messages=asked, stream=True) as stream,
        ):
            chunks.extend(stream)

    listener = threading.Thread(target=listen)
    listener.start()
    wait_for(lambda: triggers(keyed) and triggers(keyed)[0]["status"] == "started", 15, "a session")
    keyed.wait_replaced("worker", keyed.kill("worker"))
    go.touch()
    listener.join(60)
    assert not listener.is_alive()
    assert finishes(chunks) == ["stop"]
    told = text_of(chunks)
    session = keyed.json("sessions", "list")[0]
    assert session["status"] == "completed"
    steps = [line for line in told.split("\n\n") if line.startswith("step ")]
    assert steps == [f"step {number}" for number in range(len(steps))]
    assert len(steps) >= 40
