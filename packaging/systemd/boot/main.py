"""Looks at claudeops.service on a booted systemd. Started by boot-check.sh's machine at each of its three boots.

The first boot installs by the lines of docs/operations.md and tries the unit while real sessions run against a scripted
Messages API; the second comes after a clean reboot, the third after a reset. A line for each check goes to the second
serial port, which boot-check.sh shows.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checks import FIRST_BOOT, OPT, journal_has_the_link_and_no_secret
from seen import RUNS, begin, ended, keeper, run, until, wait_active

NOTES = Path("/root/unit-check.json")
# A part of a check's name, to try that one alone on the first boot; empty: all.
ONLY = OPT / "only"
Check = Callable[[], str]


def starts_by_itself_after_a_reboot() -> str:
    wait_active()
    old = run("journalctl", "-u", "claudeops", "-b", "-1", "-o", "cat", "--no-pager")
    assert "Deactivated successfully" in old, old[-2000:]
    assert "timed out" not in old, old[-2000:]
    return swept()


def starts_by_itself_after_a_reset() -> str:
    wait_active()
    found = swept()
    assert ended(begin("look"))["status"] == "completed"
    return found


def swept() -> str:
    found = ended(noted()["session"])
    assert (found["status"], bool(found["ended_at"])) == ("interrupted", True), found
    until(lambda: not any(RUNS.iterdir()), "the run directories are gone")
    return str(found["reason"])


def noted() -> dict[str, Any]:
    return dict(json.loads(NOTES.read_text())) if NOTES.exists() else {"boot": 0, "failed": 0}


def note(**facts: int) -> None:
    with NOTES.with_suffix(".new").open("w") as file:
        json.dump({**noted(), **facts}, file)
        file.flush()
        os.fsync(file.fileno())
    NOTES.with_suffix(".new").rename(NOTES)
    os.sync()


def reset() -> None:
    time.sleep(2)
    Path("/proc/sys/kernel/sysrq").write_text("1")
    Path("/proc/sysrq-trigger").write_text("b")


def a_session_runs() -> str:
    wait_active()
    note(session=begin("forever"))
    keeper(noted()["session"])
    return f"session {noted()['session']}"


BOOTS: tuple[tuple[tuple[Check, ...], Callable[[], object]], ...] = (
    ((*FIRST_BOOT, a_session_runs), lambda: run("systemctl", "reboot")),
    ((starts_by_itself_after_a_reboot, a_session_runs), reset),
    ((starts_by_itself_after_a_reset, journal_has_the_link_and_no_secret), lambda: run("systemctl", "poweroff")),
)


def tried(check: Check) -> tuple[bool, str]:
    """Whether a check went well, and a line about it."""
    began = time.monotonic()
    try:
        good, told = True, check()
    except Exception as error:  # noqa: BLE001 - whatever went wrong is told, and the next check is tried
        last = run("journalctl", "-u", "claudeops", "-o", "short-precise", "--no-pager", "-n", "25")
        good, told = False, f"{type(error).__name__}: {error}"[:6000] + f"\n{last}"
    name = check.__name__.replace("_", " ")
    return good, f"{'ok' if good else 'FAILED':<6} {name}: {told} ({time.monotonic() - began:.0f} s)\n"


def main() -> int:
    """One boot. Only a failed installation keeps the other checks from being tried."""
    facts, only = noted(), ONLY.read_text().strip()
    checks, then = BOOTS[facts["boot"]]
    if only:
        checks = tuple(check for check in checks if check is FIRST_BOOT[0] or only in check.__name__)
        then = BOOTS[-1][1]
    note(boot=facts["boot"] + 1)
    program = [str(OPT / ".venv/bin/python"), str(Path(__file__).with_name("api.py"))]
    api = subprocess.Popen(program, env={"PYTHONPATH": str(OPT), "PATH": os.defpath})
    with open("/dev/ttyS1", "w", buffering=1) as out:
        for check in checks:
            good, line = tried(check)
            out.write(line)
            facts["failed"] += not good
            if not good and check is FIRST_BOOT[0]:
                then = BOOTS[-1][1]
                break
        note(failed=facts["failed"])
        if then is BOOTS[-1][1]:
            out.write(f"{facts['failed']} checks failed\n" if facts["failed"] else "all is well\n")
    api.kill()
    then()
    return 0


if __name__ == "__main__":
    sys.exit(main())
