"""The whole daemon in a directory of its own, as a stranger runs it: processes, sockets, a dashboard on a free port.

Everything that a test starts is in here, so that everything can be ended: the daemon, and whatever it leaves behind.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FAKE_CLAUDE = ROOT / "tests" / "fakes" / "claude"
KEY = "sk-made-up-0123456789abcdef"


def wait_for(condition: Callable[[], Any], seconds: float = 15.0, what: str = "") -> Any:
    """The first true value of `condition`; AssertionError with `what` if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        # A question that starts a program would else keep a processor from what is waited for.
        time.sleep(min(max(0.02, 3 * (now - began)), 0.4))


def alive(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class Daemon:
    """One daemon. `start` it, ask it, break it, `stop` it; `close` ends whatever is left."""

    def __init__(self, directory: Path, **environment: str) -> None:
        # A socket's path has at most 107 bytes, and a test's directory may be long.
        self.runtime = Path(tempfile.mkdtemp(prefix="co-"))
        self.directory = directory
        self.state = directory / "state"
        self.results = directory / "results"
        self.output = directory / "daemon.log"
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "CLAUDEOPS_STATE_DIR": str(self.state),
            "CLAUDEOPS_RESULTS_DIR": str(self.results),
            "CLAUDEOPS_RUNTIME_DIR": str(self.runtime),
            "CLAUDEOPS_DASHBOARD_HOST": "127.0.0.1",
            "CLAUDEOPS_DASHBOARD_PORT": "0",
            "CLAUDEOPS_CLAUDE_BIN": str(FAKE_CLAUDE),
            "CLAUDEOPS_SCHEDULE_ENABLED": "false",
            "CLAUDEOPS_STOP_GRACE_INT": "1",
            "CLAUDEOPS_STOP_GRACE_TERM": "1",
            "CLAUDEOPS_RESTART_LIMIT": "1000",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            **environment,
        }
        self.command = [sys.executable, "-m", "daemon"]
        self.flags: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.cookie = ""
        self.csrf = ""

    def start(self, *, wait: bool = True, cwd: Path = ROOT) -> "Daemon":
        """Starts it; with `wait`, returns once both children serve."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.process is not None:
            self.process.wait(10)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.command, *self.flags],
                env=self.environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if wait:
            self.wait_running()
        return self

    def wait_running(self, seconds: float = 30.0) -> None:
        """Waits until both children serve."""
        try:
            # The file of a daemon that was killed lies there still.
            wait_for(self.serves, seconds, "state running")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-4000:]}") from None

    def serves(self) -> bool:
        """Whether both children of this daemon serve."""
        file = self.file()
        return self.process is not None and file.get("pid") == self.process.pid and file.get("state") == "running"

    def log(self) -> str:
        """What it has said on standard error."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def file(self) -> dict[str, Any]:
        """The status file, empty while there is none."""
        try:
            found = json.loads((self.runtime / "status.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def process_of(self, name: str) -> dict[str, Any]:
        """A process of it, as the status file has it."""
        return next((process for process in self.file().get("processes", []) if process["name"] == name), {})

    def pid(self, name: str) -> int:
        """The pid of a process that runs."""
        return int(wait_for(lambda: self.process_of(name).get("pid"), 20, f"a pid of {name}"))

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """Sends a signal to a process of it; the pid it had."""
        pid = self.pid(name)
        os.kill(pid, signum)
        return pid

    def wait_replaced(self, name: str, old: int, seconds: float = 20.0) -> int:
        """Waits for another process in the place of `old` that serves; its pid."""

        def replaced() -> int | None:
            process = self.process_of(name)
            return process["pid"] if process.get("pid") not in (None, old) and process["state"] == "running" else None

        return int(wait_for(replaced, seconds, f"{name} {old} replaced"))

    def ctl(self, *arguments: str, check: bool = True, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Runs claudeopsctl."""
        found = subprocess.run(
            [sys.executable, "-m", "ipc.ctl", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if check and found.returncode != 0:
            raise AssertionError(f"{arguments}: {found.returncode}\n{found.stdout}{found.stderr}\n{self.log()[-3000:]}")
        return found

    def json(self, *arguments: str, check: bool = True) -> Any:
        """What claudeopsctl answers with --json."""
        return json.loads(self.ctl(*arguments, "--json", check=check).stdout)

    def trigger(self, tier: int = 1, **plan: Any) -> dict[str, Any]:
        """Starts a session of the fake CLI that does what `plan` says."""
        found = self.json("sessions", "trigger", "--tier", str(tier), "--prompt", json.dumps(plan))
        assert isinstance(found, dict)
        return found

    def session(self, id_: int) -> dict[str, Any]:
        """A session as claudeopsctl shows it."""
        found = self.json("sessions", "show", str(id_))
        assert isinstance(found, dict)
        return found

    def wait_ended(self, id_: int, seconds: float = 60.0) -> dict[str, Any]:
        """Waits until a session is over."""

        def ended() -> dict[str, Any] | None:
            found = self.ctl("sessions", "show", str(id_), "--json", check=False)
            if found.returncode != 0:
                return None
            session = json.loads(found.stdout)
            return session if session["status"] != "running" else None

        found = wait_for(ended, seconds, f"the end of session {id_}")
        assert isinstance(found, dict)
        return found

    def run_pids(self, session: dict[str, Any]) -> tuple[int, int]:
        """(shim, command) of a running session."""
        path = self.state / "runs" / session["run_id"] / "shim.json"
        facts = json.loads(wait_for(lambda: path.exists() and path.read_text(), 10, "shim.json"))
        return facts["pid"], facts["command_pid"]

    def left_over(self) -> list[int]:
        """Processes that belong to this daemon: its directories are in their environment, or they hold a file there.

        A process that has given itself a title has written it over its environment; a shim has none from the start.
        """
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if pid != os.getpid() and self._owns(pid) and alive(pid)]

    def _owns(self, pid: int) -> bool:
        places = (f"{self.state}/", f"{self.results}/", str(self.output))
        with contextlib.suppress(OSError):
            if str(self.state).encode() in Path(f"/proc/{pid}/environ").read_bytes():
                return True
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith(places):
                        return True
        return False

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(seconds)

    def close(self) -> None:
        """Ends whatever is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for _ in range(50):
            left = self.left_over()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.02)
        shutil.rmtree(self.runtime, ignore_errors=True)

    @property
    def port(self) -> int:
        """The dashboard's port."""
        return int(str(wait_for(lambda: self.file().get("address"), 10, "an address")).rpartition(":")[2])

    def request(
        self,
        method: str,
        path: str,
        body: str | bytes = "",
        headers: dict[str, str] | None = None,
        timeout: float = 15.0,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request to the dashboard, signed in if `sign_in` was called."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = {"Cookie": self.cookie} if self.cookie else {}
            if body:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
                sent["Origin"] = f"http://127.0.0.1:{self.port}"
            connection.request(method, path, body or None, {**sent, **(headers or {})})
            response = connection.getresponse()
            found: dict[str, str] = {}
            for name, value in response.getheaders():
                found[name] = f"{found[name]}\n{value}" if name in found else value  # each cookie comes by itself
            return response.status, found, response.read()
        finally:
            connection.close()

    def sign_in(self, path: str = "") -> "Daemon":
        """Makes an admin by a setup link (`path` of one, or a fresh one), and is signed in as that from now on."""
        path = path or "/" + self.ctl("setup-link").stdout.strip().split("/", 3)[3]
        status, headers, body = self.request("GET", path)
        assert status == 200, body[:500]
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body.decode()))
        form |= {"name": "ada", "password": "correct horse battery", "password_again": "correct horse battery"}
        self.cookie = headers.get("Set-Cookie", "").split(";")[0]
        status, headers, body = self.request("POST", "/setup", urllib.parse.urlencode(form))
        assert status == 303, (status, body[:500])
        self.cookie = headers["Set-Cookie"].split(";")[0]
        return self


@contextlib.contextmanager
def running(directory: Path, **environment: str) -> Iterator[Daemon]:
    """A daemon that runs, and is ended whatever happens."""
    daemon = Daemon(directory, **environment)
    try:
        yield daemon.start()
    finally:
        daemon.close()
