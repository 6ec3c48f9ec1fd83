"""A child's end of its channel to the supervisor: JSON lines over an inherited socketpair.

The child says that it is ready, beats once a second from its event loop (a loop that hangs misses its beats), and
passes commands on; the supervisor tells it to stop, to reload, and how the processes are. Used by worker and web.
"""

import asyncio
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

BEAT_SECONDS = 1.0
LINE_MAX = 1024 * 1024
COMMAND_TIMEOUT = 5.0
DESCRIPTORS_ALARM = 0.8
Message = dict[str, Any]


def descriptors() -> tuple[int, int]:
    """(open, allowed) file descriptors of this process; libzmq aborts it when there are none left."""
    import resource  # imported where it is used: only beats and the check-up want it

    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        return len(os.listdir("/proc/self/fd")), allowed
    except OSError:
        return allowed, allowed  # there is none left to look with


def short_of_descriptors(who: str, open_now: int, allowed: int) -> list[str]:
    """What to tell people when few are left."""
    if open_now <= DESCRIPTORS_ALARM * allowed:
        return []
    return [f"{open_now} of {allowed} file descriptors of {who} are in use; raise LimitNOFILE"]


class Control:
    """The channel. `note` gives the facts that each beat carries; `on_message` gets what the supervisor says."""

    def __init__(self, descriptor: int, note: Callable[[], Message], on_message: Callable[[Message], None]) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._note = note
        self._on_message = on_message
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._writer: asyncio.StreamWriter | None = None
        self._next = 0

    async def open(self) -> None:
        """Starts reading and beating."""
        self._socket.setblocking(False)
        reader, self._writer = await asyncio.open_connection(sock=self._socket, limit=LINE_MAX)
        self._tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._beat())]

    def ready(self, version: str) -> None:
        """Tells that this process serves. The facts come with it, for those of the last beat are of its start."""
        self._send({"ready": True, "version": version, "note": self._note()})

    async def command(self, command: str, **more: str) -> str | None:
        """Asks the supervisor for something; None, or why it was refused."""
        self._next += 1
        id_ = f"{os.getpid()}-{self._next}"
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[id_] = future
        self._send({"id": id_, "command": command, **more})
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                answer = await future
        except TimeoutError:
            return "the supervisor did not answer"
        finally:
            del self._replies[id_]
        error = answer.get("error")
        return str(error) if error else None

    def _send(self, message: Message) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def _beat(self) -> None:
        number = 0
        while True:
            number += 1
            self._send({"beat": number, "note": self._note()})
            await asyncio.sleep(BEAT_SECONDS)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Until the supervisor hangs up. A process that no longer heard could neither be stopped nor reloaded, so what
        makes no sense is told and left out, as the supervisor does with what a child says.
        """
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # its rest, if more of it comes, is no message either
                _complain(f"a line longer than {LINE_MAX} bytes is left out")
                continue
            except ConnectionError:
                return
            if not line:
                return
            message = _message(line)
            if message is None:
                _complain(f"left out, for it is no message: {line[:200]!r}")
                continue
            try:
                self._take(message)
            except Exception:  # noqa: BLE001 - the boundary: logged whole; the next command is heard all the same
                traceback.print_exc(file=sys.stderr)

    def _take(self, message: Message) -> None:
        waiting = self._replies.get(message.get("done", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        else:
            self._on_message(message)

    def close(self) -> None:
        """Ends beating and reading."""
        for task in self._tasks:
            task.cancel()
        if self._writer is not None:
            self._writer.close()


def _message(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _complain(text: str) -> None:
    print(f"control: {text}", file=sys.stderr, flush=True)
