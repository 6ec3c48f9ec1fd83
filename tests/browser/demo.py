"""The demo as a stranger sees it after `make run`: the real CLI, real calls, scripted words, on a free port."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.harness import Daemon
from tests.fakes.messages_api import CLI


class Demo(Daemon):
    """A daemon with the demo's stage; `tempo` is how slowly the model speaks (0: at once)."""

    def __init__(self, directory: Path, tempo: float) -> None:
        super().__init__(directory, CLAUDEOPS_INTERVAL="3600")
        self.results = self.state / "results"
        self.environment["CLAUDEOPS_RESULTS_DIR"] = str(self.results)
        self.command = [sys.executable, "-m", "daemon.demo", "--state", str(self.state), "--claude", str(CLI)]
        self.flags = ["--tempo", str(tempo)]


@contextlib.contextmanager
def demo(directory: Path, tempo: float = 0.0) -> Iterator[Demo]:
    """A demo that runs, and is ended whatever happens."""
    made = Demo(directory, tempo)
    try:
        made.start()
        yield made
    finally:
        made.close()
