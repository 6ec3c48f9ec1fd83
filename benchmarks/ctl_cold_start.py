"""How long `claudeopsctl status` takes from nothing to its answer, against `python -c 'import zmq'`.

The worker is the real server with a handler that answers at once, in a process of its own. Both commands run in turn,
so that what else the machine does falls on both; the medians are compared.
"""

import asyncio
import fcntl
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zmq
import zmq.asyncio

from ipc.messages.system import Process, Status, StatusReply
from ipc.server import Call, Server, bound_socket

ROOT = Path(__file__).parents[1]
ROUNDS = 25
CTL = Path(sys.executable).with_name("claudeopsctl")


async def _serve(descriptor: int) -> None:
    async def status(call: Call, request: Status) -> StatusReply:
        names = ("supervisor", "worker", "web")
        processes = [Process(name=name, pid=1, state="running", rss_bytes=1 << 24) for name in names]
        return StatusReply(state="running", version="0", processes=processes)

    async def recall(id_: str) -> None:
        return None

    router = bound_socket(zmq.asyncio.Context(), zmq.ROUTER, descriptor)
    await Server(router, {Status: status}, allowed=lambda peer: True, recall=recall).serve()


def _milliseconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of both, and `ratio` = status / import. Takes about 5 s."""
    runtime = Path(tempfile.mkdtemp(prefix="bench-"))
    environment = {"PATH": os.defpath, "HOME": str(runtime), "LANG": "C.UTF-8", "CLAUDEOPS_RUNTIME_DIR": str(runtime)}
    lock = os.open(runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(runtime / "rpc.sock"))
    listening.listen(16)
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ctl_cold_start", "serve", str(listening.fileno())],
        pass_fds=(listening.fileno(),), env=environment, cwd=ROOT,
    )  # fmt: skip
    commands = {"status_ms": [str(CTL), "status"], "import_ms": [sys.executable, "-c", "import zmq"]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    try:
        for number in range(rounds + 1):  # the first waits for the worker, and warms the caches
            for name, command in commands.items():
                spent = _milliseconds(command, environment)
                if number:
                    taken[name].append(spent)
    finally:
        worker.kill()
        worker.wait()
        listening.close()
        os.close(lock)
        shutil.rmtree(runtime)
    medians = {name: round(statistics.median(values), 1) for name, values in taken.items()}
    return {**medians, "ratio": round(medians["status_ms"] / medians["import_ms"], 2)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(_serve(int(sys.argv[2])))
    else:
        print(json.dumps(measure(), indent=2))
