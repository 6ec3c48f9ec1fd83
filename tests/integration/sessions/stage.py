"""Where the tests of sessions start them: the worker's parts on a real database, real runs, a command that waits."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import zmq.asyncio

from daemon.approvals.approvals import Approvals
from daemon.runs.executor import LocalExecutor
from daemon.runs.run import Run
from daemon.runs.spec import RunSpec
from daemon.sessions import prepare
from daemon.sessions.cli import Cli
from daemon.sessions.lifecycle import Sessions
from daemon.sessions.opening import Servers, Sources
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.server import Publisher
from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from tests.fixtures import databases

WAITS = "#!/bin/sh\nexec sleep 600\n"


class Gate(LocalExecutor):
    """Starts a run once it is let."""

    def __init__(self, runs_dir: Path) -> None:
        super().__init__(runs_dir)
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.let.set()

    async def start(self, spec: RunSpec) -> Run:
        self.asked.set()
        await self.let.wait()
        return await super().start(spec)


class Stage:
    """The parts of one worker that sessions need."""

    def __init__(self, directory: Path, **given: str) -> None:
        command = directory / "claude"
        command.write_text(WAITS)
        command.chmod(0o755)
        self.directory = directory
        path = directory / "claudeops.db"
        self.store = Store(path, databases.opened(path))
        environ = {
            "CLAUDEOPS_STATE_DIR": str(directory / "state"),
            "CLAUDEOPS_RESULTS_DIR": str(directory / "results"),
            "CLAUDEOPS_APP_DIR": str(directory),
            "CLAUDEOPS_CLAUDE_BIN": str(command),
            "CLAUDEOPS_STOP_GRACE_INT": "1",
            "CLAUDEOPS_STOP_GRACE_TERM": "1",
            "CLAUDEOPS_FREE_DISK_MIN": "0",
            **given,
        }
        self.settings = LiveSettings(environ, self.store)
        prepare.places(self.settings.current)
        self.context = zmq.asyncio.Context()
        publisher = Publisher(self.context.socket(zmq.PUB))
        self.gate = Gate(directory / "state" / "runs")
        self.failed: list[BaseException] = []
        self.sessions = Sessions(
            self.store,
            self.settings,
            Cli(self.settings, str(directory)),
            publisher,
            self.gate,
            Sources(memory=self._memory, servers=self._servers),
            Approvals(self.store, self.settings, publisher),
            self._watch,
        )

    async def _memory(self) -> str:
        return ""

    async def _servers(self) -> Servers:
        return Servers('{"mcpServers":{}}')

    def _watch(self, task: "asyncio.Task[None]") -> None:
        """Where the worker would end."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.append(error)

    async def start(self) -> Session:
        return await self.sessions.start(tier=1, prompt="look", trigger=Trigger.MANUAL, by="ada")

    async def over(self, id_: int) -> Session:
        """A session, once it is over."""
        async with asyncio.timeout(30):
            while (session := await self.sessions.show(id_)).status is SessionStatus.RUNNING:
                await asyncio.sleep(0.02)
        return session

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.sessions.close(end=True, grace=4.0)
        await self.store.close()
        self.context.destroy(0)
