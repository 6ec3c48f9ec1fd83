"""The container engine of a scenario: keeps services as real processes, outside of any session.

What it is asked comes as files that the stand-in for `docker` makes, so that an act of a session is a real act.
`history` has all of them, whoever asked, and `exit NAME` for what ended by itself or was killed by others.
"""

import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.evaluations.machine.world import World

PROGRAM = Path(__file__).parent / "service.py"
START_S = 8.0
RESTARTS_MAX = 3
VERBS = frozenset({"start", "stop", "restart", "kill", "rm", "up"})


class Engine:
    """Runs from `open` to `close`. A service that exits by itself is started again up to RESTARTS_MAX times."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.history: list[str] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep)

    def open(self, names: list[str]) -> None:
        """Starts the services, in this order."""
        for name in names:
            self._begin(name)
        self._keeper.start()

    def close(self) -> None:
        """Ends them for good."""
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for name in list(self._processes):
            self._end(name)

    def _keep(self) -> None:
        while not self._over.wait(0.02):
            for path in sorted(self.world.asks.iterdir()):
                verb, _, name = path.name.partition(" ")
                self.history.append(path.name)
                self._do(verb, name)
                path.unlink()
            for name, process in list(self._processes.items()):
                if process.poll() is not None:
                    self._exited(name, process.returncode)

    def _do(self, verb: str, name: str) -> None:
        if verb not in VERBS or name not in self.world.names():
            return
        if verb == "start" and name in self._processes:
            return
        self._end(name)
        if verb == "up":
            self._pull(self.world.services / name)
        if verb in {"start", "restart", "up"}:
            self._begin(name)
        elif verb == "rm":
            self.world.keep(name, None)
        else:
            self._note(name, state="exited", exit_code=137)

    @staticmethod
    def _pull(place: Path) -> None:
        """A new container has the release that is meant to run."""
        if (place / "release.wanted").exists():
            shutil.copyfile(place / "release.wanted", place / "release")

    def _begin(self, name: str, restarts: int = 0) -> None:
        place = self.world.services / name
        ready = self.world.engine / f"{name}.ready"
        ready.unlink(missing_ok=True)
        with (self.world.engine / f"{name}.stderr").open("ab") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-S", str(PROGRAM), str(place), str(ready)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self._processes[name] = process
        end = time.monotonic() + START_S
        while not ready.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._note(name, state="running", exit_code=0, pid=process.pid, restarts=restarts, started_at=now)

    def _exited(self, name: str, code: int) -> None:
        del self._processes[name]
        self.history.append(f"exit {name}")
        restarts = self.world.state(name)["restarts"]
        if restarts < RESTARTS_MAX:
            self._begin(name, restarts + 1)
        else:
            self._note(name, state="exited", exit_code=code)

    def _end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def _note(self, name: str, **facts: Any) -> None:
        known = self.world.state(name) if name in self.world.names() else {}
        self.world.keep(name, known | facts)
