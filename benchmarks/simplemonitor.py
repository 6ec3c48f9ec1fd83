"""SimpleMonitor, a monitor from PyPI that is written in Python too: what a check costs there.

It runs in an environment of its own, with the versions of requirements/peers.txt, and stores what it finds in SQLite.
"""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.idle import spent
from benchmarks.target import ROOT, Target
from tests.acceptance.harness import wait_for

ENVIRONMENT = ROOT / ".claudeops" / "peers"
LOCKED = ROOT / "requirements" / "peers.txt"


def program() -> Path:
    """The installed program; it is installed where it is missing. CalledProcessError without a way to PyPI."""
    found = ENVIRONMENT / "bin" / "simplemonitor"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCKED)], check=True)
    return found


def cost(directory: Path, services: int, interval: float, seconds: float) -> float:
    """Processor ms per check."""
    place = directory / "simplemonitor"
    place.mkdir()
    with Target(place) as target:
        monitors = (f"[s{number}]\ntype=http\nurl={target.url(number)}\ntimeout=5\n" for number in range(services))
        (place / "monitors.ini").write_text("\n".join(monitors))
        (place / "monitor.ini").write_text(
            f"[monitor]\ninterval={interval:g}\nmonitors={place / 'monitors.ini'}\n"
            f"[reporting]\nloggers=kept\n[kept]\ntype=db\ndb_path={place / 'kept.db'}\n"
        )
        with (place / "log").open("wb") as log:
            running = subprocess.Popen(
                [str(program()), "-f", str(place / "monitor.ini")], cwd=place, stdout=log, stderr=log
            )
        try:
            wait_for(lambda: target.count() >= services, 60, (place / "log").read_text())
            before, checks = spent(running.pid), target.count()
            time.sleep(seconds)
            took, checks = spent(running.pid) - before, target.count() - checks
        finally:
            running.kill()
            running.wait()
    return took / checks * 1000
