"""Proves the built image, called by check.sh: runs it as compose.yaml says, and breaks it in the ways that count.

Standard library alone. Real sessions of the real CLI run in it, against model.py with a made-up key.
"""

import json
import re
import resource
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DAEMON, MODEL = "claudeops-check", "claudeops-check-model"
KEY = "/run/secrets/anthropic_api_key"
ENVIRONMENT = {
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9000",
    "CLAUDEOPS_SCHEDULE_ENABLED": "false",
    "CLAUDEOPS_BASH_ALLOWED": "curl,uptime,sleep",
}
ROW = "import apsw,sys; print(*apsw.Connection(sys.argv[1]).execute('SELECT id, status FROM sessions ORDER BY id'))"


def service(environ: dict[str, str]) -> dict[str, list[str]]:
    """What compose.yaml says of the service, by name: a value, or the lines below it, with `environ` put in."""
    text = (HERE / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: environ.get(match[1], match[2]), text)
    found: dict[str, list[str]] = {}
    for line in text.partition("\n  claudeops:\n")[2].partition("\nsecrets:\n")[0].splitlines():
        if match := re.match(r"    (\w+):\s*(.*)$", line):
            name = match[1]
            found[name] = [match[2]] if match[2] else []
        elif line.strip() and not line.lstrip().startswith("#"):
            found[name].append(line.strip().removeprefix("- ").strip('"'))
    return found


class Checked:
    """The daemon's container, and the model's beside it."""

    def __init__(self, engine: str, image: str, work: Path) -> None:
        self.engine = engine
        self.image = image
        self.key = work / "key"
        self.compose = service({"CLAUDEOPS_REPOS": str(work / "repos")})
        self.grace = int(self.compose["stop_grace_period"][0].removesuffix("s"))
        self.port = self.compose["ports"][0].rpartition(":")[2]

    def run(self, *arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Calls the engine."""
        found = subprocess.run([self.engine, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
        if check and found.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)[:300]}: {found.returncode}\n{found.stdout}{found.stderr}")
        return found

    def inside(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command in the daemon's container, as its user."""
        return self.run("exec", DAEMON, *command, check=check)

    def ctl(self, *words: str) -> Any:
        """What claudeopsctl answers."""
        return json.loads(self.inside("claudeopsctl", *words, "--json").stdout)

    def places(self) -> list[str]:
        """Flags for what compose.yaml mounts."""
        flags = ["--read-only"] if self.compose["read_only"] == ["true"] else []
        flags += [f"--volume={self.key}:/run/secrets/{name}:ro" for name in self.compose["secrets"]]
        for volume in self.compose["volumes"]:
            flags.append("--volume=" + (volume if volume.startswith("/") else f"{DAEMON}-{volume}"))
        for mount in self.compose["tmpfs"]:
            path, _, options = mount.partition(":")
            if self.engine == "podman" and "uid=" in options:  # Podman says `chown` for "the container's user"
                of = dict(option.split("=") for option in options.split(","))
                text = f"tmpfs-mode={of['mode']},tmpfs-size={of['size']},chown=true"
                flags.append(f"--mount=type=tmpfs,destination={path},{text}")
            else:
                flags.append(f"--tmpfs={mount}")
        return flags

    def flags(self) -> list[str]:
        """Flags that do what compose.yaml says, and lead sessions to the model."""
        of = self.compose
        given = dict(line.split(": ", 1) for line in of["environment"])
        flags = [f"--env={name}={value.strip(chr(34))}" for name, value in (given | ENVIRONMENT).items()]
        flags += [f"--cap-drop={name}" for name in of["cap_drop"]]
        flags += [f"--security-opt={option}" for option in of["security_opt"]]
        flags += [f"--pids-limit={of['pids_limit'][0]}", f"--stop-timeout={self.grace}"]
        flags += ["--read-only-tmpfs=false"] if self.engine == "podman" else []
        return [*flags, *self.limits(), *self.places()]

    def limits(self) -> list[str]:
        """Flags for compose.yaml's limits, as far as we may set them."""
        wanted = int(self.compose["ulimits"][1].removeprefix("soft: "))
        if self.engine != "podman":
            return [f"--ulimit=nofile={wanted}:{wanted}"]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        return [f"--ulimit=nofile={wanted}:{wanted}", "--ulimit=nproc=8192:8192"]  # Podman's default may be too high

    def up(self) -> None:
        """Starts both."""
        model = [f"--volume={HERE / 'model.py'}:/model.py:ro", f"--volume={self.key}:{KEY}:ro", "--entrypoint=python"]
        publish = f"--publish=127.0.0.1::{self.port}"
        self.run("run", "-d", f"--name={MODEL}", publish, *self.limits(), *model, self.image, "/model.py")
        self.run("run", "-d", f"--name={DAEMON}", f"--network=container:{MODEL}", *self.flags(), self.image)

    def down(self) -> None:
        """Removes both, and the volumes."""
        for name in (DAEMON, MODEL):
            self.run("rm", "-f", "-v", name, check=False)
        self.run("volume", "rm", "-f", f"{DAEMON}-state", f"{DAEMON}-results", check=False)

    def healthy(self) -> bool:
        """Whether the image's own HEALTHCHECK says so, and both children serve."""
        return self.inside(*self.health_command(), check=False).returncode == 0 and self.ready()

    def health_command(self) -> list[str]:
        """The image's HEALTHCHECK."""
        found = json.loads(self.run("image", "inspect", self.image).stdout)[0]
        check = found.get("Healthcheck") or found["Config"]["Healthcheck"]  # Podman's place, Docker's
        assert check["Test"][0] == "CMD", check
        return list(check["Test"][1:])

    def status(self) -> dict[str, Any]:
        """The processes by name and the whole state, empty while nobody answers."""
        found = self.inside("claudeopsctl", "status", "--json", check=False)
        return dict(json.loads(found.stdout)) if found.returncode == 0 else {}

    def pid(self, name: str) -> int | None:
        """The pid that a child has in the container while it serves."""
        processes = self.status().get("processes", [])
        return next((p["pid"] for p in processes if p["name"] == name and p["state"] == "running"), None)

    def replaced(self, name: str) -> None:
        """Kills a child, and waits until another serves in its place."""
        old = wait_for(lambda: self.pid(name), name)
        self.inside("sh", "-c", f"kill -9 {old}")
        wait_for(lambda: self.pid(name) not in (None, old) and self.ready(), f"{name} is back")

    def table(self) -> list[list[str]]:
        """Every process in the container: pid, parent, state, command."""
        table = self.inside("ps", "axo", "pid=,ppid=,stat=,args=").stdout
        return [line.split(None, 3) for line in table.splitlines()]

    def ready(self) -> bool:
        """Whether both children serve."""
        return self.status().get("state") == "running"

    def get(self, path: str) -> str:
        """What the dashboard answers by the published port, from outside; empty unless it is 200."""
        address = self.run("port", MODEL, self.port).stdout.split()[-1]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            return ""

    def long_session(self) -> int:
        """Starts a session and waits until its tool runs; its id."""
        session = self.ctl("sessions", "trigger", "--prompt", "script long")
        wait_for(lambda: any(row[3] == "sleep 300" for row in self.table()), "the session's tool runs")
        return int(session["id"])

    def ended_by(self, stop: Callable[[], Any]) -> tuple[int, float]:
        """(exit code, seconds) of the container once `stop` was called."""
        start = time.monotonic()
        stop()
        return int(self.run("wait", DAEMON).stdout), time.monotonic() - start


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
    return value


def image(checked: Checked) -> Iterator[str]:
    """What the image is before it runs."""
    found = json.loads(checked.run("image", "inspect", checked.image).stdout)[0]
    yield f"the image has {found['Size'] / 1e6:.0f} MB"
    options = ["--rm", "--user=0", "--entrypoint=sh", f"--volume={checked.key}:/checked-key:ro", *checked.limits()]
    command = "grep -rlF -f /checked-key --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev /"
    within = checked.run("run", *options, checked.image, "-c", command, check=False)
    assert within.stdout.split() == ["/checked-key"], f"the key is in {within.stdout}{within.stderr}"
    yield "a key that lies in the checkout is not in the image"


def starts(checked: Checked) -> Iterator[str]:
    """The daemon as PID 1 with nothing that it does not need."""
    start = time.monotonic()
    checked.up()
    wait_for(checked.healthy, "healthy")
    yield f"healthy {time.monotonic() - start:.1f} s after its start"
    first = dict(re.findall(r"(\w+):\t(.*)", checked.inside("cat", "/proc/1/status").stdout))
    assert first["Uid"].split() == ["10001"] * 4, first["Uid"]
    assert first["Name"].startswith("claudeops"), first["Name"]
    assert {int(first[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}, first
    assert first["NoNewPrivs"] == "1"
    assert "Read-only" in checked.inside("touch", "/opt/claudeops/x", check=False).stderr
    yield "claudeops is PID 1, as uid 10001 without capabilities or new privileges, on a read-only root"
    health = wait_for(lambda: checked.get("/readyz") and checked.get("/healthz"), "/readyz and /healthz", 5)
    yield f"/readyz and /healthz answer by the published port: {health}"
    assert "/setup/" in checked.inside("claudeopsctl", "setup-link").stdout
    yield "exec claudeopsctl setup-link prints a link"


def session(checked: Checked) -> Iterator[str]:
    """A session of the real CLI, and where it leaves its traces."""
    found = checked.ctl("sessions", "trigger", "--prompt", "script look", "--wait")
    assert found["status"] == "completed", found
    log = checked.inside("cat", found["log_file"]).stdout
    assert found["log_file"].startswith("/results/"), found["log_file"]
    assert '\\"status\\":\\"ok\\"' in log, log[-2000:]
    row = checked.inside("python", "-c", ROW, "/state/claudeops.db").stdout
    assert f"({found['id']}, 'completed')" in row, row
    version = checked.inside("claude", "--version").stdout.split()[0]
    yield f"a session of claude {version} looked at /healthz: completed, its log in /results, its row in /state"


def killed(checked: Checked) -> Iterator[str]:
    """Children that are killed come back, sessions go on, nothing is left behind."""
    running = checked.long_session()
    checked.replaced("web")
    checked.replaced("worker")
    assert checked.ctl("sessions", "show", str(running))["status"] == "running"
    yield "web and worker come back after kill -9, and the session goes on"
    checked.inside("sh", "-c", "for i in 1 2 3; do (sleep 1.5 &) ; done")
    orphans = [row for row in checked.table() if row[3] == "sleep 1.5"]
    assert [row[1] for row in orphans] == ["1", "1", "1"], orphans
    wait_for(lambda: not {row[0] for row in checked.table()} & {row[0] for row in orphans}, "orphans are reaped")
    assert not [row for row in checked.table() if "Z" in row[2]], checked.table()
    yield "orphans go to PID 1, which reaps them; no zombie"


def secrets(checked: Checked) -> Iterator[str]:
    """Where the key must not be, while a session runs that has it."""
    grep = f"grep -rlF -f {KEY}"
    assert checked.inside("sh", "-c", f"{grep} /proc/[0-9]*/environ", check=False).stdout, "the CLI itself has it"
    found = checked.inside("sh", "-c", f"{grep} /state /results /run/claudeops /tmp /proc/[0-9]*/cmdline", check=False)
    assert not found.stdout, found.stdout
    logs = checked.run("logs", DAEMON)
    assert checked.key.read_text() not in logs.stdout + logs.stderr + checked.run("inspect", DAEMON).stdout
    yield "the key is in no command line, no file, no log"


def stops(checked: Checked) -> Iterator[str]:
    """A stop with a session running, a start on the same volumes, a death without warning, a health check after it."""
    code, took = checked.ended_by(lambda: checked.run("stop", DAEMON))
    assert (code, took < checked.grace) == (0, True), (code, took)
    yield f"SIGTERM with a session running ends with exit code 0 in {took:.1f} s (of {checked.grace} s)"
    checked.run("start", DAEMON)
    wait_for(checked.healthy, "healthy again")
    rows = [(found["id"], found["status"]) for found in checked.ctl("sessions", "list")]
    assert sorted(rows) == [(1, "completed"), (2, "interrupted")], rows
    yield "a new start on the same volumes finds the rows"
    running = checked.long_session()
    assert checked.ended_by(lambda: checked.run("kill", "--signal=KILL", DAEMON))[0] == 137
    program, *words = checked.health_command()
    lost = checked.run("run", "--rm", "--entrypoint", program, *checked.flags(), checked.image, *words, check=False)
    assert lost.returncode in (3, 4), lost
    yield f"the health check says {lost.returncode} where no daemon runs"
    checked.run("start", DAEMON)
    code, took = checked.ended_by(lambda: checked.run("kill", "--signal=TERM", DAEMON))
    assert (code, took < 5) == (0, True), (code, took)
    yield "SIGTERM at once after the start is heard too"
    checked.run("start", DAEMON)
    wait_for(checked.healthy, "healthy after kill -9 of PID 1")
    assert checked.ctl("sessions", "show", str(running))["status"] == "interrupted"
    yield "after kill -9 of PID 1 the next start marks its session interrupted"


def main() -> int:
    """Runs all checks in their order; 1 at the first that fails."""
    checked = Checked(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    checked.down()
    try:
        for part in (image, starts, session, killed, secrets, stops):
            for sentence in part(checked):
                print(f"ok  {sentence}", flush=True)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        print(f"FAILED  {part.__name__}: {error}", file=sys.stderr)
        print(checked.run("logs", DAEMON, check=False).stderr[-4000:], file=sys.stderr)
        return 1
    finally:
        checked.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
