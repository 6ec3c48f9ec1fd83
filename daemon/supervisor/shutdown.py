"""After the children have ended: no process of the daemon may be left.

Orphans are ours, because we are their subreaper; shims of an earlier supervisor are found by their run directories.
A shim that gets SIGTERM ends its command with its whole tree, gently; SIGQUIT has it do so at once.
"""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from daemon import procfs


def shims(runs: Path) -> dict[int, int]:
    """pid → start time of every shim that lives."""
    found = {}
    try:
        names = os.listdir(runs)
    except FileNotFoundError:
        return {}
    for name in names:
        try:
            facts = json.loads((runs / name / "shim.json").read_bytes())
            pid, started = int(facts["pid"]), int(facts["start_time"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not started yet, just removed, or torn by a power loss: there is nobody to signal
        if procfs.alive(pid, started):
            found[pid] = started
    return found


class Leftovers:
    """What is still there after the children have ended."""

    def __init__(self, runs: Path, spared: Mapping[int, int]) -> None:
        """`spared` are processes below us that are not the daemon's, such as the demo's stage: pid → start time."""
        self._runs = runs
        self._spared = spared
        self._told: set[int] = set()

    def find(self) -> set[int]:
        """Pids of all of it."""
        known = set(shims(self._runs))
        below = {pid for shim in known for pid in procfs.descendants(shim)}
        return (known | below | set(procfs.descendants(os.getpid()))) - self._kept()

    def _kept(self) -> set[int]:
        return {pid for pid, started in self._spared.items() if procfs.alive(pid, started)}

    def ask(self) -> bool:
        """Asks each once to end; whether anything is left. What lives below a shim is the shim's business."""
        left = self.find()
        known = shims(self._runs)
        kept = {pid for shim in known for pid in procfs.descendants(shim)}
        for pid in left - kept - self._told:
            self._told.add(pid)
            _signal(pid, signal.SIGTERM)
        return bool(left)

    def hurry(self) -> None:
        """Has every shim end its tree at once, and kills what has none."""
        known = shims(self._runs)
        kept = {pid for shim in known for pid in procfs.descendants(shim)}
        for pid in known:
            _signal(pid, signal.SIGQUIT)
        for pid in self.find() - kept - set(known):
            _signal(pid, signal.SIGKILL)

    def kill(self) -> None:
        """Kills whatever is left."""
        for pid in self.find():
            _signal(pid, signal.SIGKILL)


def _signal(pid: int, signum: int) -> None:
    started = procfs.start_time(pid)
    if started is not None:
        try:
            procfs.signal_process(pid, started, signum)
            procfs.signal_process(pid, started, signal.SIGCONT)  # one that stands still hears of it only then
        except PermissionError:
            return  # another user's process, which is not ours to end
