"""What can be seen of the daemon from inside the check's machine: the unit, its processes, its sessions, its log.

Used by the checks in this directory; waits are long, because an emulated processor is slow.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENV = Path("/etc/claudeops/claudeops.env")
RUNS = Path("/var/lib/claudeops/runs")
GROUP = Path("/sys/fs/cgroup/system.slice/claudeops.service")
PATIENCE = 120.0


def run(*command: str, ok: bool = True, user: str = "") -> str:
    """What a command says. AssertionError when it fails, unless that is `ok=False`'s business."""
    line = ["runuser", "-u", user, "--", *command] if user else list(command)
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
    assert not ok or done.returncode == 0, f"{' '.join(command)}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + ("" if ok else done.stderr)


def ctl(*words: str) -> Any:
    return json.loads(run("claudeopsctl", *words, "--json"))


def show(name: str) -> str:
    return run("systemctl", "show", "claudeops", "--value", "-p", name).strip()


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)
    return value


def status() -> dict[str, Any]:
    try:
        return dict(json.loads(Path("/run/claudeops/status.json").read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def process(name: str) -> dict[str, Any]:
    return next((dict(found) for found in status().get("processes", []) if found["name"] == name), {})


def active() -> bool:
    return show("ActiveState") == "active"


def wait_active() -> None:
    until(lambda: active() and status().get("state") == "running", "the unit runs")


def pids() -> set[int]:
    """Every process of the unit's group, and whatever else runs as its user."""
    listed = GROUP / "cgroup.procs"
    found = {int(pid) for pid in listed.read_text().split()} if listed.exists() else set()
    return found | {int(pid) for pid in run("pgrep", "-u", "claudeops", ok=False).split()}


def begin(script: str) -> int:
    return int(ctl("sessions", "trigger", "--prompt", f"script {script}")["id"])


def session(id_: int) -> dict[str, Any]:
    return dict(ctl("sessions", "show", str(id_)))


def ended(id_: int) -> dict[str, Any]:
    what = f"session {id_} ends"
    return dict(until(lambda: (s := session(id_))["status"] != "running" and s, what, 3 * PATIENCE))


def log(found: dict[str, Any]) -> str:
    return Path(found["log_file"]).read_text()


def keeper(id_: int) -> dict[str, int]:
    """Shim and command of a session that is inside its long call."""
    until(lambda: "/hold/" in log(session(id_)), f"session {id_} calls its tool")
    return dict(json.loads((RUNS / session(id_)["run_id"] / "shim.json").read_text()))


def lives(pid: int, started: int) -> bool:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) == started
    except (FileNotFoundError, ProcessLookupError):
        return False


def kept(shim: dict[str, int]) -> bool:
    return lives(shim["pid"], shim["start_time"]) and lives(shim["command_pid"], shim["command_start_time"])


def whole(found: dict[str, Any]) -> str:
    """A held session that went on to its end: its answer, each of its calls, and no line that is not whole."""
    text = log(found)
    assert found["status"] == "completed", (found["status"], found["reason"], text[-3000:])
    assert found["response"] == "All calls are done.", found["response"]
    events = read(found)
    assert (events[0].get("subtype"), events[-1]["type"]) == ("init", "result"), text[-3000:]
    said = answers(found)
    told = [one for one, sign in zip(said[-2:], ("load average", "Filesystem"), strict=True) if sign in one]
    assert len(told) + sum("held" in one for one in said[:-2]) == len(said) >= 3, said
    assert found["lines"] == len(events), (found["lines"], len(events))
    return f"{len(events)} lines"


def read(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a session's log."""
    return [json.loads(line.partition("\t")[2]) for line in log(found).splitlines()]


def answers(found: dict[str, Any]) -> list[str]:
    """What a session's calls of Bash have said."""
    parts = [part for event in read(found) if event["type"] == "user" for part in event["message"]["content"]]
    said = [str(part["content"]) for part in parts if part["type"] == "tool_result"]
    return [one for one in said if "Structured output" not in one]
