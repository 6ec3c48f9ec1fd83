"""Holds the lock of a runtime directory and notes the signals it gets, as the supervisor would; started as a program.

Usage: stand_in_supervisor.py RUNTIME_DIR. Its child `sleep` stands for worker and web in the status file. A signal's
number goes to `signals`; SIGTERM ends it.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Takes the lock, writes the status file, waits for signals."""
    runtime = Path(sys.argv[1])
    lock = os.open(runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    listening = socket.socket(socket.AF_UNIX)  # whoever connects waits in its queue, and for ever
    listening.bind(str(runtime / "rpc.sock"))
    listening.listen(256)
    child = subprocess.Popen(["sleep", "600"])
    process = {"pid": child.pid, "state": "running", "restarts": 3, "uptime_s": 61.0, "rss_bytes": 1048576}
    facts = {
        "state": "running", "reason": None, "version": "0.0.1", "pid": os.getpid(), "address": "http://127.0.0.1:8080",
        "sessions": {"running": 1}, "next_run_at": "2026-01-31T09:00:00.000Z",
        "processes": [{"name": name, "last_exit": None, **process} for name in ("worker", "web")],
    }  # fmt: skip
    (runtime / "status.json").write_text(json.dumps(facts))
    wanted = {signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    print("ready", flush=True)
    while True:
        signum = signal.sigwait(wanted)
        if signum == signal.SIGCHLD:
            _, status = os.waitpid(child.pid, 0)
            signum = os.WTERMSIG(status)
            (runtime / "child_signal").write_text(str(int(signum)))
            wanted -= {signal.SIGCHLD}
            continue
        with (runtime / "signals").open("a") as file:
            file.write(f"{int(signum)}\n")
        if signum == signal.SIGTERM:
            time.sleep(0.3)
            child.kill()
            return


if __name__ == "__main__":
    main()
