"""Asks the worker, synchronously, in JSON; finds the daemon; reads the supervisor's status file where nobody answers.

Every command goes through here. Imports nothing that takes time: people type this at three in the morning.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

import zmq

PROTOCOL = 1
MAX_FRAME = 4 * 1024 * 1024
TRY_SECONDS = 2.0
PLACES = ("/run/claudeops", "/state/run", ".claudeops/demo/run", ".claudeops/live/run")
Body = dict[str, Any]


class CtlError(Exception):
    """A command that did not succeed: exit code, error code for programs, sentence for people."""

    def __init__(self, exit_code: int, code: str, message: str, data: Body | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.data = data or {}


REFUSED, USAGE, UNREACHABLE = 1, 2, 5


def find_runtime(given: str | None) -> Path:
    """The daemon's runtime directory: as given, by the environment, or where daemons usually have it."""
    environ = os.environ
    if given:
        return Path(given)
    if environ.get("CLAUDEOPS_RUNTIME_DIR"):
        return Path(environ["CLAUDEOPS_RUNTIME_DIR"])
    if environ.get("RUNTIME_DIRECTORY"):
        return Path(environ["RUNTIME_DIRECTORY"].split(":")[0])
    if environ.get("CLAUDEOPS_STATE_DIR"):
        return Path(environ["CLAUDEOPS_STATE_DIR"]) / "run"
    for place in PLACES:
        if Path(place, "lock").exists():
            return Path(place)
    return Path(PLACES[0])


class Connection:
    """One DEALER to the worker. A call that gets no answer is asked again under the same id: it takes effect once."""

    def __init__(self, runtime: Path) -> None:
        self.runtime = runtime
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None

    def _open(self) -> "zmq.Socket[bytes]":
        if self._socket is None:
            self._socket = self._context.socket(zmq.DEALER)
            for option, value in (
                (zmq.LINGER, 0),
                (zmq.IMMEDIATE, 1),
                (zmq.RECONNECT_IVL, 50),
                (zmq.RECONNECT_IVL_MAX, 500),
                (zmq.MAXMSGSIZE, MAX_FRAME),
            ):
                self._socket.setsockopt(option, value)
            self._socket.connect(f"ipc://{self.runtime / 'rpc.sock'}")
        return self._socket

    def close(self) -> None:
        """Ends."""
        if self._socket is not None:
            self._socket.close(0)
        self._context.destroy(0)

    def _require_socket(self) -> None:
        path = self.runtime / "rpc.sock"
        try:
            path.stat()
        except PermissionError:
            text = f"{self.runtime} is not open to you; run this as root or as the daemon's user"
            raise CtlError(UNREACHABLE, "forbidden", text) from None
        except FileNotFoundError:
            text = f"no daemon at {self.runtime}; start it, or name its place by CLAUDEOPS_RUNTIME_DIR"
            raise CtlError(UNREACHABLE, "not_running", text) from None
        if not os.access(path, os.W_OK):
            text = f"{path} is not open to you; run this as root or as the daemon's user"
            raise CtlError(UNREACHABLE, "forbidden", text)

    def call(self, subject: str, body: Body | None = None, *, timeout: float = 15.0) -> Body:
        """The body of the reply. CtlError: what the worker says, or that it does not answer."""
        self._require_socket()
        if not running(self.runtime):
            text = (
                f"the daemon at {self.runtime} is not running; start it with `systemctl start claudeops` or `claudeops`"
            )
            raise CtlError(UNREACHABLE, "not_running", text)
        id_ = os.urandom(16).hex()
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                text = "the worker is not answering; `claudeopsctl status` shows the supervisor's view, try again"
                raise CtlError(UNREACHABLE, "unavailable", text)
            answer = self._ask(id_, subject, body or {}, min(left, max(TRY_SECONDS, (body or {}).get("wait_s", 0) + 2)))
            if answer is not None:
                return answer

    def _ask(self, id_: str, subject: str, body: Body, seconds: float) -> Body | None:
        socket = self._open()
        end = time.monotonic() + seconds
        if not socket.poll(int(seconds * 1000), zmq.POLLOUT):
            return None
        now = time.monotonic()
        frame = json.dumps([PROTOCOL, "req", subject, id_, now, end, "", body], separators=(",", ":")).encode()
        if len(frame) > MAX_FRAME:
            text = f"the request has {len(frame)} bytes and may have {MAX_FRAME}; shorten the prompt"
            raise CtlError(USAGE, "invalid", text)
        socket.send(frame)
        while (left := end - time.monotonic()) > 0:
            if not socket.poll(int(left * 1000) + 1, zmq.POLLIN):
                break
            reply = json.loads(socket.recv_multipart()[-1])
            if reply[3] in (id_, ""):
                return self._read(reply)
        # Nobody answered: a new connection, for this one may lead to a worker that is gone.
        socket.close(0)
        self._socket = None
        return None

    @staticmethod
    def _read(reply: list[Any]) -> Body | None:
        kind, body = reply[1], reply[7]
        if kind == "err":
            if body["code"] == "deadline":
                return None
            raise CtlError(REFUSED, body["code"], body["message"], body.get("data"))
        return dict(body)


def running(runtime: Path) -> bool:
    """Whether a supervisor holds the lock."""
    try:
        lock = os.open(runtime / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def status_file(runtime: Path) -> Body:
    """What the supervisor wrote last; empty if nothing can be read."""
    try:
        found = json.loads((runtime / "status.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def signal_supervisor(runtime: Path, signum: int) -> None:
    """Sends a signal to the supervisor that holds the lock and to nobody else; the worker can't pass it on."""
    import signal

    if not running(runtime):
        raise CtlError(UNREACHABLE, "not_running", f"the daemon at {runtime} is not running")
    pid = int((runtime / "lock").read_text().strip())
    descriptor = os.pidfd_open(pid)
    try:
        # Between reading the pid and opening it, another process may have got it.
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"claudeops" not in title and b"daemon" not in title:
            raise CtlError(REFUSED, "conflict", f"pid {pid} of the lock is not the supervisor")
        signal.pidfd_send_signal(descriptor, signum)
    finally:
        os.close(descriptor)
