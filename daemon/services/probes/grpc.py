"""gRPC: the standard health check (grpc.health.v1.Health/Check) of one service, or of all; [BODY].status tells it."""

import asyncio
import time
from urllib.parse import unquote, urlsplit

import msgspec

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target
from schema.facts import Cause, Facts

METHOD = "/grpc.health.v1.Health/Check"
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
ANSWER_MAX = 65536


async def grpc(target: Target) -> Facts:
    """One call. OSError, ProbeError, TimeoutError."""
    parts = urlsplit(target.definition.url)
    seen, began = connecting.watch(target), time.perf_counter()
    reader, writer = await connecting.streams(
        target, parts.hostname or "", parts.port or 0, tls=parts.scheme == "grpcs", protocols=("h2",)
    )
    try:
        trailers, message = await _call(reader, writer, parts.netloc.rpartition("@")[2], parts.scheme == "grpcs",
                                        request(unquote(parts.path.strip("/"))))  # fmt: skip
    finally:
        writer.transport.abort()
    end = time.perf_counter()
    code = trailers.get("grpc-status", "")
    if code != "0":
        said = unquote(trailers.get("grpc-message", "")) or f"HTTP status {trailers.get(':status', 'unknown')}"
        raise ProbeError(Cause.FAILED, f"gRPC status {code or 'missing'}: {said}")
    return seen.facts(began, end, body=msgspec.json.encode({"status": status(message)}))


def request(service: str) -> bytes:
    """The message that asks for a service, framed: HealthCheckRequest has one string."""
    name = service.encode()
    body = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\x00" + len(body).to_bytes(4, "big") + body


def status(framed: bytes) -> str:
    """What a framed HealthCheckResponse says: one number, which is left out where it is 0."""
    body = framed[5:]
    number = body[1] if len(body) >= 2 and body[0] == 0x08 else 0
    return STATUSES[number] if number < len(STATUSES) else str(number)


def _varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


async def _call(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    authority: str,
    tls: bool,
    message: bytes,
) -> tuple[dict[str, str], bytes]:
    """Headers and trailers together, and the message. ProbeError."""
    # Here and not above: who probes no gRPC does not pay for the library.
    import h2.config
    import h2.connection
    import h2.events
    import h2.exceptions

    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    headers = [(":method", "POST"), (":scheme", "https" if tls else "http"), (":path", METHOD),
               (":authority", authority), ("te", "trailers"), ("content-type", "application/grpc")]  # fmt: skip
    connection.send_headers(1, headers)
    connection.send_data(1, message, end_stream=True)
    writer.write(connection.data_to_send())
    await writer.drain()
    told: dict[str, str] = {}
    body = b""
    while data := await reader.read(ANSWER_MAX):
        try:
            events = connection.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            raise ProbeError(Cause.PROTOCOL, "it does not speak HTTP/2") from error
        for event in events:
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                told |= {str(name): str(value) for name, value in event.headers or ()}
            elif isinstance(event, h2.events.DataReceived):
                body = (body + (event.data or b""))[:ANSWER_MAX]
            elif isinstance(event, h2.events.StreamEnded):
                return told, body
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                raise ProbeError(Cause.RESET, "it refused the call")
        writer.write(connection.data_to_send())
    raise ProbeError(Cause.RESET, "it closed the connection in the middle of its answer")
