"""The real CLI, our hook and the worker's judge together: what a session may do is what the judge says."""

import asyncio
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zmq

from daemon.demo.turns import Script, Text, Turn
from daemon.limits import hook_settings
from ipc.server import Server, bound_socket
from schema import timestamps
from schema.states import ApprovalStatus
from tests.fakes import messages_api as fake
from tests.fakes.messages_api import Session, bash, serving
from tests.integration.limits.desk import Desk

pytestmark = pytest.mark.usefixtures("cli")

DONE = Turn([Text("done")])


class House:
    """A worker's judge behind its socket, and sessions of the real CLI that ask it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.runtime = Path(tempfile.mkdtemp(prefix="asks-"))
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.runtime / "rpc.sock"))
        self.listening.listen(64)
        (directory / "state").mkdir()
        self.desk = Desk(directory / "state")
        self.log = directory / "log"
        self.run_id = ""
        self.patience = 60.0
        self.serving: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Answers from now on; whoever asks is taken for the run that runs."""
        table = self.desk.table
        self.desk.runs = _Everybody(self)
        router = bound_socket(self.desk.context, zmq.ROUTER, self.listening.fileno())

        async def recall(id_: str) -> bytes | None:
            return None

        server = Server(router, table, allowed=lambda peer: True, recall=recall)
        self.serving = asyncio.create_task(server.serve())

    async def close(self) -> None:
        if self.serving is not None:
            self.serving.cancel()
        await self.desk.close()
        self.listening.close()
        shutil.rmtree(self.runtime)

    def _asking(self) -> str:
        return hook_settings.content(
            runtime_dir=str(self.runtime), run_id=self.run_id, hold_s=0, patience_s=self.patience
        )

    async def run(self, url: str, *words: str, prompt: str = "Go.") -> Session:
        """A run of the CLI to its end; its output goes to the log as a shim writes it."""
        (self.directory / "app").mkdir(exist_ok=True)
        settings = self.directory / "settings.json"
        settings.write_text(self._asking())
        line = [str(fake.CLI), "-p", "--model", "haiku", "--output-format", "stream-json", "--verbose"]
        line += ["--tools", "Bash", "--settings", str(settings), "--setting-sources", ""]
        process = await asyncio.create_subprocess_exec(
            *line,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=fake.environment(self.directory / "home", url),
            cwd=self.directory / "app",
            limit=64 * 1024 * 1024,
        )
        session = Session(process, 0.0)
        assert process.stdin is not None
        process.stdin.write(prompt.encode())
        process.stdin.close()
        with self.log.open("a") as log:
            while line_ := await session._next():
                log.write(f"{timestamps.now()}\t{line_}")
                log.flush()
        return await session.end()


class _Everybody(dict[int, str]):
    """Every process is part of the run that runs."""

    def __init__(self, house: House) -> None:
        self._house = house

    def get(self, pid: int, default: object = None) -> str:
        return self._house.run_id


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    made.open()
    yield made
    await made.close()


async def session(house: House, script: Script) -> tuple[int, Session, str]:
    """(id, run, CLI's id) of a session of tier 2."""
    id_, house.run_id = await house.desk.session(2, log=house.log)
    cli_id = str(uuid.uuid4())
    async with serving(script) as api:
        return id_, await house.run(api.url, "--session-id", cli_id), cli_id


async def test_what_the_judge_allows_runs_and_what_it_denies_tells_the_model_why(house: House) -> None:
    """A stand-in for docker on PATH is not needed: a call that is let through fails by itself."""
    restarts = [Turn([bash("docker restart web", f"toolu_{number}")]) for number in range(3)]
    _, run, _ = await session(house, [*restarts, Turn([bash("echo looks", "toolu_look")]), DONE])
    answers = run.answers()
    assert answers["toolu_2"].startswith("restart of web: 2 of 2 used in 4 h, next at ")
    assert run.refused() == {"toolu_2"}
    assert answers["toolu_look"] == "looks"
    assert len(await house.desk.rows("cooldown_actions")) == 2


async def test_a_call_that_needs_a_person_is_put_aside_and_runs_once_approved(house: House) -> None:
    script = [Turn([Text("I write."), bash("echo x >> written", "toolu_one")]), DONE]
    id_, first, cli_id = await session(house, script)
    assert first.result["stop_reason"] == "tool_deferred"
    await house.desk.put_aside(id_)
    approval = await house.desk.waiting()
    assert "written" in approval.reason
    await house.desk.decide(approval.id, True)
    house.run_id = await house.desk.resume(id_)
    async with serving(script) as api:
        again = await house.run(api.url, "--resume", cli_id, prompt="")
    assert again.result["result"] == "done"
    assert (house.directory / "app" / "written").read_text() == "x\n"
    assert (await house.desk.approvals.show(approval.id)).status is ApprovalStatus.USED


async def test_a_batch_with_a_call_that_needs_a_person_goes_on_without_it(house: House) -> None:
    both = Turn([bash("echo x > one", "toolu_one"), bash("echo looks", "toolu_two")])
    _, run, _ = await session(house, [both, DONE])
    answers = run.answers()
    assert "has to come alone" in answers["toolu_one"]
    assert answers["toolu_two"] == "looks"
    assert run.result["result"] == "done"


async def test_without_a_worker_nothing_that_acts_runs(house: House) -> None:
    assert house.serving is not None
    house.serving.cancel()
    house.patience = 1.0
    _, run, _ = await session(house, [Turn([bash("echo x > one", "toolu_one")]), DONE])
    assert "did not answer" in run.answers()["toolu_one"]
    assert not (house.directory / "app" / "one").exists()
