"""Asks the worker, synchronously, in JSON. Every command that needs it goes through here.

Imports nothing that takes time: people type this at three in the morning.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import zmq

from ipc.ctl.errors import REFUSED, UNREACHABLE, USAGE, CtlError, forbidden
from ipc.ctl.place import require_running

PROTOCOL = 1
MAX_FRAME = 4 * 1024 * 1024
TRY_SECONDS = 2.0
SLICE_MS = 100
# Not asked a second time: their effect is neither stored under the request's id nor the same when it comes twice.
ONCE = frozenset({"process.restart", "daemon.reload"})
SILENT = "the worker is not answering; `claudeopsctl status` shows what the supervisor knows, try again"
UNSURE = "the worker went away, or was silent, while it was asked; look whether it was done before you repeat it"
Body = dict[str, Any]


class Connection:
    """One DEALER to the worker, opened at the first call.

    A call whose answer does not come is made again under the same id, within its time: where the worker is replaced
    meanwhile, its successor answers, and what the request does is done once.
    """

    def __init__(self, runtime: Path) -> None:
        self.runtime = runtime
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None

    def _open(self) -> "zmq.Socket[bytes]":
        if self._socket is None:
            self._context = self._context or zmq.Context()
            self._socket = self._context.socket(zmq.DEALER)
            for option, value in (
                (zmq.LINGER, 0),
                (zmq.IMMEDIATE, 1),
                (zmq.RECONNECT_IVL, 50),
                (zmq.RECONNECT_IVL_MAX, 500),
            ):
                self._socket.setsockopt(option, value)
            try:
                self._socket.connect(f"ipc://{self.runtime / 'rpc.sock'}")
            except zmq.ZMQError as error:
                text = f"{self.runtime}/rpc.sock can't be opened: {error.strerror}; use a shorter runtime directory"
                raise CtlError(UNREACHABLE, "invalid", text) from error
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None

    def close(self) -> None:
        """Ends."""
        self._drop()
        if self._context is not None:
            self._context.destroy(0)

    def call(self, subject: str, body: Body | None = None, *, timeout: float = 15.0) -> Body:
        """The body of the reply. CtlError: what the worker says, or that it, or the daemon, is not there."""
        require_running(self.runtime)
        path = self.runtime / "rpc.sock"
        if path.exists() and not os.access(path, os.W_OK):
            raise forbidden(path)
        body = body or {}
        id_ = os.urandom(16).hex()
        end = time.monotonic() + timeout
        again = subject not in ONCE
        patience = max(TRY_SECONDS, body.get("wait_s", 0.0) + TRY_SECONDS) if again else timeout
        while (left := end - time.monotonic()) > 0:
            answer = self._ask(id_, subject, body, min(left, patience), again=again)
            if answer is not None:
                return answer
            require_running(self.runtime)
        raise CtlError(UNREACHABLE, "unavailable", SILENT)

    def _ask(self, id_: str, subject: str, body: Body, seconds: float, *, again: bool) -> Body | None:
        """The answer; None if there is none in time or the worker has gone; CtlError then, if not `again`."""
        end = time.monotonic() + seconds
        socket = self._open()
        if not socket.poll(int(seconds * 1000) + 1, zmq.POLLOUT):
            return None
        socket.send(_frame(id_, subject, body, end))
        while (left := end - time.monotonic()) > 0:
            if socket.poll(min(SLICE_MS, int(left * 1000) + 1), zmq.POLLIN):
                reply = json.loads(socket.recv_multipart()[-1])
                if reply[3] in (id_, ""):  # without an id: what was sent could not even be read
                    return _read(reply, again=again)
            elif not socket.poll(0, zmq.POLLOUT):
                break  # with IMMEDIATE there is nowhere to send to: the connection is lost
        # This connection may lead to a worker that is gone, or that hangs.
        self._drop()
        if not again:
            raise CtlError(UNREACHABLE, "unavailable", UNSURE, {"sent": True})
        return None


def _frame(id_: str, subject: str, body: Body, deadline: float) -> bytes:
    envelope = [PROTOCOL, "req", subject, id_, time.monotonic(), deadline, "", body]
    try:
        frame = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CtlError(USAGE, "invalid", "what was given is not text in UTF-8; convert it") from error
    if len(frame) > MAX_FRAME:
        text = f"the request has {len(frame)} bytes and may have {MAX_FRAME}; shorten the prompt, or send less"
        raise CtlError(REFUSED, "invalid", text)
    return frame


def _read(reply: list[Any], *, again: bool) -> Body | None:
    kind, body = reply[1], reply[7]
    if kind != "err":
        return dict(body)
    code = body["code"]
    if code == "deadline" and again:
        return None  # it lay in the queue of a worker that was not there yet
    exit_code = UNREACHABLE if code in ("deadline", "forbidden") else REFUSED
    raise CtlError(exit_code, code, body["message"], body.get("data"))
