"""The demo as a stranger sees it after `make run`: the real CLI, real calls, scripted words, on a free port."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.harness import ROOT, Daemon
from tests.fakes.messages_api import CLI


class Demo(Daemon):
    """A daemon with the demo's stage; `tempo` is how slowly the model speaks (0: at once)."""

    def __init__(self, directory: Path, tempo: float) -> None:
        super().__init__(directory, CLAUDEOPS_INTERVAL="3600")
        self.results = self.state / "results"
        self.environment["CLAUDEOPS_RESULTS_DIR"] = str(self.results)
        self.tempo = tempo

    def start(self, *, wait: bool = True, cwd: Path = ROOT) -> "Demo":
        """Starts stage and daemon."""
        self.directory.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "daemon.demo", "--state", str(self.state), "--claude", str(CLI)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*argv, "--tempo", str(self.tempo)],
                env=self.environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if wait:
            self.wait_running()
        return self


@contextlib.contextmanager
def demo(directory: Path, tempo: float = 0.0) -> Iterator[Demo]:
    """A demo that runs, and is ended whatever happens."""
    made = Demo(directory, tempo)
    try:
        yield made.start()
    finally:
        made.close()
