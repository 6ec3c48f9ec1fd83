"""A child's end of its channel: whatever comes there, it hears the next command."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from ipc import control
from ipc.control import Control, Message

STOP = {"command": "stop"}


class Channel:
    """Both ends: what the supervisor says, and what the child hears."""

    def __init__(self) -> None:
        self.supervisor, child = socket.socketpair()
        self.supervisor.setblocking(False)
        self.heard: list[Message] = []
        self.control = Control(child.detach(), dict, self.hear)

    def hear(self, message: Message) -> None:
        if message == {"command": "fail"}:
            raise KeyError("environment")
        self.heard.append(message)

    async def say(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.supervisor, data)

    async def stopped(self) -> bool:
        """Whether a command to stop is heard now."""
        await self.say(json.dumps(STOP).encode() + b"\n")
        async with asyncio.timeout(5):
            while STOP not in self.heard:
                await asyncio.sleep(0.01)
        return self.heard == [STOP]


@pytest.fixture
async def channel() -> AsyncIterator[Channel]:
    made = Channel()
    await made.control.open()
    yield made
    made.control.close()
    made.supervisor.close()


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        (b"no JSON\n", "control: left out, for it is no message: b'no JSON\\\\n'"),
        (b"[1, 2]\n", "control: left out, for it is no message: b'[1, 2]\\\\n'"),
        (b'"stop"\nnull\n7\n', "control: left out, for it is no message: b'null\\\\n'"),
        (b"[" * 100_000 + b"\n", "control: left out, for it is no message: b'[[["),
        (b"\xff\xfe\n", "control: left out, for it is no message: b'\\\\xff\\\\xfe\\\\n'"),
        (b'{"done": []}\n', "TypeError: unhashable"),
        (b'{"command": "fail"}\n', "KeyError: 'environment'"),
    ],
)
async def test_nonsense_is_told_and_left_out_and_the_next_command_is_heard(
    channel: Channel, capsys: pytest.CaptureFixture[str], nonsense: bytes, told: str
) -> None:
    await channel.say(nonsense)
    assert await channel.stopped()
    assert told.replace("\\\\", "\\") in capsys.readouterr().err


async def test_a_line_without_an_end_is_left_out_to_its_end(
    channel: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    await channel.say(b'{"command": "' + b"x" * 3 * control.LINE_MAX + b'"}\n')
    assert await channel.stopped()
    assert "control: a line longer than 1048576 bytes is left out" in capsys.readouterr().err


async def test_an_answer_reaches_who_asked_after_nonsense(channel: Channel) -> None:
    asking = asyncio.create_task(channel.control.command("reload"))
    await channel.say(b"nonsense\n")
    loop = asyncio.get_running_loop()
    said = b""
    while b'"reload"' not in said:
        said += await loop.sock_recv(channel.supervisor, 65536)
    asked = next(json.loads(line) for line in said.splitlines() if b'"reload"' in line)
    await channel.say(json.dumps({"done": asked["id"], "error": "not now"}).encode() + b"\n")
    assert await asking == "not now"


async def test_a_channel_that_was_hung_up_ends_the_reading_and_nothing_else(channel: Channel) -> None:
    reading = channel.control._tasks[0]
    channel.supervisor.close()
    async with asyncio.timeout(5):
        await reading
    assert channel.heard == []
