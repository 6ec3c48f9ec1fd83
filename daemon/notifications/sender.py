"""Starts the process that sends, and reads what became of each message. Called by `daemon.notifications.delivering`.

The process lives for one batch. What it knows comes by its standard input; its environment is built from nothing.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from daemon import starting
from daemon.notifications.rules import Channel, Words

SILENT_SECONDS = 30.0
# What a way to the channel may need; nothing that is a secret of ours.
HANDED = (
    "PATH",
    "PYTHONPATH",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)


class Outcome(msgspec.Struct, frozen=True):
    """What became of the message `id`. `error` is free of secrets; `refused`: as it is, it is never taken."""

    id: int
    ok: bool
    error: str = ""
    refused: bool = False


class Message(NamedTuple):
    """A message with the number by which its outcome is told. `payload`: what is posted to a program."""

    id: int
    words: Words
    payload: str = ""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the process."""
    return {"LANG": "C.UTF-8", "HOME": "/nonexistent", **{name: environ[name] for name in HANDED if name in environ}}


async def send(channel: Channel, messages: Sequence[Message], seconds: float) -> AsyncGenerator[Outcome, None]:
    """The outcome of each message in order, as it is known; ends with the first that failed.

    A process that says nothing for `seconds` is killed, and the message that it was at has failed. Close the iterator
    (`contextlib.aclosing`), so that the process ends with it.
    """
    given = msgspec.json.encode(
        {
            "url": channel.url,
            "secret": channel.secret,
            "parent": os.getpid(),
            "messages": [
                {"id": message.id, "payload": message.payload, **message.words._asdict()} for message in messages
            ],
        }
    )
    try:
        process = await starting.start(
            sys.executable,
            "-m",
            "daemon.notifications.send",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a library's traceback could hold the URL
            env=environment(os.environ),
        )
    except OSError as error:
        yield Outcome(messages[0].id, False, f"the process that sends could not be started: {error.strerror}")
        return
    try:
        async with contextlib.aclosing(_outcomes(process, given, messages, seconds)) as outcomes:
            async for outcome in outcomes:
                yield outcome
    finally:
        await starting.end(process)


async def _outcomes(
    process: asyncio.subprocess.Process, given: bytes, messages: Sequence[Message], seconds: float
) -> AsyncGenerator[Outcome, None]:
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        process.stdin.write(given)
        process.stdin.close()
        for message in messages:
            async with asyncio.timeout(seconds):
                line = await process.stdout.readline()
            if not line:
                code = await process.wait()
                yield Outcome(message.id, False, f"the process that sends ended by itself, exit code {code}")
                return
            outcome = msgspec.json.decode(line, type=Outcome)
            yield outcome
            if not outcome.ok:
                return
    except TimeoutError:
        yield Outcome(message.id, False, f"no answer within {seconds:g} s")
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        yield Outcome(message.id, False, f"the process that sends does not answer as it should: {error}")
