"""Redis and Valkey: a PING, after AUTH where the URL has a password. The reply is [BODY]."""

import asyncio
import time
from urllib.parse import unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target
from schema.facts import Cause, Facts

PORT = 6379
REPLY_MAX = 1000


async def redis(target: Target) -> Facts:
    """One PING. OSError, ProbeError, TimeoutError."""
    parts = urlsplit(target.definition.url)
    seen, began = connecting.watch(target), time.perf_counter()
    reader, writer = await connecting.streams(
        target, parts.hostname or "", parts.port or PORT, tls=parts.scheme == "rediss"
    )
    try:
        if parts.password:
            words = [unquote(word) for word in (parts.username, parts.password) if word]
            await _ask(reader, writer, "AUTH", *words)
        reply = await _ask(reader, writer, "PING")
    finally:
        writer.transport.abort()
    return seen.facts(began, time.perf_counter(), body=reply)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> bytes:
    """The reply of one command, without its mark. ProbeError for an error."""
    coded = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(coded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in coded))
    await writer.drain()
    try:
        line = (await reader.readuntil(b"\r\n"))[:REPLY_MAX].strip()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ProbeError(Cause.PROTOCOL, "it does not speak the protocol of Redis") from error
    if line[:1] == b"-":
        raise ProbeError(Cause.FAILED, line[1:].decode("utf-8", "replace"))
    if line[:1] != b"+":
        raise ProbeError(Cause.PROTOCOL, "it does not speak the protocol of Redis")
    return line[1:]
