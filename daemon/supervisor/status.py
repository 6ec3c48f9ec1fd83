"""The status file: what `claudeopsctl status` shows when the worker can't be asked. Replaced whole, never half."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from daemon import procfs
from daemon.supervisor.children import Child
from daemon.supervisor.log import log


def describe(own: dict[str, Any], children: Iterable[Child], now: float) -> list[dict[str, Any]]:
    """Every process of the daemon; `own` is the supervisor's entry without its memory."""
    found = [{**own, "rss_bytes": procfs.resident_bytes(os.getpid())}]
    found += [
        {
            "name": child.name,
            "pid": child.pid,
            "state": child.state.value,
            "restarts": max(0, child.restarts),
            "uptime_s": round(now - child.started_at, 1) if child.pid else 0.0,
            "rss_bytes": procfs.resident_bytes(child.pid) if child.pid else 0,
            "last_exit": child.last_exit,
        }
        for child in children
    ]
    return found


class StatusFile:
    """Writes the file; a full disk is told once and does no harm."""

    def __init__(self, runtime: Path) -> None:
        self._path = runtime / "status.json"
        self._complained = False

    def write(self, facts: dict[str, Any]) -> None:
        """Replaces the file."""
        partial = self._path.with_suffix(".partial")
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "wb") as file:
                os.fchmod(file.fileno(), 0o640)
                file.write(json.dumps(facts).encode())
            partial.replace(self._path)
        except OSError as error:
            if not self._complained:
                log(f"can't write {self._path}: {error.strerror}", "warning")
            self._complained = True
        else:
            self._complained = False
