"""Where everything of a scenario lies on disk, and how the container engine is asked for something.

Standard library alone: the stand-in for `docker` uses it too, without site-packages.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

ANSWER_S = 10.0


class World:
    """One directory: services with their settings and logs, names, mounted repositories, the engine's files."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.services = place / "services"
        self.engine = place / "engine"
        self.asks = self.engine / "asks"
        self.repositories = place / "repos"
        self.tools = place / "tools"
        self.hosts = place / "hosts"

    def make(self) -> None:
        """The empty directories."""
        for path in (self.services, self.asks, self.repositories, self.tools):
            path.mkdir(parents=True)
        self.hosts.write_text("127.0.0.1 localhost\n")

    def names(self) -> list[str]:
        """The containers that there are."""
        return sorted(path.stem for path in self.engine.glob("*.json"))

    def state(self, name: str) -> dict[str, Any]:
        """A container as the engine knows it: state, exit_code, restarts, pid, release, started_at."""
        found: dict[str, Any] = json.loads((self.engine / f"{name}.json").read_text())
        return found

    def keep(self, name: str, state: dict[str, Any] | None) -> None:
        """Writes down a container's state; None removes it."""
        path = self.engine / f"{name}.json"
        if state is None:
            path.unlink(missing_ok=True)
            return
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(state))
        os.replace(beside, path)

    def ask(self, verb: str, name: str) -> bool:
        """Asks the engine for `verb` and waits until it is done; False if it is not within 10 s."""
        path = self.asks / f"{verb} {name}"
        path.touch()
        end = time.monotonic() + ANSWER_S
        while path.exists():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True
