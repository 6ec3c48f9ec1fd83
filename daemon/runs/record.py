"""The exit record as the worker knows it, and the making of one for a run whose shim could not write it."""

import os
from pathlib import Path

import msgspec

from daemon.runs import files
from daemon.runs.spec import read_known
from daemon.runs.states import EndReason
from schema import timestamps


class ExitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. Either `exit_code` or `signal` is set if the command ran and its end is known.

    `by` says who stopped it, `error` is a sentence; times as stored (UTC text), `duration_ms` by a monotonic clock;
    `bytes` and `lines` of the log, `cut_bytes` of output that is not in it.
    """

    reason: EndReason
    started_at: str
    ended_at: str
    exit_code: int | None = None
    signal: int | None = None
    by: str | None = None
    error: str | None = None
    duration_ms: int | None = None
    bytes: int = 0
    lines: int = 0
    cut_bytes: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.reason is EndReason.EXITED and self.exit_code == 0


class ShimRecord(msgspec.Struct, frozen=True, kw_only=True):
    """shim.json: the processes of a run, each with its start time in clock ticks since boot."""

    pid: int
    start_time: int
    command_pid: int
    command_start_time: int | None
    started_at: str


def read_exit(run_dir: Path) -> ExitRecord | None:
    """The exit record, or None while there is none. One that cannot be read counts as none, and is replaced."""
    try:
        return msgspec.json.decode((run_dir / files.EXIT).read_bytes(), type=ExitRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def read_shim(run_dir: Path) -> ShimRecord | None:
    """shim.json, or None when it is missing, or torn by a power loss."""
    try:
        return msgspec.json.decode((run_dir / files.SHIM).read_bytes(), type=ShimRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_interrupted(run_dir: Path, error: str) -> ExitRecord:
    """Give a run whose shim is dead its end: a last line in its log, and an exit record.

    Once: if there is an exit record, that one stands. OSError if the disk does not take it.
    """
    found = read_exit(run_dir)
    if found is not None:
        return found
    shim, spec = read_shim(run_dir), read_known(run_dir)
    now = timestamps.now()
    size = 0
    if spec is not None and os.path.exists(spec.log_path):
        size = _last_line(spec.log_path, f"{now}\t[run] {error}\n".encode())
    started_at = shim.started_at if shim else spec.created_at if spec else now
    record = ExitRecord(reason=EndReason.INTERRUPTED, started_at=started_at, ended_at=now, error=error, bytes=size)
    files.write_exit(run_dir, msgspec.to_builtins(record))
    return record


def _last_line(log_path: str, line: bytes) -> int:
    """Append a line, finishing a torn one first; the size of the log after that."""
    fd = os.open(log_path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        files.write_all(fd, b"\n" + line if torn else line)
        os.fsync(fd)
        return os.fstat(fd).st_size
    finally:
        os.close(fd)
