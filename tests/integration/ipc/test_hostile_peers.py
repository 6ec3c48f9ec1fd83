"""A local peer that means harm: another user, garbage, frames too large, connections that never say a word.

The worker is a process of its own, so that a crash would show: the same process serves at the end of each test.
"""

import json
import os
import random
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from ipc import codec
from ipc.errors import CallError
from ipc.messages.envelope import Reply
from tests.fixtures.strangers import as_nobody
from tests.integration.ctl.stage import Stage, wait_for


@pytest.fixture
def served() -> Iterator[Stage]:
    """A worker that serves; at the end, still the same one."""
    stage = Stage()
    try:
        stage.hold_lock()
        stage.listen()
        stage.start_worker()
        yield stage
        assert status_of(stage)["processes"][0]["pid"] == stage.worker.pid  # type: ignore[union-attr]
    finally:
        stage.close()


def connect(stage: Stage, context: "zmq.Context[Any]") -> "zmq.Socket[bytes]":
    peer: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    peer.linger = 0
    peer.connect(f"ipc://{stage.runtime}/rpc.sock")
    return peer


def status_of(stage: Stage) -> Any:
    """The worker's answer to somebody who behaves."""
    with zmq.Context() as context, connect(stage, context) as peer:
        peer.send(b'[1,"req","status","x",0,0,"",{}]')
        assert peer.poll(10_000), "the worker does not answer any more"
        return json.loads(peer.recv())[7]


def raw(stage: Stage) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    found.connect(str(stage.runtime / "rpc.sock"))  # waits while the queue is full, which with a timeout it would not
    found.settimeout(10)
    return found


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_another_user_does_not_get_through_the_directory(served: Stage) -> None:
    served.runtime.chmod(0o750)
    assert as_nobody(served.runtime, served.environment) == "nothing"
    assert served.calls("sessions.trigger") == []


def test_another_user_who_gets_through_is_refused_by_the_uid_that_the_kernel_tells(served: Stage) -> None:
    served.runtime.chmod(0o755)
    (served.runtime / "rpc.sock").chmod(0o666)
    _, kind, _, id_, *_, body = json.loads(as_nobody(served.runtime, served.environment))
    assert (kind, id_, body["code"]) == ("err", "x", "forbidden")
    assert body["message"] == "uid 65534 may not command this daemon"
    assert served.calls("sessions.trigger") == []
    assert not (served.runtime / "effects").exists()


def test_garbage_in_frames_harms_nobody(served: Stage) -> None:
    chance = random.Random(26)  # the same garbage every time
    nested = b'[1,"req","status","x",0,0,"",' + b"[" * 400_000 + b"]" * 400_000 + b"]"
    with zmq.Context() as context, connect(served, context) as peer:
        peer.sndhwm = peer.rcvhwm = 0
        for _ in range(500):
            peer.send(chance.randbytes(chance.randrange(0, 2000)))
            peer.send(b"[" + chance.randbytes(20))
        peer.send(nested)
        peer.send(b"\x98\x01\xa3req\xa6status\xa1x\x00\x00\xa0" + b"\x91" * 400_000 + b"\xc0")
        peer.send_multipart([b"", b"", b"many", b"parts", b""])
        peer.send_multipart([chance.randbytes(10) for _ in range(1000)])
        answers = []
        while peer.poll(1000):
            answers.append(peer.recv_multipart()[-1])
    assert len(answers) == 1004
    for frame in answers:
        with pytest.raises(CallError, match=r"."):
            codec.read_reply(codec.open_envelope(frame), Reply, json=codec.is_json(frame))
    assert served.calls() == []


def test_bytes_that_are_not_even_zmq_harm_nobody(served: Stage) -> None:
    chance = random.Random(26)
    for _ in range(100):
        with raw(served) as peer:
            peer.sendall(chance.randbytes(200))
    with raw(served) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    status_of(served)


def test_a_peer_of_the_first_zmq_protocol_tells_no_uid_and_is_refused(served: Stage) -> None:
    """ZMTP 1.0: no greeting, an empty identity, a frame. It has no properties to ask for."""
    frame = b'[1,"req","sessions.trigger","x",0,0,"",{"prompt":"mine"}]'
    with raw(served) as peer:
        peer.sendall(b"\x01\x00" + bytes([len(frame) + 1, 0]) + frame)
        time.sleep(0.3)
    assert status_of(served)["state"] == "running"
    calls = served.calls("sessions.trigger")
    assert all(call["uid"] == os.getuid() for call in calls), "if at all, with the uid that the kernel told"


def test_a_frame_of_100_mib_closes_its_connection_and_takes_no_memory(served: Stage) -> None:
    assert served.worker is not None
    before = resident(served.worker.pid)
    with zmq.Context() as context:
        peer = context.socket(zmq.DEALER)
        peer.linger = 0
        events = peer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        peer.connect(f"ipc://{served.runtime}/rpc.sock")
        peer.send(b"[" + b" " * (100 * 1024 * 1024))
        assert events.poll(10_000), "the connection is closed"
        peer.disable_monitor()
        peer.close(0)
        events.close(0)
    assert resident(served.worker.pid) - before < 20 * 1024 * 1024


def test_half_handshakes_are_closed_after_a_while_and_others_served_meanwhile(served: Stage) -> None:
    assert served.worker is not None
    before = descriptors(served.worker.pid)
    peers = [raw(served) for _ in range(50)]
    for number, peer in enumerate(peers):
        peer.sendall((b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL")[: number % 14])
    wait_for(lambda: descriptors(served.worker.pid) >= before + 50)  # type: ignore[union-attr]
    began = time.monotonic()
    status_of(served)
    assert time.monotonic() - began < 2
    wait_for(lambda: descriptors(served.worker.pid) <= before, 15, "the handshakes' end")  # type: ignore[union-attr]
    for peer in peers:
        peer.close()


def test_a_thousand_connections_at_once_harm_nobody(served: Stage) -> None:
    assert served.worker is not None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        before = descriptors(served.worker.pid)
        resource.prlimit(served.worker.pid, resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        peers = [raw(served) for _ in range(1000)]
        assert status_of(served)["state"] == "running"
        for peer in peers:
            peer.close()
        wait_for(lambda: descriptors(served.worker.pid) <= before + 2, 15, "closed")  # type: ignore[union-attr]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_clients_one_after_the_other_leave_nothing_behind(served: Stage) -> None:
    assert served.worker is not None
    status_of(served)
    before = descriptors(served.worker.pid)
    with zmq.Context() as context:
        for _ in range(1000):
            with connect(served, context) as peer:
                peer.send(b'[1,"req","status","x",0,0,"",{}]')
                assert peer.poll(5000)
    wait_for(lambda: descriptors(served.worker.pid) <= before + 2, 10, "closed")  # type: ignore[union-attr]
