"""What the unit must do on its first boot, from its installation to its stop. Run by main.py in this order."""

import os
import re
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

from seen import (
    ENV,
    GROUP,
    active,
    answers,
    begin,
    ended,
    keeper,
    kept,
    log,
    pids,
    process,
    run,
    session,
    show,
    status,
    until,
    wait_active,
    whole,
)

OPT = Path("/opt/claudeops")
KEY = "sk-ant-made-up-for-the-unit-check"
EXPOSURE_MAX = 2.0
API = "http://127.0.0.1:8901"
SETTINGS = f"""
ANTHROPIC_API_KEY={KEY}
ANTHROPIC_BASE_URL={API}
CLAUDEOPS_SCHEDULE_ENABLED=false
"""


def installs_by_the_document() -> str:
    text = (OPT / "docs/operations.md").read_text().partition("### As a systemd unit\n")[2]
    block = re.split(r"\n(?=\S)", text)[0]
    lines = [line.strip() for line in block.splitlines() if line.startswith("    ")]
    assert re.fullmatch("git clone .*make setup cli", lines[0]), lines
    # That is done already. Settings are written where a person would: before the unit is started.
    lines[0] = "cd /opt/claudeops"
    enable = next(n for n, line in enumerate(lines) if "enable --now" in line)
    lines.insert(enable, f"cat >>{ENV} <<'END'\n{SETTINGS}END")
    run("bash", "-euxc", "\n".join(lines))
    wait_active()
    run("useradd", "-m", "-G", "claudeops", "ona")
    Path("/home/ona").chmod(0o755)
    Path("/home/ona/secret").write_text("for nobody's eyes\n")
    return f"{len(lines)} lines; {show('StatusText')}"


def places_are_the_units_own() -> str:
    wanted = {
        "/run/claudeops": ("claudeops", "claudeops", 0o750),
        "/run/claudeops/rpc.sock": ("claudeops", "claudeops", 0o660),
        "/run/claudeops/lock": ("claudeops", "claudeops", 0o640),
        "/var/lib/claudeops": ("claudeops", "claudeops", 0o750),
        "/var/lib/claudeops/claudeops.db": ("claudeops", "claudeops", 0o600),
        "/var/log/claudeops": ("claudeops", "claudeops", 0o750),
        "/etc/claudeops": ("root", "claudeops", 0o750),
        "/etc/claudeops/claudeops.env": ("root", "claudeops", 0o640),
    }
    for place, expected in wanted.items():
        path = Path(place)
        assert (path.owner(), path.group(), stat.S_IMODE(path.stat().st_mode)) == expected, (place, path.stat())
    return f"{len(wanted)} places"


def journal_has_the_link_and_no_secret() -> str:
    text = run("journalctl", "-u", "claudeops", "-o", "cat", "--no-pager")
    assert re.search(r"make the first admin here.*http://127\.0\.0\.1:8080/\S+", text), text
    assert KEY not in run("journalctl", "--no-pager", "-a") + run("ps", "-ww", "-e", "-o", "args")
    assert KEY not in run("systemctl", "show", "claudeops")
    return f"{len(text.splitlines())} lines"


def status_has_a_sentence() -> str:
    text = run("systemctl", "status", "claudeops", "--no-pager", "-n", "0")
    line = re.search(r'Status: "(.*)"', text)
    assert line, text
    assert line[1].startswith("running"), text
    assert run("claudeopsctl", "status", user="ona")
    return line[1]


def becomes_active_only_when_both_serve() -> str:
    run("systemctl", "stop", "claudeops")
    run("systemctl", "start", "--no-block", "claudeops")
    web = int(until(lambda: process("web").get("state") == "starting" and process("web")["pid"], "web starts"))
    os.kill(web, signal.SIGSTOP)
    until(lambda: process("worker").get("state") == "running", "the worker runs")
    time.sleep(2)
    seen = (show("ActiveState"), show("SubState"), show("StatusText"))
    os.kill(web, signal.SIGCONT)
    assert seen[:2] == ("activating", "start"), seen
    until(active, "the unit is active")
    assert (process("worker")["state"], process("web")["state"]) == ("running", "running"), status()
    return f'"{seen[2]}" while web was held'


def exposure() -> str:
    text = run("systemd-analyze", "security", "claudeops.service", "--no-pager")
    overall = re.search(r"Overall exposure level for claudeops\.service: ([\d.]+)", text)
    assert overall, text
    assert float(overall[1]) <= EXPOSURE_MAX, text
    return overall[1]


def a_session_sees_what_the_document_says() -> str:
    found = ended(begin("look"))
    text = log(found)
    assert (found["status"], found["response"]) == ("completed", "I have looked."), text[-3000:]
    said = answers(found)
    for one, expected in zip(said, ("load average", "Mem:", "/dev/", "claudeops", "active", "held"), strict=True):
        assert expected in one, (expected, said)
    assert not re.search("^(root|ona) ", said[3], re.MULTILINE), said[3]
    return f"{len(said)} calls, ${found['cost_usd']:.4f}"


def the_places_of_a_session_are_those_of_the_document() -> str:
    """Tried from inside the main process's file systems, as the unit's user."""
    inside = ("nsenter", "--mount", "--target", show("MainPID"), "runuser", "-u", "claudeops", "--", "test")
    for place in ("/var/lib/claudeops", "/var/log/claudeops", "/run/claudeops", "/tmp", "/var/tmp", "/dev/shm"):
        run(*inside, "-w", place)
    for flag, place in (("-w", "/srv"), ("-w", "/opt/claudeops"), ("-w", "/etc/claudeops"), ("-r", "/home/ona/secret")):
        run(*inside, "!", flag, place)
    run(*inside, "!", "-e", "/proc/1/status")
    run(*inside, "/tmp", "-ef", "/var/lib/claudeops/tmp")
    assert Path("/tmp").stat().st_ino != Path("/var/lib/claudeops/tmp").stat().st_ino
    return "written to and read as told"


def reloads() -> str:
    before, pid = ENV.read_text(), show("MainPID")
    ENV.write_text(before + "CLAUDEOPS_INTERVAL=777\n")
    run("systemctl", "reload", "claudeops")
    until(lambda: "777" in run("claudeopsctl", "config", "get", "interval"), "the new interval")
    ENV.write_text(before + "CLAUDEOPS_INTERVAL=never\n")
    run("systemctl", "reload", "claudeops")
    time.sleep(3)
    assert "777" in run("claudeopsctl", "config", "get", "interval")
    ENV.write_text(before)
    run("systemctl", "reload", "claudeops")
    assert "never" in run("journalctl", "-u", "claudeops", "-o", "cat", "--no-pager", "-n", "30")
    assert (active(), show("MainPID")) == (True, pid)
    return "one taken over, one refused"


def a_killed_daemon_comes_back_and_adopts() -> str:
    return outlives("the kill", lambda: run("systemctl", "kill", "-s", "KILL", "--kill-whom=main", "claudeops"), "hold")


def outlives(what: str, end: Callable[[], object], script: str) -> str:
    """A session outlives the end of the daemon's main process, and is adopted by the next one."""
    id_ = begin(script)
    shim, main, restarts = keeper(id_), show("MainPID"), int(show("NRestarts"))
    shared = Path("/dev/shm/of-a-session")
    run("touch", str(shared), user="claudeops")
    end()
    until(lambda: show("MainPID") not in (main, "0"), f"systemd starts it again after {what}", 200)
    assert kept(shim), f"{what} has ended the session"
    wait_active()
    assert (kept(shim), session(id_)["status"]) == (True, "running"), session(id_)
    assert shim["pid"] in pids()
    assert int(show("NRestarts")) == restarts + 1
    assert shared.exists(), "systemd has removed shared memory of the session"
    return whole(ended(id_))


def a_silent_worker_is_replaced_below_the_watchdog() -> str:
    main, worker, began = show("MainPID"), process("worker")["pid"], time.monotonic()
    os.kill(worker, signal.SIGSTOP)
    until(lambda: process("worker").get("pid") not in (None, worker), "another worker")
    seconds = time.monotonic() - began
    wait_active()
    assert show("MainPID") == main
    return f"after {seconds:.0f} s"


def a_silent_daemon_is_ended_by_the_watchdog() -> str:
    began = time.monotonic()
    told = outlives("the watchdog", lambda: os.kill(int(show("MainPID")), signal.SIGSTOP), "long")
    assert "Watchdog timeout" in run("journalctl", "-u", "claudeops", "-o", "cat", "--no-pager")
    return f"{told}, {time.monotonic() - began:.0f} s in all"


def one_that_takes_too_much_memory_ends_alone() -> str:
    wait_active()
    main = show("MainPID")
    run("systemctl", "set-property", "--runtime", "claudeops", "MemoryMax=1G")
    eat = f"echo $$ >{GROUP}/cgroup.procs; echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero"
    told = run("bash", "-c", eat, ok=False)
    run("systemctl", "set-property", "--runtime", "claudeops", "MemoryMax=infinity")
    text = run("journalctl", "-u", "claudeops", "-o", "cat", "--no-pager")
    assert "killed by the OOM killer" in text, (told, text[-2000:])
    time.sleep(3)
    assert (active(), show("MainPID")) == (True, main)
    return "the unit goes on"


def upgrades_in_place() -> str:
    id_ = begin("hold")
    shim, main, worker = keeper(id_), show("MainPID"), process("worker")["pid"]
    run("systemctl", "kill", "--kill-whom=main", "-s", "USR2", "claudeops")
    until(lambda: process("worker").get("pid") not in (None, worker) and status()["state"] == "running", "a new worker")
    assert (active(), show("MainPID"), kept(shim)) == (True, main, True)
    return whole(ended(id_))


def quit_leaves_sessions_for_the_next_start() -> str:
    id_ = begin("hold")
    shim = keeper(id_)
    run("systemctl", "kill", "--kill-whom=main", "-s", "QUIT", "claudeops")
    until(lambda: show("ActiveState") == "inactive", "the unit ends")
    assert kept(shim)
    run("systemctl", "start", "claudeops")
    wait_active()
    assert kept(shim)
    return whole(ended(id_))


def restart_ends_sessions() -> str:
    id_ = begin("forever")
    shim = keeper(id_)
    run("systemctl", "restart", "claudeops")
    wait_active()
    found = ended(id_)
    assert (kept(shim), found["status"]) == (False, "interrupted"), found
    return str(found["reason"])


def stop_leaves_no_process() -> str:
    shim = keeper(begin("forever"))
    run("systemctl", "kill", "-s", "KILL", "--kill-whom=main", "claudeops")  # an adopted session ends too
    until(lambda: int(show("NRestarts")) >= 1 and active(), "systemd starts it again")
    began = time.monotonic()
    run("systemctl", "stop", "claudeops")
    seconds = time.monotonic() - began
    assert (show("ActiveState"), show("Result"), show("ExecMainStatus")) == ("inactive", "success", "0")
    assert (pids(), kept(shim)) == (set(), False), run("ps", "-ef")
    assert not Path("/run/claudeops").exists()
    return f"in {seconds:.1f} s"


def a_wrong_setting_is_not_tried_again() -> str:
    before = ENV.read_text()
    ENV.write_text(before + "CLAUDEOPS_INTERVAL=never\n")
    run("systemctl", "start", "claudeops", ok=False)
    time.sleep(5)
    seen = (show("ActiveState"), show("ExecMainStatus"), show("NRestarts"))
    ENV.write_text(before)
    run("systemctl", "reset-failed", "claudeops")
    run("systemctl", "start", "claudeops")
    assert seen == ("failed", "78", "0"), seen
    return "failed with 78"


FIRST_BOOT: tuple[Callable[[], str], ...] = (
    installs_by_the_document,
    places_are_the_units_own,
    journal_has_the_link_and_no_secret,
    status_has_a_sentence,
    exposure,
    becomes_active_only_when_both_serve,
    the_places_of_a_session_are_those_of_the_document,
    a_session_sees_what_the_document_says,
    reloads,
    a_killed_daemon_comes_back_and_adopts,
    a_silent_worker_is_replaced_below_the_watchdog,
    one_that_takes_too_much_memory_ends_alone,
    a_silent_daemon_is_ended_by_the_watchdog,
    upgrades_in_place,
    quit_leaves_sessions_for_the_next_start,
    restart_ends_sessions,
    stop_leaves_no_process,
    a_wrong_setting_is_not_tried_again,
)
