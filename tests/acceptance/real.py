"""A daemon whose sessions are of the real claude CLI: the scripted API, and stand-ins for commands that reach further.

`docker`, `ssh` and `sudo` are small programs on PATH. What `docker restart` does is real: a keeper outside of the
session ends the service's process and starts another, as a container engine would.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon.demo.messages_api import MessagesApi
from daemon.demo.turns import Playbook, Script, Text, ToolUse, Turn
from tests.acceptance.harness import Daemon
from tests.fakes.messages_api import CLI, KEY

DOCKER = """#!/bin/sh
echo "docker $*" >> {place}/acts
case "$1" in
restart) touch {place}/restart-"$2"; i=0
  while [ -e {place}/restart-"$2" ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done; echo "$2" ;;
*) echo done ;;
esac
"""
SSH = """#!/bin/sh
echo "ssh $*" >> {place}/acts
while [ "${{1#-}}" != "$1" ]; do case "$1" in -[oplifFJ]) shift ;; esac; shift; done
shift
exec sh -c "$*"
"""
SUDO = """#!/bin/sh
echo "sudo $*" >> {place}/acts
while [ "${{1#-}}" != "$1" ]; do case "$1" in -[ug]) shift ;; esac; shift; done
exec "$@"
"""


def report(summary: str, *, needed: bool = False, status: str = "healthy") -> Turn:
    """The last turn of a session: its structured output."""
    escalation: dict[str, Any] = {"needed": needed}
    if needed:
        escalation |= {"reason": summary, "context": "looked twice", "failed_checks": ["http web"]}
    told = {"summary": summary, "events": [], "escalation": escalation,
            "services_checked": [{"name": "web", "status": status}]}  # fmt: skip
    return Turn([ToolUse("StructuredOutput", told)])


def say(text: str, *calls: ToolUse) -> Turn:
    """A turn with words and calls."""
    return Turn([Text(text), *calls])


@contextmanager
def messages_api(marked: Mapping[str, Script] | None = None, **scripts: Script) -> Iterator[tuple[str, MessagesApi]]:
    """An API in a thread of its own; the newest prompt that says `script <name>`, or has a mark, names its script."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    known = {f"script {name}": script for name, script in scripts.items()} | dict(marked or {})
    api = MessagesApi(Playbook([report("nothing to do")], known), KEY)
    try:
        yield asyncio.run_coroutine_threadsafe(api.start(), loop).result(10), api
    finally:
        asyncio.run_coroutine_threadsafe(api.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Service:
    """A web service that is a real process, and the keeper that starts it anew when it is asked to."""

    def __init__(self, directory: Path, name: str = "web") -> None:
        """`directory` is that of the daemon that `real` makes."""
        self.place, self.name = directory / "stand-ins", name
        self.place.mkdir(parents=True, exist_ok=True)
        self.starts = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/"

    def _keep(self) -> None:
        asked = self.place / f"restart-{self.name}"
        while not self._over.wait(0.02):
            if asked.exists():
                self.end()
                self.begin()
                asked.unlink()

    def begin(self) -> None:
        """Starts its process, and waits until it answers."""
        empty = self.place / "www"
        empty.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "http.server", str(self.port), "--bind", "127.0.0.1", "--directory", str(empty)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.starts += 1
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)

    def end(self) -> None:
        """Kills its process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Ends it for good."""
        self._over.set()
        self._keeper.join()
        self.end()


@contextmanager
def real(directory: Path, url: str, tools: str = "", **environment: str) -> Iterator[Daemon]:
    """A daemon with the real CLI and the stand-ins; `acts` in its directory has every command that was really run.

    `tools`: a directory of further stand-ins, which go before these. `environment` goes before what is set here.
    """
    place = directory / "stand-ins"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in (("docker", DOCKER), ("ssh", SSH), ("sudo", SUDO)):
        (place / name).write_text(text.format(place=place))
        (place / name).chmod(0o755)
    for tier in (1, 2, 3):
        (place / f"tier{tier}.md").write_text(f"script tier{tier}")
    settings = {
        "CLAUDEOPS_CLAUDE_BIN": str(CLI),
        "CLAUDEOPS_PROMPT": str(place / "tier1.md"),
        "CLAUDEOPS_TIER2_PROMPT": str(place / "tier2.md"),
        "CLAUDEOPS_TIER3_PROMPT": str(place / "tier3.md"),
        "CLAUDEOPS_STOP_GRACE_INT": "8",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "NO_PROXY": "127.0.0.1",
    }
    daemon = Daemon(directory / "daemon", **settings | environment)
    before = f"{tools}:{place}" if tools else str(place)
    daemon.environment["PATH"] = f"{before}:{daemon.environment['PATH']}"
    try:
        yield daemon.start()
    finally:
        daemon.close()


def acts(directory: Path) -> list[str]:
    """Every stand-in that was run, with its arguments, in order."""
    path = directory / "stand-ins" / "acts"
    return path.read_text().splitlines() if path.exists() else []
