"""Servers that speak the first words of PostgreSQL and of MySQL, as their protocols' documents describe them.

A sign-in with a password that is checked, the smallest questions, and their refusals. https://www.postgresql.org/docs/
current/protocol-message-formats.html, https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
"""

import asyncio
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

USER, PASSWORD = "app", "right-word"
VERSION = "15.7 (made up)"
MYSQL_VERSION = "8.0.36-made-up"
SSL_REQUEST = 80877103
TEXT = 25  # the type's number
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _refusal(code: str, text: str) -> bytes:
    fields = b"".join(name + value.encode() + b"\0" for name, value in ((b"S", "FATAL"), (b"C", code), (b"M", text)))
    return _message(b"E", fields + b"\0")


async def postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of PostgreSQL's protocol 3.0, with an MD5 password."""
    while True:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        body = await reader.readexactly(size - 4)
        if struct.unpack("!i", body[:4])[0] != SSL_REQUEST:
            break
        writer.write(b"N")  # not over TLS
    names = body[4:].split(b"\0")
    user = dict(zip(names[::2], names[1::2], strict=False)).get(b"user", b"").decode()
    salt = os.urandom(4)
    writer.write(_message(b"R", struct.pack("!i", 5) + salt))
    await reader.readexactly(1)
    (size,) = struct.unpack("!i", await reader.readexactly(4))
    given = (await reader.readexactly(size - 4)).rstrip(b"\0").decode()
    inner = hashlib.md5((PASSWORD + USER).encode()).hexdigest()
    if given != "md5" + hashlib.md5(inner.encode() + salt).hexdigest():
        writer.write(_refusal("28P01", f'password authentication failed for user "{user}"'))
        await writer.drain()
        return
    settings = {"server_version": VERSION, "client_encoding": "UTF8", "integer_datetimes": "on"}
    said = b"".join(_message(b"S", name.encode() + b"\0" + value.encode() + b"\0") for name, value in settings.items())
    writer.write(_message(b"R", bytes(4)) + said + _message(b"K", bytes(8)) + _message(b"Z", b"I"))
    await _answer_postgres(reader, writer)


async def _answer_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    described = struct.pack("!h", 1) + b"server_version\0" + struct.pack("!ihihih", 0, 0, TEXT, -1, -1, 0)
    row = struct.pack("!hi", 1, len(VERSION)) + VERSION.encode()
    answers = {
        b"P": _message(b"1"),
        b"D": _message(b"t", struct.pack("!h", 0)) + _message(b"T", described),
        b"B": _message(b"2"),
        b"E": _message(b"D", row) + _message(b"C", b"SHOW\0"),
        b"C": _message(b"3"),
        b"S": _message(b"Z", b"I"),
    }
    while (kind := await reader.readexactly(1)) != b"X":
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        await reader.readexactly(size - 4)
        writer.write(answers.get(kind, b""))
        await writer.drain()


PROTOCOL_41, SECURE, PLUGIN = 0x200, 0x8000, 0x80000
CAPABILITIES = 0x1 | 0x8 | PROTOCOL_41 | 0x2000 | SECURE | PLUGIN
OK = b"\0\0\0\x02\0\0\0"
PING, QUIT = 0x0E, 0x01


def _packet(number: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(4)
    return head[3], await reader.readexactly(int.from_bytes(head[:3], "little"))


def _scrambled(password: str, salt: bytes) -> bytes:
    once = hashlib.sha1(password.encode()).digest()
    mixed = hashlib.sha1(salt + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mixed, strict=True))


async def mysql(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of MySQL's protocol 10, with `mysql_native_password`."""
    salt = bytes(byte % 94 + 33 for byte in os.urandom(20))
    greeting = b"\x0a" + MYSQL_VERSION.encode() + b"\0" + struct.pack("<I", 7) + salt[:8] + b"\0"
    greeting += struct.pack("<HBHHB", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16, 21) + bytes(10)
    greeting += salt[8:] + b"\0mysql_native_password\0"
    writer.write(_packet(0, greeting))
    number, answer = await _read(reader)
    user, _, rest = answer[32:].partition(b"\0")
    if user.decode() != USER or rest[1 : 1 + rest[0]] != _scrambled(PASSWORD, salt):
        text = f"Access denied for user '{user.decode()}'@'localhost' (using password: YES)"
        writer.write(_packet(number + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000" + text.encode()))
        await writer.drain()
        return
    writer.write(_packet(number + 1, OK))
    while True:
        number, asked = await _read(reader)
        if asked[0] == QUIT:
            return
        writer.write(_packet(number + 1, OK))  # to a ping, and to what is set
        await writer.drain()


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """A server; its port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # whoever asked has gone
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection, and never says a word."""
    await reader.read()
    await asyncio.sleep(60)
