"""What the daemon costs while nothing happens: proportional memory of its three processes, and processor time.

Memory twice: as it was started, and after somebody has signed in and looked at a page, which imports what that needs.
"""

import json
import os
import tempfile
import time
from pathlib import Path

from tests.acceptance.harness import running

SECONDS = 30.0
SETTLED = 5.0
PROCESSES = ("supervisor", "worker", "web")
TICK = os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> float:
    """Proportional set size in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no Pss")


def spent(pid: int) -> float:
    """Processor seconds so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pids: dict[str, int]) -> dict[str, float]:
    """MiB of each process and of all."""
    found = {f"{process}_pss_mib": round(pss(pid), 1) for process, pid in pids.items()}
    return {**found, "total_pss_mib": round(sum(found.values()), 1)}


def measure(seconds: float = SECONDS) -> dict[str, float]:
    """MiB of each process and of all, and percent of one core over `seconds`."""
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name, running(Path(name)) as daemon:
        time.sleep(SETTLED)
        pids = {process: daemon.pid(process) for process in PROCESSES}
        figures = memory(pids)
        daemon.sign_in()
        daemon.request("GET", "/")
        time.sleep(SETTLED)
        figures["looked_at_pss_mib"] = memory(pids)["total_pss_mib"]
        before = {process: spent(pid) for process, pid in pids.items()}
        time.sleep(seconds)
        cost = {process: (spent(pid) - before[process]) / seconds * 100 for process, pid in pids.items()}
        figures |= {f"{process}_cpu_percent": round(percent, 2) for process, percent in cost.items()}
        figures["total_cpu_percent"] = round(sum(cost.values()), 2)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
