"""What systemd is told, over a real datagram socket."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.supervisor.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd has it, and its name as $NOTIFY_SOCKET gives it."""
    name = str(tmp_path / "n") if request.param == "path" else f"@claudeops-test-{tmp_path.name}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        listening.setblocking(False)
        yield listening, name


def test_assignments_of_one_call_come_in_one_datagram(systemd: tuple[socket.socket, str]) -> None:
    listening, name = systemd
    Notifier(name).send("READY=1", "MAINPID=7")
    assert listening.recv(4096) == b"READY=1\nMAINPID=7"


def test_a_status_is_sent_only_when_it_has_changed(systemd: tuple[socket.socket, str]) -> None:
    listening, name = systemd
    notifier = Notifier(name)
    for text in ("running", "running", "degraded"):
        notifier.status(text)
    assert [listening.recv(4096), listening.recv(4096)] == [b"STATUS=running", b"STATUS=degraded"]
    with pytest.raises(BlockingIOError):
        listening.recv(4096)


def test_a_line_end_in_a_status_does_not_begin_another_assignment(systemd: tuple[socket.socket, str]) -> None:
    listening, name = systemd
    Notifier(name).status("disk full\nMAINPID=1")
    assert listening.recv(4096) == b"STATUS=disk full MAINPID=1"


def test_a_reload_carries_the_time_at_which_it_began(systemd: tuple[socket.socket, str]) -> None:
    listening, name = systemd
    before = time.monotonic_ns() // 1000
    Notifier(name).reloading()
    first, second = listening.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_without_systemd_nothing_is_said() -> None:
    Notifier("").send("READY=1")


def test_a_systemd_that_is_gone_is_told_of_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    notifier.send("READY=1")
    notifier.send("READY=1")
    assert capfd.readouterr().err.count("systemd can't be told") == 1


def test_a_systemd_that_does_not_read_holds_nobody_for_long(
    systemd: tuple[socket.socket, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.supervisor.notify.SEND_SECONDS", 0.05)
    _, name = systemd
    notifier = Notifier(name)
    began = time.monotonic()
    for _ in range(600):
        notifier.send("STATUS=" + "x" * 1000)
        if "can't be told" in capfd.readouterr().err:
            break
    else:
        pytest.fail("the queue never filled up")
    assert time.monotonic() - began < 5
