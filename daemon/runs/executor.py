"""One small protocol for running a command, wherever it runs; sessions and jobs know nothing else of `runs`.

`LocalExecutor` runs it on this machine. Agents and Kubernetes are to follow the same protocol.
"""

from pathlib import Path
from typing import Protocol

from daemon.runs.adopt import Found, adopt_all
from daemon.runs.disk import require_space
from daemon.runs.launch import launch
from daemon.runs.record import ExitRecord
from daemon.runs.run import Run
from daemon.runs.spec import RunSpec
from daemon.runs.states import EndReason


class Executor(Protocol):
    """Starts runs, finds those of an earlier worker, stops them, tells how they ended."""

    async def start(self, spec: RunSpec) -> Run: ...

    async def adopt(self) -> list[Found]: ...

    async def stop(self, run: Run, reason: EndReason, by: str, *, at_once: bool = False) -> ExitRecord: ...

    async def result(self, run: Run) -> ExitRecord: ...


class LocalExecutor:
    """Runs on this machine, each kept by a shim; directories below `runs_dir`.

    `free_floor_bytes`: a run is refused (NoSpace) when less than this is free for its directory or its log.
    """

    def __init__(self, runs_dir: Path, free_floor_bytes: int = 0) -> None:
        self._runs_dir = runs_dir.absolute()
        self._free_floor_bytes = free_floor_bytes

    def directory(self, run_id: str) -> Path:
        """Where a run lies, or would lie."""
        return self._runs_dir / run_id

    async def start(self, spec: RunSpec) -> Run:
        """Start a run; LaunchError or NoSpace when that is impossible. A command that fails to start is a result."""
        self._runs_dir.mkdir(parents=True, exist_ok=True)
        require_space([self._runs_dir, Path(spec.log_path).parent], self._free_floor_bytes)
        return await launch(spec, self._runs_dir)

    async def adopt(self) -> list[Found]:
        """All runs on disk: live ones are taken up again, the others say how they ended."""
        return await adopt_all(self._runs_dir)

    async def stop(self, run: Run, reason: EndReason, by: str, *, at_once: bool = False) -> ExitRecord:
        """End a run and wait until no process of it is left."""
        if at_once:
            run.kill(reason, by)
        else:
            run.stop(reason, by)
        return await run.wait()

    async def result(self, run: Run) -> ExitRecord:
        """How a run ended; waits for it."""
        return await run.wait()
