"""Room on disk, asked before a run is started: a full disk would only stop it later, half done."""

import os
from pathlib import Path

from daemon.runs.rules import enough_space


class NoSpace(OSError):  # noqa: N818 - the domain's word
    """Too little room to start a run; the sentence says where and what to do."""


def free_bytes(path: str | Path) -> int:
    """What an unprivileged process may still write to the file system of `path`."""
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize


def require_space(paths: list[str | Path], floor_bytes: int) -> None:
    """Raise NoSpace unless each of the directories has `floor_bytes` free."""
    for path in paths:
        free = free_bytes(path)
        if not enough_space(free, floor_bytes):
            raise NoSpace(
                f"only {free >> 20} MiB free in {path}, {floor_bytes >> 20} MiB are wanted to start a run: "
                "remove old logs, or lower the floor"
            )
