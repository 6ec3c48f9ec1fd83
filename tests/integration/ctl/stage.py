"""A daemon on a stage: lock and socket, a stand-in worker that can be killed, and claudeopsctl itself."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent


def wait_for(condition: Callable[[], Any], seconds: float = 10.0, what: str = "") -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        time.sleep(0.01)
    return value


class Stage:
    """What the supervisor owns, and what it starts."""

    def __init__(self) -> None:
        # A socket's path has at most 107 bytes, and a test's directory may be long.
        self.runtime = Path(tempfile.mkdtemp(prefix="ctl-"))
        self.listening: socket.socket | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._started: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.runtime),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "CLAUDEOPS_RUNTIME_DIR": str(self.runtime),
            "STAND_IN_DIR": str(self.runtime),
            "CLAUDEOPS_CLAUDE_BIN": "/bin/true",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        }

    def listen(self) -> None:
        """Makes the socket."""
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.runtime / "rpc.sock"))
        (self.runtime / "rpc.sock").chmod(0o660)
        self.listening.listen(256)

    def hold_lock(self) -> None:
        """Takes the lock in this process."""
        self._lock = os.open(self.runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release_lock(self) -> None:
        """As when the daemon ends."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def start_supervisor(self, **options: Any) -> int:
        """A process of its own holds the lock; its pid."""
        command = [sys.executable, str(HERE / "stand_in_supervisor.py"), str(self.runtime)]
        self.supervisor = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, **options)
        assert self.supervisor.stdout is not None
        assert self.supervisor.stdout.readline() == b"ready\n"
        return self.supervisor.pid

    def start_worker(self) -> None:
        """A stand-in worker on the socket; returns once it serves."""
        assert self.listening is not None
        descriptor = self.listening.fileno()
        self.worker = subprocess.Popen(
            [sys.executable, str(HERE / "stand_in_worker.py")],
            env={**self.environment, "CLAUDEOPS_RPC_FD": str(descriptor)},
            pass_fds=(descriptor,),
            stdout=subprocess.PIPE,
        )
        assert self.worker.stdout is not None
        assert self.worker.stdout.readline() == b"ready\n"

    def kill_worker(self) -> None:
        """kill -9."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()
        assert self.worker.stdout is not None
        self.worker.stdout.close()
        self.worker = None

    def command(self, *arguments: str) -> list[str]:
        """claudeopsctl's command line."""
        return [sys.executable, "-m", "ipc.ctl", *arguments]

    def ctl(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs claudeopsctl."""
        options = {"env": self.environment, "timeout": 60, **options}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False, **options)

    def popen(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Starts claudeopsctl."""
        options = {"env": self.environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        self._started.append(subprocess.Popen(self.command(*arguments), **options))
        return self._started[-1]

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What claudeopsctl answers with --json, whose exit code is as expected."""
        told = self.ctl(*arguments, "--json")
        assert told.returncode == code, told.stdout + told.stderr
        return json.loads(told.stdout)

    def calls(self, subject: str = "") -> list[dict[str, Any]]:
        """The requests that workers got."""
        path = self.runtime / "calls"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in found if subject in ("", call["subject"])]

    def rows(self, noun: str, *rows: dict[str, Any]) -> None:
        """What the worker knows of a noun from now on."""
        new = self.runtime / f"{noun}.json.new"
        new.write_text(json.dumps(rows))
        new.rename(self.runtime / f"{noun}.json")

    def close(self) -> None:
        """Ends whatever is left."""
        for started in self._started:
            if started.poll() is None:
                started.kill()
                started.wait()
            for stream in (started.stdout, started.stderr):
                if stream is not None:
                    stream.close()
        for process in (self.worker, self.supervisor):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                if process is self.supervisor:
                    process.terminate()
                else:
                    process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()
        if self.listening is not None:
            self.listening.close()
        self.release_lock()
        shutil.rmtree(self.runtime, ignore_errors=True)
