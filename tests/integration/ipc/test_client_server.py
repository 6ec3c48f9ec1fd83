"""Client and server over real sockets: requests that come twice, late, too late, or while the worker is replaced."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio

from ipc import codec
from ipc.asker import unix_user
from ipc.client import Client, Subscriber
from ipc.errors import CallError, Code
from ipc.messages.envelope import Done, Event, Reply, Request
from ipc.messages.sessions import LogReply, ReadLog, SessionChanged
from ipc.messages.settings import SetSetting, SettingReply, SettingValue
from ipc.messages.system import Beat, Hello, Reload, Status, StatusReply, Welcome
from ipc.server import CONCURRENT_MAX, Call, Handler, Publisher, Server, bound_socket
from schema.states import SessionStatus

SETTING = SettingReply(
    setting=SettingValue(name="interval", env="E", value="600", default="", source="override", section="", doc="")
)
WELCOME = Welcome(protocol=1, version="1", epoch="e", sequence=0)


class Place:
    """The listening sockets, which outlive every worker on them."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ipc-"))
        self.path = str(self.directory / "rpc.sock")
        self.pub_path = str(self.directory / "pub.sock")
        self.rpc, self.pub = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        for listening, path in ((self.rpc, self.path), (self.pub, self.pub_path)):
            listening.bind(path)
            listening.listen(64)
        self.stored: dict[str, bytes] = {}
        self.effects: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def close(self) -> None:
        self.rpc.close()
        self.pub.close()
        shutil.rmtree(self.directory)


class Worker:
    """A worker in this process. `kill` leaves nothing of it but what it stored."""

    def __init__(self, place: Place, **handlers: Callable[[Any], Awaitable[Reply]]) -> None:
        self.place = place
        self.context = zmq.asyncio.Context()
        self.publisher = Publisher(bound_socket(self.context, zmq.PUB, place.pub.fileno()))
        table: dict[type[Request], Handler] = {Hello: self.hello, Status: self.status, SetSetting: self.change}
        table |= {Reload: self.broken, ReadLog: self.large}
        router = bound_socket(self.context, zmq.ROUTER, place.rpc.fileno())
        self.server = Server(router, table, allowed=lambda peer: True, recall=self.recall)
        self.task = asyncio.create_task(self.server.serve())

    async def recall(self, id_: str) -> bytes | None:
        return self.place.stored.get(id_)

    async def hello(self, call: Call, request: Hello) -> Welcome:
        self.place.effects.append("hello")
        await self.place.gate.wait()
        return WELCOME

    async def status(self, call: Call, request: Status) -> StatusReply:
        return StatusReply(state="running", reason=call.asker())

    async def change(self, call: Call, request: SetSetting) -> SettingReply:
        self.place.effects.append(request.name)
        self.place.stored[call.id] = codec.store(SETTING)
        await self.place.gate.wait()
        return SETTING

    async def broken(self, call: Call, request: Reload) -> Done:
        raise ZeroDivisionError("a handler's mistake")

    async def large(self, call: Call, request: ReadLog) -> LogReply:
        return LogReply(offset=0, next=1, data=b"x" * request.limit, over=False)

    async def kill(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        for task in list(self.server._running.values()):
            task.cancel()
        self.context.destroy(0)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    yield made
    made.close()


@pytest.fixture
async def worker(place: Place) -> AsyncIterator[Worker]:
    made = Worker(place)
    yield made
    await made.kill()


@pytest.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    context = zmq.asyncio.Context()
    made = Client(context, place.path)
    yield made
    await made.close()
    context.destroy(0)


@contextlib.contextmanager
def dealer(place: Place) -> Any:
    """A peer that says what it likes, and queues while nobody is there."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as found:
        found.linger = 0
        found.connect(f"ipc://{place.path}")
        yield found


async def hear(found: "zmq.Socket[bytes]", seconds: float = 5.0) -> list[Any]:
    """The next envelope, whether JSON or MessagePack."""
    end = time.monotonic() + seconds
    while not found.poll(0):
        if time.monotonic() > end:
            raise AssertionError("nothing was answered")
        await asyncio.sleep(0.005)
    frame = found.recv()
    reply: list[Any] = msgspec.json.decode(frame) if codec.is_json(frame) else msgspec.msgpack.decode(frame)
    return reply


def ask(message: Request, id_: str, *, deadline: float = 0.0, json: bool = False) -> bytes:
    return codec.request(id_, message, sent=time.monotonic(), deadline=deadline, json=json)


# Answers


async def test_an_answer_says_who_asked(worker: Worker, client: Client) -> None:
    assert (await client.call(Status(), StatusReply)).reason == unix_user(os.getuid())
    assert await client.greet("web", "1") == WELCOME


async def test_many_requests_at_once_each_get_their_own_answer(worker: Worker, client: Client) -> None:
    limits = range(100)
    calls = [client.call(ReadLog(id=1, limit=limit), LogReply) for limit in limits]
    assert [len(reply.data) for reply in await asyncio.gather(*calls)] == list(limits)


async def test_json_is_answered_in_json(worker: Worker, place: Place) -> None:
    with dealer(place) as peer:
        peer.send(ask(Status(), "one", json=True))
        protocol, kind, type_, id_, *_, body = await hear(peer)
        assert (protocol, kind, type_, id_, body["state"]) == (1, "rep", "status", "one", "running")


async def test_a_mistake_in_a_handler_is_internal_and_told_in_the_log(
    worker: Worker, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CallError, match="log has the details") as told:
        await client.call(Reload(), Done)
    assert told.value.code is Code.INTERNAL
    assert "ZeroDivisionError: a handler's mistake" in capsys.readouterr().err
    assert await client.call(Status(), StatusReply)


@pytest.mark.parametrize(
    ("frame", "code", "id_"),
    [
        (b'[7,"req","status","x",0,0,"",{}]', "proto.unsupported", "x"),
        (b'[1,"req","no.such","x",0,0,"",{}]', "unknown_type", "x"),
        (b'[1,"rep","status","x",0,0,"",{}]', "invalid", "x"),
        (b'[1,"req","sessions.log","x",0,0,"",{"id":"seven"}]', "invalid", "x"),
        (b'[1,"req","status","",0,0,"",{}]', "invalid", ""),
        (b'[1,"req","status","' + b"x" * 65 + b'",0,0,"",{}]', "invalid", "x" * 64),
        (b'[1,"req","' + b"y" * 65 + b'","x",0,0,"",{}]', "invalid", "x"),
        (b"[not a message", "invalid", ""),
        (b'[1,"req","status","x",0,0,"",' + b"[" * 100_000 + b"]" * 100_000 + b"]", "invalid", ""),
    ],
)
async def test_what_can_not_be_carried_out_is_answered_with_the_reason_and_the_id(
    worker: Worker, place: Place, frame: bytes, code: str, id_: str
) -> None:
    with dealer(place) as peer:
        peer.send(frame)
        _, kind, _, told, *_, body = await hear(peer)
        assert (kind, told, body["code"]) == ("err", id_, code)
        peer.send(ask(Status(), "next", json=True))
        assert (await hear(peer))[1] == "rep"


async def test_too_many_at_a_time_are_told_so_at_once(worker: Worker, place: Place, client: Client) -> None:
    place.gate.clear()
    with dealer(place) as peer:
        for number in range(CONCURRENT_MAX):
            peer.send(ask(Hello(), f"hello {number}"))
        while len(place.effects) < CONCURRENT_MAX:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(CallError) as told:
            await client.call(Status(), StatusReply)
        assert told.value.code is Code.OVERLOADED
        assert time.monotonic() - began < 1
        place.gate.set()
        assert {(await hear(peer))[1] for _ in range(CONCURRENT_MAX)} == {"rep"}
    assert await client.call(Status(), StatusReply)


async def test_an_answer_beyond_a_frame_is_an_error_and_the_connection_lives(worker: Worker, client: Client) -> None:
    with pytest.raises(CallError, match="ask for less") as told:
        await client.call(ReadLog(id=1, limit=codec.MAX_FRAME), LogReply)
    assert told.value.code is Code.TOO_LARGE
    with pytest.raises(CallError) as told:
        await client.call(SetSetting(name="x" * codec.MAX_FRAME, value=""), SettingReply)
    assert told.value.code is Code.TOO_LARGE
    assert await client.call(Status(), StatusReply)


# Twice, late, too late


async def test_a_request_that_comes_twice_while_it_is_answered_takes_effect_once(worker: Worker, place: Place) -> None:
    place.gate.clear()
    with dealer(place) as one, dealer(place) as other:
        one.send(ask(SetSetting(name="interval", value="600"), "same"))
        while not place.effects:
            await asyncio.sleep(0.005)
        other.send(ask(SetSetting(name="interval", value="600"), "same"))
        await asyncio.sleep(0.05)
        place.gate.set()
        assert [(await hear(peer))[1:4:2] for peer in (one, other)] == [["rep", "same"]] * 2
    assert place.effects == ["interval"]


async def test_a_repeated_request_is_answered_from_what_was_stored(worker: Worker, place: Place) -> None:
    with dealer(place) as peer:
        for _ in range(3):
            peer.send(ask(SetSetting(name="interval", value="600"), "same"))
            assert (await hear(peer))[7]["setting"]["value"] == "600"
        peer.send(ask(SetSetting(name="interval", value="600"), "same", json=True))
        assert (await hear(peer))[7]["setting"]["value"] == "600"
    assert place.effects == ["interval"]


async def test_who_hears_of_answers_and_fails_costs_nobody_an_answer(
    worker: Worker, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[str] = []

    def fail(type_: str, seconds: float, code: str) -> None:
        raise RuntimeError("a fault of who counts answers")

    worker.server.on_answer += [fail, lambda type_, seconds, code: heard.append(type_)]
    for _ in range(2):
        assert (await client.call(Status(), StatusReply, timeout=2)).state == "running"
    await asyncio.sleep(0.05)
    assert heard == [Status.subject] * 2
    assert "RuntimeError: a fault of who counts answers" in capsys.readouterr().err


async def test_a_late_answer_is_dropped_and_never_given_to_another_request(
    worker: Worker, place: Place, client: Client
) -> None:
    await client.call(Status(), StatusReply)  # connected, however busy the machine is
    place.gate.clear()
    with pytest.raises(CallError) as told:
        await client.call(Hello(), Welcome, timeout=0.2)
    assert told.value.code is Code.DEADLINE
    place.gate.set()
    await asyncio.sleep(0.05)  # the late answer is there now
    assert (await client.call(Status(), StatusReply)).state == "running"


async def test_an_expired_request_is_refused_and_nothing_is_done(worker: Worker, place: Place) -> None:
    with dealer(place) as peer:
        peer.send(ask(SetSetting(name="interval", value="600"), "old", deadline=time.monotonic() - 0.01))
        _, kind, _, id_, *_, body = await hear(peer)
        assert (kind, id_, body["code"]) == ("err", "old", "deadline")
    assert place.effects == []


async def test_a_client_that_gives_up_waiting_leaves_nothing_behind(
    worker: Worker, place: Place, client: Client
) -> None:
    place.gate.clear()
    call = asyncio.create_task(client.call(Hello(), Welcome))
    while not place.effects:
        await asyncio.sleep(0.005)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    place.gate.set()
    assert client._waiting == {}
    assert await client.call(Status(), StatusReply)


async def test_a_call_that_is_cancelled_as_its_answer_comes_is_cancelled(worker: Worker, client: Client) -> None:
    """Python 3.11's asyncio.wait_for would go on instead, and whoever ends a task would wait for it for ever."""
    for ticks in range(40):
        call = asyncio.create_task(client.call(Hello(), Welcome))
        while not client._waiting:
            await asyncio.sleep(0)
        (waiting,) = client._waiting.values()
        while not waiting.done():
            await asyncio.sleep(0)
        for _ in range(ticks % 2):
            await asyncio.sleep(0)
        if call.cancel():
            with pytest.raises(asyncio.CancelledError):
                await call


# Another worker


async def test_without_a_worker_a_request_fails_in_its_time_and_is_not_done_later(place: Place, client: Client) -> None:
    began = time.monotonic()
    with pytest.raises(CallError) as told:
        await client.call(SetSetting(name="interval", value="600"), SettingReply, timeout=0.3)
    assert told.value.code is Code.UNAVAILABLE
    assert time.monotonic() - began < 1
    worker = Worker(place)
    assert await client.call(Status(), StatusReply)
    assert place.effects == []
    await worker.kill()


async def test_requests_wait_in_the_backlog_for_the_next_worker(place: Place) -> None:
    first = Worker(place)
    contexts = [zmq.asyncio.Context() for _ in range(10)]
    clients = [Client(context, place.path) for context in contexts]
    await asyncio.gather(*(client.call(Status(), StatusReply) for client in clients))
    await first.kill()
    for (
        client
    ) in clients:  # what is sent before a client has noticed is lost with the worker, and runs into its deadline
        while await client._socket.poll(0, flags=zmq.POLLOUT):  # type: ignore[call-arg]
            await asyncio.sleep(0.01)
    calls = [asyncio.create_task(client.call(Status(), StatusReply, timeout=10.0)) for client in clients]
    await asyncio.sleep(0.3)
    assert not any(call.done() for call in calls)
    second = Worker(place)
    assert {reply.state for reply in await asyncio.gather(*calls)} == {"running"}
    for client, context in zip(clients, contexts, strict=True):
        await client.close()
        context.destroy(0)
    await second.kill()


async def test_what_lay_in_the_backlog_beyond_its_deadline_is_not_done(place: Place) -> None:
    """This peer queues, unlike our clients: what it asked comes with the next worker, and is out of date."""
    with dealer(place) as peer:
        peer.send(ask(SetSetting(name="interval", value="600"), "old", deadline=time.monotonic() + 0.1))
        peer.send(ask(SetSetting(name="timeout", value="600"), "new", deadline=time.monotonic() + 30))
        await asyncio.sleep(0.2)
        worker = Worker(place)
        answers = {reply[3]: reply[1] for reply in [await hear(peer), await hear(peer)]}
        assert answers == {"old": "err", "new": "rep"}
        assert place.effects == ["timeout"]
        await worker.kill()


async def test_asked_again_under_the_same_id_after_a_death_the_successor_answers_from_the_store(
    place: Place, client: Client
) -> None:
    first = Worker(place)
    await client.call(Status(), StatusReply)
    place.gate.clear()
    request = SetSetting(name="interval", value="600")
    call = asyncio.create_task(client.call(request, SettingReply, timeout=1.0, id_="same"))
    while not place.effects:
        await asyncio.sleep(0.005)
    await first.kill()  # done and stored, and not answered
    with pytest.raises(CallError):
        await call
    place.gate.set()
    second = Worker(place)
    assert await client.call(request, SettingReply, id_="same") == SETTING
    assert place.effects == ["interval"]
    await second.kill()


async def test_the_socket_stays_when_a_worker_goes(place: Place) -> None:
    before = Path(place.path).stat()
    await Worker(place).kill()
    after = Path(place.path).stat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


# Events


class Heard:
    """What a subscriber was told."""

    def __init__(self) -> None:
        self.events: list[Event | None] = []

    def __call__(self, event: Event | None) -> None:
        self.events.append(event)

    async def until(self, count: int) -> list[Event | None]:
        end = time.monotonic() + 10
        while len(self.events) < count:
            assert time.monotonic() < end, self.events
            await asyncio.sleep(0.005)
        return self.events


@pytest.fixture
async def heard(place: Place) -> AsyncIterator[Heard]:
    context, found = zmq.asyncio.Context(), Heard()
    subscriber = Subscriber(context, place.pub_path, found)
    yield found
    await subscriber.close()
    context.destroy(0)


async def settled(worker: Worker, heard: Heard) -> None:
    """Returns once the subscriber hears; what was said before is lost, as it always is."""
    while not heard.events:
        worker.publisher.publish(Beat(sessions_running=99))
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    heard.events.clear()


async def test_a_subscriber_hears_each_event_once_and_in_order(worker: Worker, heard: Heard) -> None:
    await settled(worker, heard)
    for number in range(500):
        worker.publisher.publish(Beat(sessions_running=number))
    assert await heard.until(500) == [Beat(sessions_running=number) for number in range(500)]


async def test_a_gap_in_the_numbers_is_told_before_what_follows(worker: Worker, heard: Heard) -> None:
    await settled(worker, heard)
    worker.publisher.sequence += 1
    changed = SessionChanged(id=1, status=SessionStatus.COMPLETED)
    worker.publisher.publish(changed)
    assert await heard.until(2) == [None, changed]


async def test_another_worker_is_a_gap_too(place: Place, heard: Heard) -> None:
    first = Worker(place)
    await settled(first, heard)
    await first.kill()
    second = Worker(place)
    second.publisher.sequence = first.publisher.sequence  # its numbers happen to go on
    while len(heard.events) < 2:
        second.publisher.publish(Beat())
        await asyncio.sleep(0.02)
    assert heard.events[:2] == [None, Beat()]
    await second.kill()


async def test_a_listeners_mistake_is_told_in_the_log_and_the_next_event_is_heard(
    worker: Worker, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    context, heard = zmq.asyncio.Context(), Heard()

    async def listen(event: Event | None) -> None:
        heard(event)
        raise ZeroDivisionError("a listener's mistake")

    subscriber = Subscriber(context, place.pub_path, listen)
    await settled(worker, heard)
    worker.publisher.publish(Beat())
    worker.publisher.publish(Beat())
    assert await heard.until(2) == [Beat(), Beat()]
    assert "a listener's mistake" in capsys.readouterr().err
    await subscriber.close()
    context.destroy(0)


async def test_what_is_no_event_shows_as_a_gap(worker: Worker, heard: Heard) -> None:
    await settled(worker, heard)
    worker.publisher._socket.send(b"beat\0\xc1garbage")
    worker.publisher.sequence += 1
    worker.publisher.publish(Beat())
    assert await heard.until(2) == [None, Beat()]
