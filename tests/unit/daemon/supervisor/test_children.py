"""What a child says on its channel, whatever it says, and what it is told."""

import json
import os
import socket
from collections.abc import Iterator

import pytest

from daemon.supervisor import children
from daemon.supervisor.children import Child, Message, Program
from daemon.supervisor.rules import ProcessState, TransitionError

NOTHING = Program(["/nowhere/python"], dict, {})


@pytest.fixture
def pair() -> Iterator[tuple[Child, socket.socket]]:
    """A child of which only the channel is real, and the child's end."""
    child = Child("web", NOTHING)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    child.channel = ours
    yield child, theirs
    child.hang_up()
    theirs.close()


def is_open(child: Child) -> bool:
    return child.channel is not None


def test_lines_come_as_messages_however_they_are_cut(pair: tuple[Child, socket.socket]) -> None:
    child, theirs = pair
    found: list[Message] = []
    for byte in b'{"beat":1}\n{"beat":2}\n':
        theirs.send(bytes([byte]))
        found += child.messages()
    assert found == [{"beat": 1}, {"beat": 2}]


@pytest.mark.parametrize("garbage", [b"no json", b"[1]", b"3", b"\xff\xfe\x00", b"", b'{"a":', b"[" * 100_000])
def test_garbage_is_told_of_and_left_out(
    pair: tuple[Child, socket.socket], garbage: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    child, theirs = pair
    theirs.send(garbage + b'\n{"beat":1}\n')
    assert child.messages(to_the_end=True) == [{"beat": 1}]
    assert "web: not a message" in capfd.readouterr().err
    assert is_open(child)


def test_a_line_without_end_is_left_out_whole_and_what_follows_is_heard(
    pair: tuple[Child, socket.socket], capfd: pytest.CaptureFixture[str]
) -> None:
    child, theirs = pair
    found: list[Message] = []
    for _ in range(3 * children.LINE_MAX // 50_000):
        theirs.send(b"x" * 50_000)
        found += child.messages(to_the_end=True)
        assert len(child._heard) <= children.LINE_MAX
    theirs.send(b'{"beat":0}\n{"beat":1}\n')
    found += child.messages(to_the_end=True)
    assert found == [{"beat": 1}]
    assert capfd.readouterr().err.count("has no end") == 1


def test_one_that_never_stops_talking_does_not_keep_the_loop(pair: tuple[Child, socket.socket]) -> None:
    child, theirs = pair
    while True:
        try:
            theirs.send(b'{"beat":1}\n' * 1000)
        except BlockingIOError:
            break
    assert len(child.messages()) * len('{"beat":1}\n') <= 65536
    assert len(child.messages(to_the_end=True)) > 1000


def test_a_channel_that_ends_is_closed(pair: tuple[Child, socket.socket]) -> None:
    child, theirs = pair
    theirs.send(b'{"beat":1}\n')
    theirs.close()
    assert child.messages(to_the_end=True) == [{"beat": 1}]
    assert not is_open(child)
    child.tell({"command": "stop"})


def test_what_the_channel_does_not_take_at_once_is_said_later(pair: tuple[Child, socket.socket]) -> None:
    child, theirs = pair
    big: Message = {"command": "reload", "environment": {"A": "x" * 1_000_000}}
    child.tell(big)
    child.tell({"command": "stop"})
    assert child.waits()
    heard = b""
    while child.waits():
        heard += theirs.recv(1 << 20)
        child.say()
    heard += theirs.recv(1 << 20)
    assert [json.loads(line) for line in heard.splitlines()] == [big, {"command": "stop"}]


def test_one_that_reads_nothing_is_hung_up_on_before_it_costs_much(
    pair: tuple[Child, socket.socket], capfd: pytest.CaptureFixture[str]
) -> None:
    child, _ = pair
    for _ in range(200):
        child.tell({"processes": "x" * 100_000})
    assert not is_open(child)
    assert "does not read its channel" in capfd.readouterr().err


def test_without_a_process_there_is_nobody_to_signal_or_to_kill() -> None:
    child = Child("web", NOTHING)
    child.kill_at = 0.0
    child.signal(9)
    child.kill_if_due(1.0)
    child.stop(0.0, sessions="end", again=False)
    assert child.state is ProcessState.STOPPED


@pytest.mark.parametrize(
    ("status", "text"),
    [(0, "exit code 0"), (3 << 8, "exit code 3"), (9, "SIGKILL"), (6 | 0x80, "SIGABRT"), (40, "signal 40")],
)
def test_an_end_is_told_in_words(status: int, text: str) -> None:
    child = Child("web", NOTHING)
    child.pid, child.kill_at = 4711, 5.0
    child.ended(status)
    assert vars(child).items() >= {"last_exit": text, "pid": None, "kill_at": None}.items()


def test_a_state_that_can_not_follow_changes_nothing() -> None:
    child = Child("web", NOTHING)
    with pytest.raises(TransitionError):
        child.become(ProcessState.RUNNING)
    assert child.state is ProcessState.STOPPED


def test_a_fork_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    child = Child("web", NOTHING)
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(BlockingIOError):
            child.start(0.0)
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert (child.pid, child.channel, child.state) == (None, None, ProcessState.STOPPED)


def test_a_flood_of_garbage_is_told_of_a_few_times(
    pair: tuple[Child, socket.socket], capfd: pytest.CaptureFixture[str]
) -> None:
    child, theirs = pair
    theirs.send(b"garbage\n" * 1000)
    assert child.messages(to_the_end=True) == []
    assert capfd.readouterr().err.count("\n") == children.GARBAGE_LINES
