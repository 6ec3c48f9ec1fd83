"""The demo's directories: prompts with the services' addresses, a file of the services to probe, a stand-in for
docker, a repository to look at.

Called by `daemon.demo.launch` before the daemon starts. Prompts and programs are written at each start; what a person
may have changed, such as the repository, is left as it is.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from daemon.demo import docker
from daemon.demo.script import FILES, prompt
from daemon.demo.services import Service
from daemon.repositories import shipped

ROOT = Path(__file__).parents[2]
SERVICES_FILE = "services.yaml"
RUNBOOK = """# demo-shop

The shop of the demo: three small services on this machine, in containers.

| service | what it does | depends on |
|---|---|---|
| shop | the pages that customers see | search, payments |
| search | finds products; slow while its index is being rebuilt | – |
| payments | takes money | ledger |

## Rules

- payments may be restarted at any time. It loses its connection to the ledger and does not open it again by itself.
- search is slow while its index is being rebuilt: report it, leave it alone.
- The `docker` of the demo is a stand-in: it knows `ps`, `logs`, `restart NAME` and `compose up -d NAME`.
"""
# What the daemon probes by itself: the same three, beside the sessions.
PROBED = """services:
{entries}
"""
ENTRY = """  - name: {name}
    url: {url}
    interval: 5s
    timeout: 4s
    group: demo-shop
    tags: [demo]
    warnings: ["[RESPONSE_TIME] < {slow_ms}"]"""
SLOW_MS = 500
CHECK = """# payments

`curl` its `/health`. 200 is healthy. 503 with the cause `no connection to ledger:5432` means that it hangs: look once
more, then hand it on. A restart mends it for a while, a new container for longer.
"""


def prepare(state: Path, services: Sequence[Service], engine_url: str) -> None:
    """Makes all of it below `state`. OSError if that can't be written."""
    for name in ("home", "results", "bin"):
        (state / name).mkdir(parents=True, exist_ok=True)
    shipped.fill(state / "app")
    for tier, file in FILES.items():
        (state / "app" / "prompts" / file).write_text(prompt(tier, services), encoding="utf-8")
    entries = (ENTRY.format(name=service.name, url=service.url, slow_ms=SLOW_MS) for service in services)
    (state / SERVICES_FILE).write_text(PROBED.format(entries="\n".join(entries)), encoding="utf-8")
    _program(state / "bin" / "docker", [sys.executable, "-I", "-S", docker.__file__, engine_url])
    _program(state / "bin" / "claudeopsctl", ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ipc.ctl"])
    shop = state / "repos" / "demo-shop"
    _once(shop / "CLAUDE-OPS.md", RUNBOOK)
    _once(shop / ".claude-ops" / "checks" / "payments.md", CHECK)


def _program(path: Path, words: Sequence[str]) -> None:
    """A program that runs `words` with its own arguments behind them."""
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _once(path: Path, text: str) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
