"""The demo's `docker` as sessions run it: a program on their PATH, and the engine of the stage behind it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.demo.engine import Engine
from daemon.demo.place import prepare
from daemon.demo.services import Services


class Docker(NamedTuple):
    """The stand-in, and what it stands before."""

    program: Path
    services: Services
    engine: Engine

    async def run(self, line: str) -> tuple[int | None, str, str]:
        """(exit code, output, errors) of a command line."""
        process = await asyncio.create_subprocess_exec(
            self.program, *line.split(), env={"PATH": "/nowhere", "HTTP_PROXY": "http://127.0.0.1:1"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, wrong = await process.communicate()
        return process.returncode, said.decode(), wrong.decode()


@pytest.fixture
async def docker(tmp_path: Path) -> AsyncIterator[Docker]:
    services = Services()
    engine = Engine(services.containers)
    state = tmp_path / "a directory with spaces"
    prepare(state, [], await engine.start())
    yield Docker(state / "bin" / "docker", services, engine)
    await engine.stop()


async def test_it_lists_logs_restarts_and_replaces(docker: Docker) -> None:
    payments = docker.services.containers["payments"]
    code, said, _ = await docker.run("ps")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["NAME", "shop", "search", "payments"]
    assert "(unhealthy)" in said.splitlines()[3]
    assert await docker.run("restart payments") == (0, "payments\n", "")
    assert "(healthy)" in (await docker.run("ps"))[1].splitlines()[3]
    payments.fail_after(0)
    code, said, _ = await docker.run("compose up -d payments")
    assert (code, "Recreated" in said, payments.is_down) == (0, True, False)
    code, said, _ = await docker.run("logs --tail 1 payments")
    assert (code, said.count("\n"), "payments started" in said) == (0, 1, True)


async def test_an_unknown_container_and_an_unknown_command_exit_with_1(docker: Docker) -> None:
    assert await docker.run("restart nginx") == (1, "", "Error: no such container: nginx\n")
    code, said, wrong = await docker.run("run --rm alpine")
    assert (code, said) == (1, "")
    assert "the demo's stand-in" in wrong


async def test_without_the_stage_it_says_what_to_do(docker: Docker) -> None:
    await docker.engine.stop()
    code, _, wrong = await docker.run("ps")
    assert code == 1
    assert "start the demo again" in wrong
