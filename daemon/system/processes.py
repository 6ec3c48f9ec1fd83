"""What the worker knows of the daemon around it: what the supervisor tells it, and its status file before that.

Built by `daemon.parts`; read by the status handler and the heartbeat.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from ipc.messages.system import Process

Facts = dict[str, Any]


class Daemon:
    """The supervisor's last word on state and processes."""

    def __init__(self, runtime_dir: Path) -> None:
        self._file = runtime_dir / "status.json"
        self._facts: Facts = {}
        self.stopping = False

    def hear(self, message: Facts) -> bool:
        """Takes the supervisor's message over; True if the processes have changed in what pages show."""
        before = self._summary()
        self._facts = {**self._facts, **message}
        return self._summary() != before

    def _summary(self) -> list[tuple[str, str, int, int | None]]:
        return [(process.name, process.state, process.restarts, process.pid) for process in self.processes()]

    def web_warnings(self) -> list[str]:
        """What the web process has to say that people should know."""
        return list(self._facts.get("web_warnings", []))

    def facts(self) -> Facts:
        """All that is known: the status file's fields, with what was told since over them."""
        try:
            written = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            written = {}
        return {**(written if isinstance(written, dict) else {}), **self._facts}

    def processes(self, facts: Facts | None = None) -> list[Process]:
        """The processes of the daemon."""
        found = (facts or self._facts).get("processes", [])
        return msgspec.convert(found, list[Process])
