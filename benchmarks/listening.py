"""A session of the stand-in CLI that says something all the time, and a browser that reads it as it comes.

Used by `benchmarks.probing`, to see that sessions' output is as prompt as ever beside many checks. How long a line
takes is counted from the time that its shim has written before it.
"""

import http.client
import re
import threading
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tests.acceptance.harness import Daemon

EVERY = 0.05
SAID = re.compile(rb"T(\d+)E")
LINE = re.compile(r"^(\S+)\t.*?T(\d+)E")


class Listener:
    """`with` it."""

    def __init__(self, daemon: Daemon, seconds: float) -> None:
        self._daemon, self._heard = daemon, dict[int, float]()
        self._lines = int(seconds / EVERY)
        self._ended = threading.Event()

    def __enter__(self) -> "Listener":
        self._session = self._daemon.trigger(lines=self._lines, interval=EVERY, say="T{n}E is what it says")["id"]
        self._connection = http.client.HTTPConnection("127.0.0.1", self._daemon.port, timeout=60)
        self._connection.request(
            "GET", f"/sessions/{self._session}/stream?at=0", headers={"Cookie": self._daemon.cookie}
        )
        self._response = self._connection.getresponse()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._connection.close()

    def _listen(self) -> None:
        tail = b""
        while not self._ended.is_set():
            try:
                data = self._response.read1(65536)
            except (OSError, ValueError, AttributeError):  # closed under its hands: nobody wants to hear more
                return
            if not data:
                return
            now, tail = time.time(), tail[-40:] + data
            for said in SAID.findall(tail):
                self._heard.setdefault(int(said), now)

    def latencies(self) -> list[float]:
        """Seconds from each line's writing to its reading, sorted; all lines have to come."""
        deadline = time.monotonic() + 30
        while len(self._heard) < self._lines and time.monotonic() < deadline:
            time.sleep(0.1)
        if len(self._heard) < self._lines:
            raise RuntimeError(f"{len(self._heard)} of {self._lines} lines were read")
        log = Path(self._daemon.session(self._session)["log_file"]).read_text()
        written: dict[int, float] = {}
        for line in log.splitlines():
            if match := LINE.match(line):
                written.setdefault(int(match[2]), _seconds(match[1]))
        # What came before the reader was there is no measure.
        late = [at - written[number] for number, at in self._heard.items() if number > 20]
        return sorted(late)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text[:26]}+00:00").timestamp()
