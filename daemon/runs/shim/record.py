"""How a run's end is put into words and onto the disk."""

import os
import sys
import time

from daemon.runs import files
from daemon.runs.states import EndReason

PATIENCE_S = 10.0
PAUSE_S = 0.25


def timestamp() -> str:
    """Now, in the format of stored times (UTC, milliseconds)."""
    seconds, fraction = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:03d}Z"


def sentence(reason: EndReason, by: str | None, timeout_s: float, max_bytes: int) -> str:
    """What the log says when the command is being ended."""
    if reason is EndReason.TIMED_OUT:
        return f"timed out after {timeout_s:g} s: ending the command"
    if reason is EndReason.QUOTA:
        return (
            f"log limit of {max_bytes} bytes reached: ending the command, what it still writes is counted and not kept"
        )
    if reason is EndReason.DISK_FULL:
        return "the log cannot be written: ending the command"
    if reason is EndReason.STOPPED:
        return f"stopped by {by or 'the daemon'}: ending the command"
    return f"interrupted by {by or 'a signal'}: ending the command"


def exit_record(
    reason: EndReason,
    status: int | None,
    *,
    by: str | None = None,
    error: str | None = None,
    started_at: str,
    ended_at: str | None = None,
    duration_s: float = 0.0,
    written: int = 0,
    lines: int = 0,
    cut: int = 0,
) -> dict[str, object]:
    """The exit record as it is written; `status` is the command's, as waitpid gives it."""
    code = None if status is None else os.waitstatus_to_exitcode(status)
    return {
        "exit_code": code if code is not None and code >= 0 else None,
        "signal": -code if code is not None and code < 0 else None,
        "reason": reason.value,
        "by": by,
        "error": error,
        "started_at": started_at,
        "ended_at": ended_at or timestamp(),
        "duration_ms": round(duration_s * 1000),
        "bytes": written,
        "lines": lines,
        "cut_bytes": cut,
    }


def write_record(run_dir: str, record: dict[str, object]) -> bool:
    """Write the exit record, with patience for a full disk. False (and a line on stderr) when it cannot be done."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            files.write_exit(run_dir, record)
        except OSError as error:
            if time.monotonic() < deadline and os.path.isdir(run_dir):
                time.sleep(PAUSE_S)
                continue
            print(f"the exit record could not be written: {error}", file=sys.stderr)
            return False
        return True
