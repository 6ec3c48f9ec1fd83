"""Checks of what runs and what it talks to: settings, processes, database, clock, systemd, CLI, port, API, limits."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path
from typing import Any

from ipc.ctl.checkup.host import Finding, Host, bad, ok, warn
from ipc.ctl.place import status_file
from ipc.ctl.terminal import size
from schema import timestamps
from schema.configuration import without_effect

COMMAND_SECONDS = 10.0
CONNECT_SECONDS = 3.0
CHECK_STEPS = 100_000
OVERFULL = 1.25  # it may grow beyond its bound until the next night
MB = 1_000_000
FILES_LEAST = 1024
CGROUPS = Path("/sys/fs/cgroup")
GROUP_LEAST = {"memory.max": 512 * 1048576, "pids.max": 256}
BORN = 1_735_689_600.0  # 2025: no clock that goes right shows an earlier time
AHEAD = 300.0
JUMP = 60.0
API = "https://api.anthropic.com"
KEYS = ("anthropic_api_key", "anthropic_auth_token", "claude_code_oauth_token")
UNIT = "claudeops"


def settings(host: Host) -> Finding:
    """Whether the settings of this environment, and of its file, can be used."""
    if host.problems:
        return bad(f"{'; '.join(host.problems)}")
    if told := without_effect(host.environ):
        return warn("; ".join(told))
    file = host.environ.get("CLAUDEOPS_ENV_FILE")
    return ok(f"they can be used{f', with {file}' if file else ''}")


def supervisor(host: Host) -> Finding:
    """Whether a daemon holds the lock."""
    if host.pid is not None:
        return ok(f"holds the lock in {host.runtime}{f', pid {host.pid}' if host.pid else ''}")
    if (host.runtime / "lock").exists():
        return bad(
            f"the daemon at {host.runtime} is not running; start it with `systemctl start claudeops` or `claudeops`"
        )
    return bad(f"there is no daemon at {host.runtime}; start it, or name its place by CLAUDEOPS_RUNTIME_DIR")


def database(host: Host) -> Finding:
    """Whether the file is whole, of a known version, and its log not without bounds."""
    from schema import backup, database_file  # apsw is loaded by the checks that want it
    from schema.database import Database, DatabaseError

    path = host.state / "claudeops.db"
    try:
        if not path.exists():
            return warn(f"{path} is not there; the daemon makes it at its first start")
        opened = Database(path, readonly=True)
        try:
            opened.check()
            step = backup.step_of(opened)
            space = opened.rows("keeping.space")[0]
        finally:
            opened.close()
    except PermissionError:
        return warn(f"{path} is not open to uid {os.getuid()}; run this as the daemon's user")
    except DatabaseError as error:
        if not os.access(path, os.R_OK):
            return warn(f"{path} is not open to uid {os.getuid()}; run this as the daemon's user")
        return bad(f"{path}: {error}")
    newest = backup.newest_step()
    if step > newest:
        return bad(f"{path} is of a newer version (step {step}, this one knows {newest}); install that version")
    if told := database_file.pinned(path):
        return warn(told)
    grown = database_file.wal_size(path)
    most = int(host.place("keep_database_max_mb"))
    if most and space["live"] > OVERFULL * most * MB:
        text = f"{path} uses {size(space['live'])}, and CLAUDEOPS_KEEP_DATABASE_MAX_MB is {most}"
        return warn(f"{text}; `claudeopsctl housekeep` removes the oldest rows, or says what keeps it large")
    behind = "" if step == newest else f" of {newest}, the next start brings it up to date"
    return ok(f"{path} passes its check; schema step {step}{behind}, {size(path.stat().st_size)}, log {size(grown)}")


def clock(host: Host) -> Finding:
    """Whether the clock can be right: later than this program, and than what was written."""
    now = time.time()
    if now < BORN:
        return bad(
            f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}; set it, or start time synchronisation"
        )
    written = [
        path.stat().st_mtime for path in (host.state / "claudeops.db", host.runtime / "status.json") if path.exists()
    ]
    ahead = max(written, default=now) - now
    if ahead > AHEAD:
        return bad(
            f"files of the daemon are {ahead:.0f} s in the future: the clock was set back; check time synchronisation"
        )
    jumped = _jumped(host)
    if abs(jumped) > JUMP:
        text = f"the clock went {abs(jumped):.0f} s {'ahead' if jumped > 0 else 'back'} against the daemon's own time"
        return warn(f"{text} since its start: it was set, or the host slept; check time synchronisation")
    return ok(time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now)))


def _jumped(host: Host) -> float:
    """How much more time the clock says has passed since the daemon's start than has."""
    known = status_file(host.runtime) if host.pid is not None else {}
    own: dict[str, Any] = next((item for item in known.get("processes", []) if item.get("name") == "supervisor"), {})
    try:
        began = timestamps.parse(known["started_at"])
        passed = (timestamps.parse(known["written_at"]) - began).total_seconds()
        return passed - float(own["uptime_s"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return 0.0  # no status that could be read; another check tells


def systemd(host: Host) -> Finding | None:
    """Whether the unit is there, starts with the host, and lets sessions outlive the daemon."""
    if not Path(host.environ.get("CLAUDEOPS_SYSTEMD_MARK") or "/run/systemd/system").is_dir():
        return None
    names = "LoadState,UnitFileState,ActiveState,KillMode,Delegate"
    command = ["systemctl", "show", UNIT, f"--property={names}"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    facts = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
    if facts.get("LoadState") != "loaded":
        return warn(f"the unit {UNIT} is not installed; docs/operations.md has the lines, if it is wanted here")
    if facts.get("KillMode") != "process" or facts.get("Delegate") != "yes":
        text = f"the unit has KillMode={facts.get('KillMode')} and Delegate={facts.get('Delegate')}"
        return bad(f"{text}; sessions that run end with the daemon: set process and yes")
    if facts.get("UnitFileState") != "enabled":
        text = f"the unit is {facts.get('UnitFileState')}: it does not start with the host"
        return warn(f"{text}; systemctl enable {UNIT}")
    return ok(f"the unit is enabled and {facts.get('ActiveState')}")


def user(host: Host) -> Finding:
    """Whom the daemon runs as."""
    uid = os.getuid()
    if host.pid:
        with contextlib.suppress(OSError):
            uid = os.stat(f"/proc/{host.pid}").st_uid
    first = " as PID 1" if host.pid == 1 else ""
    if uid == 0:
        return warn(f"uid 0{first}: its sessions are root; give it a user of its own")
    return ok(f"uid {uid}{first}")


def cgroup(host: Host) -> Finding | None:
    """How much memory, and how many processes, the daemon's control group leaves to its sessions."""
    text = Path(f"/proc/{host.pid or 'self'}/cgroup").read_text(encoding="utf-8", errors="replace")
    line = next((line for line in text.splitlines() if line.startswith("0::/")), None)
    if line is None:
        return None
    place = CGROUPS / line.removeprefix("0::/")
    limits = {}
    for name, least in GROUP_LEAST.items():
        with contextlib.suppress(OSError):
            limits[name] = (place / name).read_text(encoding="ascii").strip()
            if limits[name] != "max" and int(limits[name]) < least:
                text = f"{name} is {limits[name]}, and sessions want {least} or more"
                return warn(f"{text}; raise MemoryMax or TasksMax")
    told = ", ".join(f"{name} {value}" for name, value in limits.items()) or "no limits"
    return ok(f"{line[3:]}: {told}")


def claude(host: Host) -> Finding:
    """Whether the CLI is there and says its version."""
    program = host.place("claude_bin")
    path = shutil.which(program, path=host.environ.get("PATH"))
    if path is None:
        return bad(
            f"there is no command {program!r}; `npm install -g @anthropic-ai/claude-code`, or set CLAUDEOPS_CLAUDE_BIN"
        )
    # Its own environment has no credentials: it is asked for its version alone.
    environ = {name: host.environ[name] for name in ("PATH", "HOME", "LANG") if name in host.environ}
    try:
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS,
            check=False, env=environ, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return bad(f"{path} --version: {error}; install it anew")
    if told.returncode != 0:
        return bad(f"{path} --version ended with exit code {told.returncode}; install it anew")
    return ok(f"{path}, {told.stdout.strip()[:60]}")


def credentials(host: Host) -> Finding:
    """Whether sessions have any; never which."""
    here = [name for name in KEYS if getattr(host.settings, name)]
    if here:
        return ok(f"{', '.join(name.upper() for name in here)} set")
    told = "ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN or CLAUDE_CODE_OAUTH_TOKEN"
    return warn(f"none of {told} is set here; set one in the daemon's environment for sessions to work")


def port(host: Host) -> Finding:
    """Whether the dashboard answers, or its port is free for it."""
    if host.pid is not None:
        address = str(status_file(host.runtime).get("address", ""))
        parts = urllib.parse.urlsplit(address)
        if not parts.hostname or not parts.port:
            return warn("the supervisor has not said yet where the dashboard is")
        try:
            socket.create_connection((parts.hostname, parts.port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            return bad(f"{address} does not answer: {error}; look at `claudeopsctl status`")
        return ok(f"{address} answers")
    where = (host.settings.dashboard_host, host.settings.dashboard_port)
    try:
        with socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        return bad(f"{where[0]}:{where[1]} can't be used: {error.strerror}; set CLAUDEOPS_DASHBOARD_PORT")
    return ok(f"{where[0]}:{where[1]} is free")


def api(host: Host) -> Finding:
    """Whether the Messages API, or the proxy before it, can be reached. No request is made."""
    url = host.place("anthropic_base_url") or API
    proxy = host.environ.get("HTTPS_PROXY" if url.startswith("https") else "HTTP_PROXY", "")
    parts = urllib.parse.urlsplit(proxy or url)
    try:
        number = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        number = 0
    if not parts.hostname or not number:
        text = "HTTPS_PROXY or HTTP_PROXY" if proxy else "ANTHROPIC_BASE_URL"
        return bad(f"{text} is no address; write https://host or https://host:port")
    where = f"{parts.hostname}:{number}{' (proxy)' if proxy else ''}"
    try:
        socket.create_connection((parts.hostname, number), timeout=CONNECT_SECONDS).close()
    except socket.gaierror as error:
        return warn(f"the name {parts.hostname} is not found ({error.strerror}), and no session can work; check DNS")
    except OSError as error:
        return warn(f"{where} can't be reached ({error}), and no session can work; check firewall and proxy")
    return ok(f"{where} can be reached")


def open_files(host: Host) -> Finding:
    """How many files the daemon may open."""
    text = Path(f"/proc/{host.pid or 'self'}/limits").read_text(encoding="ascii", errors="replace")
    line = next(line for line in text.splitlines() if line.startswith("Max open files"))
    soft = line.split()[3]
    if soft != "unlimited" and int(soft) < FILES_LEAST:
        return bad(f"{soft} open files are allowed; raise LimitNOFILE or `ulimit -n` to {FILES_LEAST} or more")
    return ok(f"{soft} are allowed")
