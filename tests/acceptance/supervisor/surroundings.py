"""What a daemon is put into to see how its supervisor copes: a pid namespace, a systemd, a patched Python."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path
from types import TracebackType

from tests.acceptance.harness import FAKE_CLAUDE, ROOT, Daemon, wait_for


def children_of(pid: int) -> list[tuple[int, str]]:
    """(pid, state) of each child of a process, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(fields[1]) == pid:
                    found.append((int(entry.name), fields[0]))
    return found


def descriptors(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def patched(directory: Path, text: str) -> dict[str, str]:
    """The environment that has every Python of a daemon run `text` first; `MODULE` in it is what -m names.

    For faults that no kernel gives on demand. `HERE` is the directory, for files that tell the text what to do.
    """
    directory.mkdir(parents=True, exist_ok=True)
    module = "sys.orig_argv[sys.orig_argv.index('-m') + 1] if '-m' in sys.orig_argv else ''"
    head = f"import sys\nHERE = {str(directory)!r}\nMODULE = {module}\n"
    (directory / "sitecustomize.py").write_text(head + text)
    return {"PYTHONPATH": f"{directory}:{ROOT}"}


def sockets(daemon: Daemon) -> dict[str, tuple[int, int]]:
    """(inode, mode) of the lock and the sockets."""
    return {name: ((daemon.runtime / name).stat().st_ino, (daemon.runtime / name).stat().st_mode)
            for name in ("lock", "rpc.sock", "pub.sock")}  # fmt: skip


def another(daemon: Daemon, **environment: str) -> subprocess.CompletedProcess[str]:
    """Starts a daemon beside one, in the same places, and waits for its end."""
    return subprocess.run(
        [sys.executable, "-m", "daemon"], env={**daemon.environment, **environment}, cwd=ROOT, capture_output=True,
        text=True, timeout=30, check=False,
    )  # fmt: skip


class Systemd:
    """Listens as systemd does on $NOTIFY_SOCKET. `heard` has (monotonic seconds, assignments) of each datagram."""

    def __init__(self, directory: Path) -> None:
        self.heard: list[tuple[float, dict[str, str]]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = str(directory / "notify")
        self._socket.bind(self.name)
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        while data := self._socket.recv(65536):
            lines = dict(line.split("=", 1) for line in data.decode().split("\n"))
            self.heard.append((time.monotonic(), lines))

    def __enter__(self) -> "Systemd":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.name)
        self._thread.join()
        self._socket.close()

    def times(self, name: str) -> list[float]:
        """When it heard an assignment of `name`."""
        return [at for at, lines in self.heard if name in lines]

    def wait_more(self, name: str, than: int) -> None:
        """Waits for an assignment of `name` beyond the first `than`."""
        wait_for(lambda: len(self.times(name)) > than, 10, name)

    def values(self, name: str) -> list[str]:
        """What it heard of `name`."""
        return [lines[name] for _, lines in self.heard if name in lines]


class FirstProcess(Daemon):
    """A daemon that is PID 1 of a namespace of its own, as in a container. Its pids are those of the namespace."""

    first = 0

    def start(self, *, wait: bool = True, cwd: Path = ROOT) -> "FirstProcess":
        """Starts it; `first` is the pid that it has outside."""
        self.directory.mkdir(parents=True, exist_ok=True)
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-m", "daemon"],
                env=self.environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        unshare = self.process.pid
        self.first = wait_for(lambda: children_of(unshare), 10, f"unshare: {self.log()}")[0][0]
        if wait:
            self.wait_running()
        return self

    def serves(self) -> bool:
        """Whether both children serve."""
        return self.file().get("pid") == 1 and self.file().get("state") == "running"

    def inside(self, command: str) -> None:
        """Runs a shell command in the namespace."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        subprocess.run(
            ["nsenter", "-t", str(self.first), *user, "-p", "-m", "sh", "-c", command], check=True, timeout=20
        )

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM to PID 1; its exit code, which unshare passes on."""
        assert self.process is not None
        os.kill(self.first, signal.SIGTERM)
        return self.process.wait(seconds)


class Unprivileged(FirstProcess):
    """PIDs as above, and the daemon is neither root nor has it any capability: as the container runs it.

    Root starts it in mounts of its own, through which another user can reach an interpreter that may lie in root's
    home; anyone else is unprivileged as it is.
    """

    UID = 10001

    def start(self, *, wait: bool = True, cwd: Path = ROOT) -> "Unprivileged":
        """Starts it; `first` is the pid that it has outside."""
        if os.geteuid() != 0:
            super().start(wait=wait, cwd=cwd)
            return self
        os.chown(self.runtime, self.UID, self.UID)
        self.directory.mkdir(parents=True, exist_ok=True)
        os.chown(self.directory, self.UID, self.UID)
        reach = self.directory / "reach"
        binds = {"python": sys.base_prefix, "site": sysconfig.get_path("purelib"), "project": str(ROOT)}
        for name in binds:
            (reach / name).mkdir(parents=True, exist_ok=True)
        python = reach / "python" / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.environment |= {
            "PATH": f"{reach}/python/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{reach}/project:{reach}/site",
            "CLAUDEOPS_CLAUDE_BIN": str(reach / "project" / FAKE_CLAUDE.relative_to(ROOT)),
        }
        mounts = " && ".join(f"mount --bind {source} {reach}/{name}" for name, source in binds.items())
        if sys.base_prefix.startswith("/root/"):
            # It looks for its shared library at its own path, and would else find the system's, of another release.
            mounts += (
                f" && mount -t tmpfs -o mode=755 tmpfs /root && mkdir -p {sys.base_prefix}"
                f" && mount --bind {reach}/python {sys.base_prefix}"
            )
        as_user = (
            f"setpriv --reuid {self.UID} --regid {self.UID} --clear-groups --inh-caps=-all --bounding-set=-all"
            f" --no-new-privs {python} -m daemon"
        )
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", f"{mounts} && exec {as_user}"],
                env=self.environment, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        unshare = self.process.pid
        self.first = wait_for(lambda: children_of(unshare), 10, f"unshare: {self.log()}")[0][0]
        if wait:
            self.wait_running()
        return self
