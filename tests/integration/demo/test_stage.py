"""The demo's stage as a process: what it serves, and that it never outlives the daemon."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from daemon.demo.launch import StageError, become_daemon, start_stage
from daemon.demo.services import SLOW_S, Services
from daemon.demo.stage import KEY, Address

BECOMES_ANOTHER = """
import os, sys
from daemon.demo.launch import start_stage
process, address = start_stage(0)
print(process.pid, address.line().decode(), end="", flush=True)
os.execv("/bin/sleep", ["sleep", "60"])
"""


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def comes_true(said: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not said() and time.monotonic() < deadline:
        time.sleep(0.05)
    return said()


async def test_the_three_services_are_healthy_slow_and_broken_until_it_is_started_anew() -> None:
    services = Services()
    found = {service.name: service.url for service in await services.start()}
    try:
        async with aiohttp.ClientSession() as client:
            async with client.get(found["payments"]) as response:
                assert response.status == 503
                assert "cause" in await response.json()
            async with client.get(found["shop"]) as response:
                assert response.status == 200
            started = time.monotonic()
            async with client.get(found["search"]) as response:
                assert response.status == 200
            assert time.monotonic() - started >= SLOW_S
            services.containers["payments"].start(60)
            async with client.get(found["payments"]) as response:
                assert response.status == 200
            async with client.post(found["payments"].replace("/health", "/break")) as response:
                assert response.status == 200
            async with client.get(found["payments"]) as response:
                assert response.status == 503
    finally:
        await services.stop()


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ANTHROPIC_API_KEY": "of-the-caller"}
    argv = [sys.executable, "-c", BECOMES_ANOTHER]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_stage_stays_when_its_parent_becomes_the_daemon_and_ends_with_it(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    pid_text, _, line = parent.stdout.readline().partition(" ")
    pid = int(pid_text)
    assert Address.read(line.encode()).api_url.startswith("http://127.0.0.1:")
    assert comes_true(lambda: Path(f"/proc/{parent.pid}/comm").read_text().strip() == "sleep")
    assert Path(f"/proc/{pid}/cmdline").read_text().startswith("claudeops: demo stage")
    assert b"of-the-caller" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.getsid(pid) == pid
    assert lives(pid)
    parent.kill()
    assert comes_true(lambda: not lives(pid))


async def test_the_stage_answers_only_to_the_made_up_key() -> None:
    process, address = start_stage(0)
    try:
        said = {"model": "m", "messages": [{"role": "user", "content": "What is up?"}]}
        async with aiohttp.ClientSession(address.api_url) as client:
            async with client.post("/v1/messages", json=said) as response:
                assert response.status == 401
            async with client.post("/v1/messages", json=said, headers={"x-api-key": KEY}) as response:
                words = json.loads(await response.text())["content"][0]["text"]
        assert "> What is up?" in words
        assert "scripted" in words
    finally:
        process.terminate()
        assert process.wait(5) == 0


def test_without_the_cli_the_launcher_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="make cli"):
        become_daemon(tmp_path, str(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_a_second_demo_leaves_the_first_one_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StageError, match="runs already") as refused:
            become_daemon(tmp_path, sys.executable)
    assert refused.value.exit_code == 75
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
