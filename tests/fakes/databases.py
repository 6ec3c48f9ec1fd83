"""Servers that speak the first words of PostgreSQL and of MySQL, as their protocols' documents describe them.

A sign-in with a password that is checked, the smallest questions, and their refusals. https://www.postgresql.org/docs/
current/protocol-message-formats.html, https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
"""

import asyncio
import hashlib
import os
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.fixtures.certificates import Pair

USER, PASSWORD = "app", "right-word"
VERSION = "15.7 (made up)"
MYSQL_VERSION = "8.0.36-made-up"
SSL_REQUEST = 80877103
TEXT = 25  # the type's number
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _refusal(code: str, text: str) -> bytes:
    fields = b"".join(name + value.encode() + b"\0" for name, value in ((b"S", "FATAL"), (b"C", code), (b"M", text)))
    return _message(b"E", fields + b"\0")


async def postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair | None = None) -> None:
    """One connection of PostgreSQL's protocol 3.0, with an MD5 password. With a certificate it offers TLS."""
    while True:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        body = await reader.readexactly(size - 4)
        if struct.unpack("!i", body[:4])[0] != SSL_REQUEST:
            break
        writer.write(b"S" if pair else b"N")
        if pair:
            await writer.start_tls(_context(pair))
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
SSL, SSL_REQUEST_SIZE = 0x800, 4 + 32
OK = b"\0\0\0\x02\0\0\0"
PING, QUIT = 0x0E, 0x01
# After the first byte of an answer of caching_sha2_password.
MORE, FAST_ENOUGH, FULL, WANTS_KEY = b"\x01", b"\x03", b"\x04", b"\x02"


def _packet(number: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(4)
    return head[3], await reader.readexactly(int.from_bytes(head[:3], "little"))


def _scrambled(password: str, salt: bytes) -> bytes:
    once = hashlib.sha1(password.encode()).digest()
    mixed = hashlib.sha1(salt + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mixed, strict=True))


def _scrambled_sha2(password: str, salt: bytes) -> bytes:
    once = hashlib.sha256(password.encode()).digest()
    mixed = hashlib.sha256(hashlib.sha256(once).digest() + salt).digest()
    return bytes(a ^ b for a, b in zip(once, mixed, strict=True))


async def _encrypted_after(
    greeting: bytes, plain: asyncio.StreamWriter, pair: Pair
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """What is talked over from the client's request for TLS on: the handshake follows it at once, without an answer."""
    loop = asyncio.get_running_loop()
    assert isinstance(plain.transport, asyncio.Transport)
    plain.transport.pause_reading()  # it would take what has come of the handshake already
    plain.write(greeting)
    raw = plain.get_extra_info("socket").dup()
    raw.setblocking(False)
    size = SSL_REQUEST_SIZE
    while size:
        size -= len(await loop.sock_recv(raw, size))
    plain.transport.abort()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, raw, ssl=_context(pair))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _is_known_in_full(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
) -> tuple[bool, int]:
    """Full authentication: the password itself, over TLS, or encrypted with a key that is given where asked for."""
    writer.write(_packet(number + 1, MORE + FULL))
    number, given = await _read(reader)
    if given == WANTS_KEY:
        writer.write(_packet(number + 1, MORE + b"-----BEGIN PUBLIC KEY-----"))
        number, given = await _read(reader)
    return given == PASSWORD.encode() + b"\0", number


async def mysql(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sha2: str = "", pair: Pair | None = None
) -> None:
    """One connection of MySQL's protocol 10, with `mysql_native_password`, or `caching_sha2_password`: `fast` where the
    server remembers the user, else `full`. With a certificate it offers TLS."""
    salt = bytes(byte % 94 + 33 for byte in os.urandom(20))
    able, plugin = CAPABILITIES | (SSL if pair else 0), "caching_sha2_password" if sha2 else "mysql_native_password"
    greeting = b"\x0a" + MYSQL_VERSION.encode() + b"\0" + struct.pack("<I", 7) + salt[:8] + b"\0"
    greeting += struct.pack("<HBHHB", able & 0xFFFF, 45, 2, able >> 16, 21) + bytes(10)
    greeting += salt[8:] + b"\0" + plugin.encode() + b"\0"
    if not pair:
        writer.write(_packet(0, greeting))
        await _answer_mysql(reader, writer, salt, sha2)
        return
    reader, writer = await _encrypted_after(_packet(0, greeting), writer, pair)
    try:
        await _answer_mysql(reader, writer, salt, sha2)
    finally:
        writer.close()


async def _answer_mysql(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, salt: bytes, sha2: str) -> None:
    number, answer = await _read(reader)
    user, _, rest = answer[32:].partition(b"\0")
    known = rest[1 : 1 + rest[0]] == (_scrambled_sha2 if sha2 else _scrambled)(PASSWORD, salt)
    if sha2 == "full":
        known, number = await _is_known_in_full(reader, writer, number)
    elif sha2 and known:
        number += 1
        writer.write(_packet(number, MORE + FAST_ENOUGH))
    if user.decode() != USER or not known:
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
