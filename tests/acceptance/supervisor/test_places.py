"""What lies where the daemon wants to be: old files, other daemons, strangers' files, paths that can't be."""

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from daemon import procfs
from tests.acceptance.harness import ROOT, Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import another, patched, sockets

OUTLIVE = """
if MODULE == "daemon.worker":
    import ctypes
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # no signal when the parent ends
"""


def test_a_second_daemon_exits_75_and_touches_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        before, file = sockets(daemon), (daemon.runtime / "lock").read_text()
        found = another(daemon)
        assert found.returncode == 75
        assert f"a daemon already runs with {daemon.runtime} (pid {daemon.pid('supervisor')})" in found.stderr
        assert sockets(daemon) == before
        assert (daemon.runtime / "lock").read_text() == file
        assert daemon.json("status")["state"] == "running"


def test_a_second_daemon_with_another_runtime_directory_keeps_off_the_same_state(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        second = Daemon(tmp_path)
        try:
            worker, lock = daemon.pid("worker"), (daemon.state / "daemon.lock").read_text()
            found = another(second)
            assert found.returncode == 75
            told = f"another daemon works on the state directory {daemon.state} (pid {daemon.pid('supervisor')}"
            assert f"{told}, runtime directory {daemon.runtime}); stop that one" in found.stderr
            assert not (second.runtime / "rpc.sock").exists()
            assert (daemon.state / "daemon.lock").read_text() == lock
            # Whoever looks by the second one's settings is told where the daemon is.
            looked = {item["name"]: item for item in second.json("doctor", check=False)["findings"]}
            assert looked["writers"]["level"] == "error"
            assert f"a daemon with the runtime directory {daemon.runtime}" in looked["writers"]["text"]
            looked = {item["name"]: item for item in daemon.json("doctor", check=False)["findings"]}
            assert looked["writers"]["level"] == "ok"
            # And can't put another database in its place.
            made = daemon.json("backup")
            refused = second.ctl("restore", made["path"], check=False)
            assert refused.returncode == 1
            assert str(daemon.runtime) in refused.stderr
            # It is held across an upgrade in place, and free after the end.
            daemon.kill("supervisor", signal.SIGUSR2)
            daemon.wait_replaced("worker", worker)
            assert another(second).returncode == 75
            assert daemon.stop() == 0
            second.start()
            assert second.json("status")["state"] == "running"
            assert second.stop() == 0
        finally:
            second.close()


def test_no_second_worker_while_one_lives_whose_supervisor_is_gone(tmp_path: Path) -> None:
    """The lock is the worker's too: one that outlives its supervisor, as a process in a stuck disk's wait would."""
    with running(tmp_path, **patched(tmp_path / "hooks", OUTLIVE)) as daemon:
        worker, supervisor = daemon.pid("worker"), daemon.pid("supervisor")
        before = sockets(daemon)
        daemon.kill("supervisor")
        assert daemon.process is not None
        daemon.process.wait(5)
        try:
            assert alive(worker)
            found = another(daemon, PYTHONPATH=str(ROOT))
            assert found.returncode == 75
            assert f"(pid {supervisor})" in found.stderr
            assert sockets(daemon) == before
        finally:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not alive(worker), 5)
        daemon.start()


def test_whatever_a_daemon_that_was_killed_has_left_lying_is_no_obstacle(daemon: Daemon) -> None:
    """Stale sockets, a lock file with somebody else's pid, a status file, a run whose pid is somebody else's now."""
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        daemon.start()
        daemon.kill("supervisor")
        assert daemon.process is not None
        daemon.process.wait(5)
        (daemon.runtime / "lock").write_text(f"{innocent.pid}\n")
        run = daemon.state / "runs" / "20260101-000000-old"
        run.mkdir(parents=True)
        started = procfs.start_time(innocent.pid)
        assert started is not None
        facts = {"pid": innocent.pid, "start_time": started - 1, "command_pid": innocent.pid, "command_start_time": 1}
        (run / "shim.json").write_text(json.dumps(facts))
        (daemon.state / "runs" / "torn").mkdir()
        (daemon.state / "runs" / "torn" / "shim.json").write_text('{"pid":')
        daemon.start()
        assert (daemon.runtime / "lock").read_text() == f"{daemon.process.pid}\n"
        assert daemon.stop() == 0
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("name", ["rpc.sock", "pub.sock"])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_is_no_socket_is_never_removed(daemon: Daemon, name: str, kind: str) -> None:
    path = daemon.runtime / name
    daemon.directory.mkdir()
    if kind == "file":
        path.write_text("precious")
    else:
        path.mkdir()
    found = another(daemon)
    assert found.returncode == 78
    assert f"{path} is in the way" in found.stderr
    assert path.is_dir() if kind == "directory" else path.read_text() == "precious"


def test_a_runtime_directory_that_is_too_deep_for_sockets_is_named(daemon: Daemon) -> None:
    daemon.directory.mkdir()
    deep = daemon.runtime / ("d" * 100)
    found = another(daemon, CLAUDEOPS_RUNTIME_DIR=str(deep))
    assert found.returncode == 78
    assert str(deep / "rpc.sock") in found.stderr
    assert "107" in found.stderr


def test_a_port_that_is_taken_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with running(tmp_path / "first") as first:
        second = Daemon(tmp_path / "second", CLAUDEOPS_DASHBOARD_PORT=str(first.port))
        try:
            second.directory.mkdir()
            found = another(second)
            assert found.returncode == 78
            assert f"127.0.0.1:{first.port}" in found.stderr
            assert second.left_over() == []
        finally:
            second.close()


def test_the_places_are_for_user_and_group_alone(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    daemon.runtime.rmdir()  # so that the daemon makes it
    try:
        daemon.start()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (daemon.runtime, *daemon.runtime.iterdir())}
        assert modes == {daemon.runtime.name: 0o750, "lock": 0o640, "status.json": 0o640, "rpc.sock": 0o660,
                         "pub.sock": 0o660}  # fmt: skip
        held = set()
        for descriptor in Path(f"/proc/{daemon.pid('web')}/fd").iterdir():
            held.add(os.readlink(descriptor))
        assert str(daemon.runtime / "lock") not in held
    finally:
        daemon.close()


def test_the_status_file_is_never_half(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        old = daemon.kill("web")
        end = time.monotonic() + 1.0
        reads = 0
        while time.monotonic() < end:
            assert json.loads((daemon.runtime / "status.json").read_bytes())["pid"] == daemon.pid("supervisor")
            reads += 1
        assert reads > 10
        wait_for(lambda: daemon.process_of("web")["pid"] not in (None, old), 10)
