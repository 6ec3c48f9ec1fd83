"""The lock and the listening sockets: who is in the way is named, and only a socket is ever removed."""

import os
import socket
import stat
from pathlib import Path

import pytest

from daemon.supervisor import places


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """A directory whose path is short enough for sockets."""
    assert len(str(tmp_path)) < 90
    return tmp_path


def test_the_lock_makes_its_directory_for_user_and_group_alone(near: Path) -> None:
    lock = places.take_lock(near / "deep" / "run")
    places.write_pid(lock)
    assert stat.S_IMODE((near / "deep" / "run").stat().st_mode) == 0o750
    assert stat.S_IMODE((near / "deep" / "run" / "lock").stat().st_mode) == 0o640
    assert (near / "deep" / "run" / "lock").read_text() == f"{os.getpid()}\n"
    assert not os.get_inheritable(lock)
    os.close(lock)


def test_a_second_lock_is_refused_with_the_holders_pid_and_changes_nothing(near: Path) -> None:
    lock = places.take_lock(near)
    places.write_pid(lock)
    before = (near / "lock").stat()
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(places.LockHeldError, match=f"already runs with {near} .pid {os.getpid()}"):
        places.take_lock(near)
    after = (near / "lock").stat()
    assert (before.st_ino, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )
    assert len(os.listdir("/proc/self/fd")) == descriptors
    os.close(lock)


def test_a_lock_file_that_nobody_holds_is_taken_over_whatever_it_says(near: Path) -> None:
    (near / "lock").write_text(f"{os.getpid()} and much more text than a pid has\n")
    lock = places.take_lock(near)
    places.write_pid(lock)
    assert (near / "lock").read_text() == f"{os.getpid()}\n"
    os.close(lock)


def test_the_state_directory_has_a_lock_of_its_own_that_says_whose_it_is(near: Path) -> None:
    lock = places.take_state(near / "deep" / "state", near / "run")
    file = near / "deep" / "state" / "daemon.lock"
    assert file.read_text() == f"{os.getpid()}\n{near / 'run'}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not os.get_inheritable(lock)
    wanted = f"works on the state directory {near}/deep/state .pid {os.getpid()}, runtime directory {near}/run.; stop"
    with pytest.raises(places.LockHeldError, match=wanted):
        places.take_state(near / "deep" / "state", near / "other")
    assert file.read_text() == f"{os.getpid()}\n{near / 'run'}\n"
    os.close(lock)
    os.close(places.take_state(near / "deep" / "state", near / "other"))


def test_a_state_directory_that_is_a_file_is_named(near: Path) -> None:
    (near / "state").write_text("")
    with pytest.raises(places.PlaceError, match=f"CLAUDEOPS_STATE_DIR: {near}/state can't be used"):
        places.take_state(near / "state", near / "run")


def test_a_runtime_directory_that_is_a_file_is_named(near: Path) -> None:
    (near / "run").write_text("")
    with pytest.raises(places.PlaceError, match=f"CLAUDEOPS_RUNTIME_DIR: {near}/run can't be used"):
        places.take_lock(near / "run")


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_lock_that_is_no_file_is_refused_and_stays(near: Path, kind: str) -> None:
    (near / "victim").write_text("precious")
    if kind == "link":
        (near / "lock").symlink_to(near / "victim")
    elif kind == "pipe":
        os.mkfifo(near / "lock")
    else:
        (near / "lock").mkdir()
    with pytest.raises(places.PlaceError):
        places.take_lock(near)
    assert (near / "victim").read_text() == "precious"
    assert (near / "lock").lstat()


def test_a_directory_that_anybody_may_write_to_is_refused(near: Path) -> None:
    near.chmod(0o777)
    with pytest.raises(places.PlaceError, match=f"{near} may be written to by anybody"):
        places.take_lock(near)
    assert not (near / "lock").exists()


def test_a_directory_of_another_user_is_refused(near: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid() or 4711
    if os.geteuid() == 0:
        os.chown(near, owner, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(places.PlaceError, match=f"belongs to uid {owner}"):
        places.take_lock(near)


def test_a_lock_that_can_not_be_written_to_is_told_in_a_sentence() -> None:
    full = os.open("/dev/full", os.O_RDWR)
    try:
        with pytest.raises(places.PlaceError, match="can't write to the lock file"):
            places.write_pid(full)
    finally:
        os.close(full)


def test_a_socket_is_for_user_and_group(near: Path) -> None:
    descriptor = places.listen_unix(near / "rpc.sock")
    assert stat.S_IMODE((near / "rpc.sock").stat().st_mode) == 0o660
    assert not os.get_inheritable(descriptor)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(near / "rpc.sock"))
    os.close(descriptor)


def test_a_stale_socket_makes_room(near: Path) -> None:
    os.close(places.listen_unix(near / "rpc.sock"))
    assert (near / "rpc.sock").is_socket()
    descriptor = places.listen_unix(near / "rpc.sock")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(near / "rpc.sock"))
    os.close(descriptor)


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_whatever_is_no_socket_stays_and_is_named(near: Path, kind: str) -> None:
    path = near / "rpc.sock"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        (near / "elsewhere").write_text("precious")
        path.symlink_to(near / "elsewhere")
    with pytest.raises(places.PlaceError, match=f"{path} is in the way"):
        places.listen_unix(path)
    assert path.is_dir() if kind == "directory" else path.read_text() == "precious"


def test_a_path_of_107_bytes_is_possible_and_one_of_108_is_named(near: Path) -> None:
    room = 107 - len(os.fsencode(near)) - len("/") - len("/rpc.sock")
    assert room > 0
    longest, too_long = near / ("d" * room) / "rpc.sock", near / ("d" * (room + 1)) / "rpc.sock"
    longest.parent.mkdir()
    os.close(places.listen_unix(longest))
    with pytest.raises(places.PlaceError, match="has 108 bytes, and a socket's path may have 107") as raised:
        places.listen_unix(too_long)
    assert str(too_long) in str(raised.value)


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            places.PlaceError,
            match=f"CLAUDEOPS_DASHBOARD_PORT: can't listen on 127.0.0.1:{port}.*another program has it",
        ):
            places.listen_http("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_this_hosts_is_named_with_what_to_do(host: str) -> None:
    with pytest.raises(
        places.PlaceError, match=f"CLAUDEOPS_DASHBOARD_HOST: can't listen on {host}:.*; write an address"
    ):
        places.listen_http(host, 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_address_is_one_that_a_browser_on_this_host_reaches(host: str, shown: str) -> None:
    if ":" in host and not Path("/proc/net/if_inet6").exists():
        pytest.fail("this machine has no IPv6; run the tests where there is a loopback ::1")
    descriptor = places.listen_http(host, 0)
    assert places.address_of(descriptor).startswith(f"http://{shown}:")
    os.close(descriptor)


def test_a_socket_of_systemd_is_taken_only_if_it_is_meant_for_this_process() -> None:
    assert places.from_systemd({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) is None
    assert places.from_systemd({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"}) is None
    assert places.from_systemd({"LISTEN_PID": str(os.getpid())}) is None
    assert places.from_systemd({}) is None
