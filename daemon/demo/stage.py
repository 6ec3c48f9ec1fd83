"""The demo's stage: a process with the scripted Messages API, the services and their engine; it ends with the daemon.

Started by `daemon.demo.launch`, which becomes the daemon afterwards. It tells where it listens by one JSON line.
"""

import argparse
import asyncio
import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass

from setproctitle import setproctitle

from daemon.demo.engine import Engine
from daemon.demo.messages_api import MessagesApi
from daemon.demo.script import playbook
from daemon.demo.services import Service, Services

KEY = "sk-ant-demo-made-up-key"
TITLE = "claudeops: demo stage"
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Address:
    """Where the stage listens."""

    api_url: str
    engine_url: str
    services: list[Service]

    def line(self) -> bytes:
        """As one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Address":
        """From one line of JSON."""
        found = json.loads(line)
        return cls(found["api_url"], found["engine_url"], [Service(**service) for service in found["services"]])


def main() -> int:
    """Serves until SIGTERM, which also comes when the process that started it ends."""
    parser = argparse.ArgumentParser(prog="python -m daemon.demo.stage")
    parser.add_argument("--announce-fd", type=int, required=True, help="where `Address.line` is written")
    parser.add_argument("--parent", type=int, required=True, help="pid of the process to end with")
    parser.add_argument("--tempo", type=float, default=1.0)
    given = parser.parse_args()
    setproctitle(TITLE)
    end_with(given.parent)
    asyncio.run(_serve(given.announce_fd, given.tempo))
    return 0


def end_with(parent: int) -> None:
    """Asks the kernel for SIGTERM when the process `parent` ends; exits if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        raise SystemExit(0)


async def _serve(announce_fd: int, tempo: float) -> None:
    asked_to_stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_stop.set)
    services = Services()
    listening = await services.start()
    engine = Engine(services.containers)
    api = MessagesApi(playbook(listening, tempo), KEY, keep=0)
    os.write(announce_fd, Address(await api.start(), await engine.start(), listening).line())
    os.close(announce_fd)
    await asked_to_stop.wait()
    await api.stop()
    await engine.stop()
    await services.stop()


if __name__ == "__main__":
    sys.exit(main())
