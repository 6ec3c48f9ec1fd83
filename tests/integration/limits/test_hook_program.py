"""The hook program against a real server: whatever becomes of the worker, nothing is allowed that it did not allow."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio

from daemon.limits.hook_settings import HOOK
from ipc.errors import CallError, Code
from ipc.messages.limits import AskCall, CallReply
from ipc.server import Call, Handler, Server, bound_socket

QUESTION = {
    "session_id": "s",
    "cwd": "/app",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "docker restart web", "description": "ünïcode \U0001f600"},
    "tool_use_id": "toolu_1",
}
Answer = Callable[[Call, AskCall], Awaitable[CallReply]]


class Socket:
    """The supervisor's listening socket, which outlives every worker on it."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hook-"))
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.directory / "rpc.sock"))
        self.listening.listen(64)
        self.workers: list[Worker] = []

    def worker(self, answer: Answer) -> "Worker":
        """A worker on it, until it is killed or the test ends."""
        made = Worker(self, answer)
        self.workers.append(made)
        return made

    async def close(self) -> None:
        for worker in self.workers:
            await worker.kill()
        self.listening.close()
        shutil.rmtree(self.directory)


class Worker:
    """A worker on the socket, with one answer. `kill` drops all its connections."""

    def __init__(self, place: Socket, answer: Answer) -> None:
        self.asked: list[tuple[str, AskCall]] = []
        self.answer = answer
        self.context = zmq.asyncio.Context()
        table: dict[type, Handler] = {AskCall: self.ask}
        router = bound_socket(self.context, zmq.ROUTER, place.listening.fileno())
        self.server = Server(router, table, allowed=lambda peer: True, recall=self.recall)
        self.task = asyncio.create_task(self.server.serve())

    async def recall(self, id_: str) -> bytes | None:
        return None

    async def ask(self, call: Call, request: AskCall) -> CallReply:
        self.asked.append((call.id, request))
        return await self.answer(call, request)

    async def kill(self) -> None:
        if self.context.closed:
            return
        self.task.cancel()
        for task in list(self.server._running.values()):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        self.context.destroy(0)


async def allow(call: Call, request: AskCall) -> CallReply:
    return CallReply(decision="allow", reason="as the test wants")


async def never(call: Call, request: AskCall) -> CallReply:
    await asyncio.sleep(600)
    raise AssertionError


@pytest.fixture
async def place() -> AsyncIterator[Socket]:
    made = Socket()
    yield made
    await made.close()


async def start(
    place: Socket, *, patience: float = 10, question: bytes | None = None, **more: Any
) -> asyncio.subprocess.Process:
    """The hook, asked."""
    words = ["-I", "-S", "-X", "utf8", HOOK, str(place.directory), "run-1", f"{patience:g}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        **{"env": {"PATH": "/usr/bin:/bin"}, **more},
    )
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(QUESTION).encode() if question is None else question)
        await process.stdin.drain()
    process.stdin.close()
    return process


async def end(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """(decision, reason) that the hook printed; nothing else may come out of it."""
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors) == (0, b"")
    told = json.loads(out)["hookSpecificOutput"]
    assert told["hookEventName"] == "PreToolUse"
    return told["permissionDecision"], told.get("permissionDecisionReason", "")


async def ask(place: Socket, **more: Any) -> tuple[str, str]:
    return await end(await start(place, **more))


@pytest.mark.parametrize("decision", ["allow", "deny", "defer"])
async def test_the_worker_is_asked_and_its_answer_is_printed(place: Socket, decision: str) -> None:
    async def answer(call: Call, request: AskCall) -> CallReply:
        return CallReply(decision=decision, reason="wëll")

    worker = place.worker(answer)
    assert await ask(place, question=json.dumps(QUESTION | {"agent_id": "a1"}).encode()) == (decision, "wëll")
    ((_, request),) = worker.asked
    assert (request.run_id, request.tool_use_id, request.tool) == ("run-1", "toolu_1", "Bash")
    assert (request.agent, request.cwd) == ("a1", "/app")
    assert json.loads(request.input) == QUESTION["tool_input"]


async def test_the_call_names_its_own_process_to_the_worker(place: Socket) -> None:
    pids: list[int] = []

    async def answer(call: Call, request: AskCall) -> CallReply:
        pids.append(call.peer.pid)
        return CallReply(decision="deny", reason="")

    place.worker(answer)
    process = await start(place)
    await end(process)
    assert pids == [process.pid]


async def test_a_question_waits_for_a_worker_that_is_not_there_yet(place: Socket) -> None:
    process = await start(place)
    await asyncio.sleep(0.5)
    place.worker(allow)
    assert (await end(process))[0] == "allow"


async def test_a_worker_that_dies_while_it_is_asked_is_followed_by_one_that_is_asked_the_same(place: Socket) -> None:
    first = place.worker(never)
    process = await start(place)
    while not first.asked:
        await asyncio.sleep(0.01)
    await first.kill()
    await asyncio.sleep(0.3)
    second = place.worker(allow)
    assert (await end(process))[0] == "allow"
    ((first_id, asked),), ((second_id, again),) = first.asked, second.asked
    assert (first_id, asked) == (second_id, again)


async def test_an_answer_that_takes_longer_than_a_heartbeat_arrives(place: Socket) -> None:
    async def answer(call: Call, request: AskCall) -> CallReply:
        await asyncio.sleep(13)
        return CallReply(decision="allow", reason="")

    worker = place.worker(answer)
    assert (await ask(place, patience=40))[0] == "allow"
    assert len(worker.asked) == 1


async def test_a_worker_that_never_answers_ends_in_a_denial_that_says_so(place: Socket) -> None:
    place.worker(never)
    before = time.monotonic()
    decision, reason = await ask(place, patience=1.5)
    assert decision == "deny"
    assert reason.startswith("Claude Ops did not answer in 2 s, so nothing was run;") or "in 1 s" in reason
    assert time.monotonic() - before < 20


async def test_without_a_worker_and_without_a_daemon_nothing_is_allowed(place: Socket) -> None:
    decision, reason = await ask(place, patience=0.5)
    assert (decision, "did not answer" in reason) == ("deny", True)
    (place.directory / "rpc.sock").unlink()
    decision, reason = await ask(place, patience=0.5)
    assert (decision, "rpc.sock" in reason) == ("deny", True)


@pytest.mark.parametrize("code", [Code.FORBIDDEN, Code.NOT_FOUND, Code.INTERNAL, Code.INVALID])
async def test_an_error_is_a_denial_with_its_sentence(place: Socket, code: Code) -> None:
    async def answer(call: Call, request: AskCall) -> CallReply:
        raise CallError(code, "because of the test")

    place.worker(answer)
    assert await ask(place) == ("deny", "because of the test")


async def test_trouble_that_passes_is_waited_for(place: Socket) -> None:
    async def answer(call: Call, request: AskCall) -> CallReply:
        if len(worker.asked) < 3:
            raise CallError(Code.OVERLOADED, "too much")
        return CallReply(decision="allow", reason="")

    worker = place.worker(answer)
    assert (await ask(place))[0] == "allow"
    assert len({id_ for id_, _ in worker.asked}) == 1


@pytest.mark.parametrize("decision", ["ask", "ALLOW", "", "allowed"])
async def test_an_answer_that_is_none_of_the_three_is_a_denial(place: Socket, decision: str) -> None:
    async def answer(call: Call, request: AskCall) -> CallReply:
        return CallReply(decision=decision, reason="")

    place.worker(answer)
    assert (await ask(place))[0] == "deny"


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL".ljust(23, b"\0") + bytes(32)


def reply(body: bytes) -> bytes:
    """A whole conversation that ends in a message."""
    ready = b"\x05READY" + b"\x0bSocket-Type\x00\x00\x00\x06ROUTER"
    return GREETING + b"\x04" + bytes([len(ready)]) + ready + b"\x00" + bytes([len(body)]) + body


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"allow" * 50,
        GREETING[:20],
        GREETING + b"\x04\x05ERROR",
        GREETING + b"\x02" + b"\xff" * 8,
        reply(b"allow"),
        reply(b"[]"),
        reply(b'{"decision":"allow"}'),
        reply(
            msgspec.json.encode([1, "rep", "calls.ask", "another-id", 0, 0, "", {"decision": "allow", "reason": ""}])
        ),
        reply(b"\xff" * 40),
    ],
    ids=["nothing", "http", "cut", "error", "endless", "words", "empty", "no-envelope", "another", "bytes"],
)
async def test_garbage_is_never_taken_for_leave(place: Socket, said: bytes) -> None:
    connections = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        place.listening.setblocking(False)
        while True:
            connection, _ = await loop.sock_accept(place.listening)
            connections.append(connection)
            await loop.sock_sendall(connection, said)

    serving = asyncio.create_task(serve())
    decision, _ = await ask(place, patience=1)
    assert decision == "deny"
    serving.cancel()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "question",
    [b"", b"{", b"[]", b"null", b"{}", b'{"tool_use_id":"t","tool_name":"Bash"}', b"\xff\xfe", b"[" * 100_000],
    ids=["nothing", "cut", "list", "null", "empty", "no-input", "bytes", "deep"],
)
async def test_a_question_that_is_none_is_a_denial(place: Socket, question: bytes) -> None:
    worker = place.worker(allow)
    decision, _ = await ask(place, question=question)
    assert decision == "deny"
    assert worker.asked == []


async def test_a_call_too_large_for_the_worker_is_denied_with_that(place: Socket) -> None:
    place.worker(allow)
    for size in (3 * 1024 * 1024, 9 * 1024 * 1024):
        question = QUESTION | {"tool_input": {"content": "x" * size}}
        decision, reason = await ask(place, question=json.dumps(question).encode())
        assert (decision, "can't be judged" in reason) == ("deny", True)
    large = QUESTION | {"tool_input": {"content": "x" * (2 * 1024 * 1024)}}
    assert (await ask(place, question=json.dumps(large).encode()))[0] == "allow"


async def test_nothing_in_the_directory_or_the_environment_of_a_session_is_run(place: Socket, tmp_path: Path) -> None:
    traps = "import os; os.write(1, b'TRAPPED'); os._exit(0)\n"
    for name in ("json", "socket", "ipc", "zmq", "sitecustomize", "usercustomize", "encodings"):
        (tmp_path / f"{name}.py").write_text(traps)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "json.py"),
        "PYTHONINSPECT": "1",
        "HOME": str(tmp_path),
    }
    place.worker(allow)
    assert (await ask(place, cwd=tmp_path, env=environment))[0] == "allow"


async def test_a_decision_that_can_not_be_printed_is_no_success(place: Socket) -> None:
    place.worker(allow)
    reading, writing = os.pipe()
    os.close(reading)
    words = ["-I", "-S", "-X", "utf8", HOOK, str(place.directory), "run-1", "10"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=asyncio.subprocess.PIPE, stdout=writing, env={"PATH": "/usr/bin:/bin"},
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    await asyncio.wait_for(process.communicate(json.dumps(QUESTION).encode()), 20)
    assert process.returncode != 0


async def test_it_is_quick(place: Socket) -> None:
    """It runs before every call. A bare interpreter is the measure, because machines differ."""
    place.worker(allow)

    async def bare() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-I", "-S", "-c", "import json, socket")
        await process.wait()

    async def least(work: Callable[[], Awaitable[object]]) -> float:
        taken = []
        for _ in range(7):
            begun = time.perf_counter()
            await work()
            taken.append(time.perf_counter() - begun)
        return min(taken)

    assert await least(lambda: ask(place)) < 5 * await least(bare)
