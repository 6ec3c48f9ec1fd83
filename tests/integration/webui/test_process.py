"""`python -m webui` as the supervisor starts it: descriptors, beats, stops, and what it does without its neighbours."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ipc.errors import CallError, Code
from ipc.messages.system import Hello
from tests.integration.webui.stand_in import StandIn

ROOT = Path(__file__).parents[3]


class Web:
    """The process, with both ends that its supervisor would hold."""

    def __init__(self, worker: StandIn) -> None:
        self.worker = worker
        self.http = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.http.getsockname()[1]
        self.messages: list[dict[str, Any]] = []
        self.process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, **environment: str) -> "Web":
        ours, theirs = socket.socketpair()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "webui",
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.worker.state),
                "LANG": "C.UTF-8",
                "CLAUDEOPS_STATE_DIR": str(self.worker.state),
                "CLAUDEOPS_RESULTS_DIR": str(self.worker.results),
                "CLAUDEOPS_RUNTIME_DIR": str(self.worker.runtime),
                "CLAUDEOPS_CONTROL_FD": str(theirs.fileno()),
                "CLAUDEOPS_HTTP_FD": str(self.http.fileno()),
                "CLAUDEOPS_BOOT_ID": "b007",
                **environment,
            },
            pass_fds=(theirs.fileno(), self.http.fileno()),
            stderr=asyncio.subprocess.PIPE,
        )
        theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reader = asyncio.create_task(self._read(reader))
        return self

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.messages.append(json.loads(line))

    def tell(self, **message: Any) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def ready(self) -> None:
        async with asyncio.timeout(20):
            while not any(message.get("ready") for message in self.messages):
                await asyncio.sleep(0.01)

    async def get(self, path: str, *headers: str) -> tuple[int, str]:
        async with self.opened(path, *headers) as reader:
            answer = (await asyncio.wait_for(reader.read(), 15)).decode()
        return int(answer.split()[1]), answer

    @contextlib.asynccontextmanager
    async def opened(self, path: str, *headers: str) -> AsyncIterator[asyncio.StreamReader]:
        """An answer, from its first byte on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        yield reader
        writer.close()
        await writer.wait_closed()

    async def ended(self) -> tuple[int, str]:
        """Exit code and standard error."""
        assert self.process is not None
        _, errors = await asyncio.wait_for(self.process.communicate(), 20)
        return self.process.returncode or 0, errors.decode()

    async def close(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()
        if self._reader is not None:
            self._reader.cancel()
        if self._writer is not None:
            self._writer.close()
        self.http.close()


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    """The process, not started; its worker answers."""
    worker = StandIn(tmp_path)
    await worker.start()
    made = Web(worker)
    yield made
    await made.close()
    await worker.close()


async def test_it_says_that_it_is_ready_and_beats_each_second(web: Web) -> None:
    await web.start()
    await web.ready()
    assert (await web.get("/healthz"))[0] == 200
    await asyncio.sleep(2.2)
    beats = [message["beat"] for message in web.messages if "beat" in message]
    assert beats == list(range(1, len(beats) + 1))
    assert len(beats) >= 2
    assert Path(f"/proc/{web.process and web.process.pid}/cmdline").read_bytes().startswith(b"claudeops: web")


@pytest.mark.parametrize("how", ["command", "SIGTERM"])
async def test_a_stop_ends_it_soon_and_tells_live_readers_to_come_again(web: Web, how: str) -> None:
    id_ = web.worker.session(log=b"x\n")
    web.worker.signed_in(web.worker.user(), "token")
    await web.start()
    await web.ready()
    async with web.opened(f"/sessions/{id_}/stream?at=0", "Cookie: claudeops=token") as reader:
        await asyncio.wait_for(reader.readuntil(b"event: rows"), 15)
        begun = time.monotonic()
        if how == "command":
            web.tell(command="stop", sessions="keep")
        else:
            assert web.process is not None
            web.process.terminate()
        code, errors = await web.ended()
        assert (code, errors) == (0, "")
        assert time.monotonic() - begun < 3.0
        assert b"retry: 1000" in await asyncio.wait_for(reader.read(), 15)
    # The supervisor's socket listens on: who comes now waits for the next process.
    with socket.create_connection(("127.0.0.1", web.port), 2):
        pass


async def test_another_protocol_ends_it_with_76(web: Web) -> None:
    web.worker.refuse[Hello] = CallError(Code.PROTOCOL, "protocol 1 is not spoken here")
    await web.start()
    code, errors = await web.ended()
    assert code == 76
    assert "protocol 1 is not spoken here" in errors


async def test_a_setting_that_can_not_be_used_ends_it_with_78(web: Web) -> None:
    await web.start(CLAUDEOPS_TRUSTED_PROXIES="nginx")
    code, errors = await web.ended()
    assert code == 78
    assert "CLAUDEOPS_TRUSTED_PROXIES" in errors


async def test_an_abort_prints_where_it_was(web: Web) -> None:
    await web.start()
    await web.ready()
    assert web.process is not None
    web.process.send_signal(signal.SIGABRT)
    code, errors = await web.ended()
    assert code == -signal.SIGABRT
    assert "most recent call first" in errors
    assert "asyncio" in errors


async def test_without_a_database_it_serves_a_page_that_says_so_until_there_is_one(web: Web) -> None:
    aside = web.worker.state / "aside"
    web.worker.database.checkpoint()
    web.worker.database_path.rename(aside)
    await web.start()
    await web.ready()
    status, text = await web.get("/sign-in", "Accept: text/html")
    assert status == 503
    assert "There is no database yet" in text
    status, text = await web.get("/readyz")
    assert status == 503
    aside.rename(web.worker.database_path)
    assert (await web.get("/sign-in"))[0] == 200


async def test_a_damaged_database_is_told_and_a_restored_one_is_read(web: Web) -> None:
    web.worker.database.checkpoint()
    whole = web.worker.database_path.read_bytes()
    await web.start()
    await web.ready()
    assert (await web.get("/sign-in"))[0] == 200
    for suffix in ("", "-wal", "-shm"):
        web.worker.database_path.with_name(f"claudeops.db{suffix}").unlink(missing_ok=True)
    web.worker.database_path.write_bytes(b"this is no database " * 1000)
    status, text = await web.get("/sign-in")
    assert status == 503
    assert "damaged" in text
    assert "Restore a backup" in text
    assert (await web.get("/healthz"))[0] == 200
    replacement = web.worker.state / "restored"
    replacement.write_bytes(whole)
    replacement.rename(web.worker.database_path)
    assert (await web.get("/sign-in"))[0] == 200


async def test_its_memory_stays_small(web: Web) -> None:
    await web.start()
    await web.ready()
    await asyncio.sleep(1.0)
    assert web.process is not None
    text = Path(f"/proc/{web.process.pid}/smaps_rollup").read_text()
    anonymous = int(text.split("Pss_Anon:")[1].split()[0]) / 1024
    assert anonymous < 38


async def test_no_access_log_and_no_setup_token_is_written(web: Web) -> None:
    web.worker.setup_link("a-secret-token")
    await web.start()
    await web.ready()
    assert (await web.get("/setup/a-secret-token"))[0] == 200
    web.worker.database_path.rename(web.worker.state / "aside")
    assert (await web.get("/setup/a-secret-token"))[0] == 503
    web.tell(command="stop", sessions="keep")
    code, errors = await web.ended()
    assert code == 0
    assert "a-secret-token" not in errors
