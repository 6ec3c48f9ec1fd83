"""A subscriber that does not read: what is published neither waits for it nor piles up, and it learns of the gap."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import zmq
import zmq.asyncio

from ipc.messages.system import Beat
from ipc.server import Publisher, bound_socket
from tests.integration.ipc.test_client_server import Place

SUBSCRIBER = """
import asyncio, sys
import zmq.asyncio
from ipc.client import Subscriber

heard = 0
def hear(event):
    global heard
    if event is None:
        print("gap", heard, flush=True)
    elif event.reason:
        print(event.reason, heard, flush=True)
    else:
        heard += 1

async def main():
    Subscriber(zmq.asyncio.Context(), sys.argv[1], hear)
    await asyncio.sleep(60)

asyncio.run(main())
"""
EVENTS = 200_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def said(process: "subprocess.Popen[bytes]", word: str) -> tuple[int, list[str]]:
    """How many events had been heard when it said `word`, and what it has said before that."""
    assert process.stdout is not None
    before: list[str] = []
    while True:
        line = (await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 20)).decode().split()
        assert line, "the subscriber has ended"
        if line[0] == word:
            return int(line[1]), before
        before.append(line[0])


async def test_a_stopped_subscriber_costs_the_publisher_neither_time_nor_memory() -> None:
    place = Place()
    context = zmq.asyncio.Context()
    publisher = Publisher(bound_socket(context, zmq.PUB, place.pub.fileno()))
    process = subprocess.Popen([sys.executable, "-c", SUBSCRIBER, place.pub_path], stdout=subprocess.PIPE)

    async def repeat(word: str) -> None:
        while True:  # who subscribes late, or has a full queue, hears the next one
            publisher.publish(Beat(reason=word))
            await asyncio.sleep(0.02)

    async def wait(word: str) -> tuple[int, list[str]]:
        telling = asyncio.create_task(repeat(word))
        try:
            return await said(process, word)
        finally:
            telling.cancel()

    try:
        assert await wait("there") == (0, ["gap"])
        for number in range(1000):
            publisher.publish(Beat())
            if number % 100 == 0:
                await asyncio.sleep(0.01)
        count, before = await wait("kept-up")
        assert (count, set(before) - {"there"}) == (1000, set())
        os.kill(process.pid, signal.SIGSTOP)
        memory, slowest = resident(), 0.0
        for _ in range(EVENTS):
            began = time.monotonic()
            publisher.publish(Beat())
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 0.25
        assert resident() - memory < 4 * 1024 * 1024  # some 60 MiB, were they all kept
        os.kill(process.pid, signal.SIGCONT)
        count, before = await wait("back")
        assert 1000 < count < EVENTS / 10
        assert "gap" in before  # one or, where it reads more slowly than is told, several
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        context.destroy(0)
        place.close()
