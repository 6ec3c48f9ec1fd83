"""Where the tests of runs start and find them: directories of their own, a made-up environment."""

import asyncio
import os
import sys
from pathlib import Path

from daemon.runs.adopt import Found, adopt_all
from daemon.runs.launch import launch
from daemon.runs.record import ExitRecord, ShimRecord
from daemon.runs.run import Run
from daemon.runs.spec import RunSpec
from schema.logline import LogLine, LogReader, split

FAKES = Path(__file__).parents[2] / "fakes"


class Place:
    """Starts and finds runs below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.runs_dir = directory / "runs"
        self.fakes = FAKES
        self.started: list[Run] = []
        self._count = 0

    def spec(self, *argv: str, **fields: object) -> RunSpec:
        self._count += 1
        run_id = f"{self.directory.name}-{self._count}"
        given: dict[str, object] = {
            "run_id": run_id,
            "argv": argv,
            "env": {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "LANG": "C.UTF-8"},
            "cwd": str(self.directory),
            "log_path": str(self.directory / f"{run_id}.log"),
            "timeout_s": 60.0,
            "grace_int_s": 0.3,
            "grace_term_s": 0.3,
        }
        return RunSpec(**(given | fields))  # type: ignore[arg-type]

    async def start(self, *argv: str, **fields: object) -> Run:
        run = await launch(self.spec(*argv, **fields), self.runs_dir)
        self.started.append(run)
        return run

    async def python(self, program: str, *arguments: str, **fields: object) -> Run:
        return await self.start(sys.executable, "-c", program, *arguments, **fields)

    async def sh(self, program: str, *arguments: str, **fields: object) -> Run:
        return await self.start("sh", "-c", program, "sh", *arguments, **fields)

    async def adopt(self) -> list[Found]:
        found = await adopt_all(self.runs_dir)
        self.started.extend(one.run for one in found)
        return found

    def shim(self, run: Run) -> ShimRecord:
        found = run.processes
        assert found is not None
        return found

    async def end(self, run: Run) -> ExitRecord:
        return await asyncio.wait_for(run.wait(), 30)

    def log(self, run: Run) -> list[LogLine]:
        """All lines of a run's log; each must be stamped and whole."""
        assert Path(run.log_path).read_bytes()[-1:] in (b"\n", b"")
        found = []
        with LogReader(run.log_path) as reader:
            while lines := reader.read():
                found += [split(line.data) for line in lines]
        assert all(line.at for line in found)
        return found

    def text(self, run: Run, stream: str = "stdout") -> list[bytes]:
        return [line.text for line in self.log(run) if line.stream == stream]

    async def until(self, run: Run, text: bytes) -> None:
        """Wait until the log has a line that holds `text`."""
        for _ in range(1000):
            if os.path.exists(run.log_path) and text in Path(run.log_path).read_bytes():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{text!r} never came: {Path(run.log_path).read_bytes()[-2000:]!r}")

    def processes(self, mark: str) -> list[int]:
        """Living processes with `mark` in their argv."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    argv = Path(f"/proc/{name}/cmdline").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if mark.encode() in argv.split(b"\0"):
                    found.append(int(name))
        return found
