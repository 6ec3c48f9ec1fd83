"""Each kind of probe at something that speaks its protocol."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from daemon.services.probes import connecting, probe
from daemon.services.probes import container as containers
from daemon.services.probes.container import container
from daemon.services.probes.dns import dns
from daemon.services.probes.domain import domain
from daemon.services.probes.grpc import grpc
from daemon.services.probes.http import Http
from daemon.services.probes.icmp import icmp
from daemon.services.probes.mysql import mysql
from daemon.services.probes.postgres import postgres
from daemon.services.probes.probe import Target
from daemon.services.probes.redis import redis
from daemon.services.probes.requesting import Sessions
from daemon.services.probes.tcp import tcp
from daemon.services.probes.tls import tls
from daemon.services.probes.websocket import WebSocket
from daemon.services.rules.definitions import conditions_of
from daemon.services.rules.verdict import verdict
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fixtures import certificates
from tests.fixtures.certificates import Pair

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def target(url: str, **more: Any) -> Target:
    return Target(id=1, definition=Definition(name="x", url=url, **{"timeout": 3.0, **more}))


def outcome(found: Facts, of: Target) -> str:
    return verdict(found, conditions_of(of.definition), of.definition.warnings).outcome.value


@asynccontextmanager
async def listening(talk: Talk, pair: Pair | None = None, protocols: tuple[str, ...] = ()) -> AsyncIterator[int]:
    """A server on a port of its own; the port."""
    context = None
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if protocols:
            context.set_alpn_protocols(list(protocols))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return certificates.make(tmp_path_factory.mktemp("tls"), days=5)


async def test_tcp_connects_and_reads_a_banner_where_a_condition_speaks_of_it() -> None:
    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-made-up\r\n")
        await reader.read()

    async with listening(banner) as port:
        plain = await probe.ask(tcp, target(f"tcp://127.0.0.1:{port}"))
        assert (plain.connected, plain.body, plain.ip) == (True, b"", "127.0.0.1")
        of = target(f"tcp://127.0.0.1:{port}", conditions=("[BODY] == pat(SSH-2.0-*)",))
        assert outcome(await probe.ask(tcp, of), of) == "healthy"
    assert (await probe.ask(tcp, target(f"tcp://127.0.0.1:{port}"))).cause is Cause.REFUSED


async def test_tls_tells_when_the_certificate_ends_and_when_it_is_not_valid(pair: Pair, tmp_path: Path) -> None:
    expired = certificates.make(tmp_path, days=-1)
    async with listening(nothing, pair) as port:
        url = f"tls://127.0.0.1:{port}"
        of = target(url, ca_file=str(pair.cert), warnings=("[CERTIFICATE_EXPIRATION] > 14d",))
        found = await probe.ask(tls, of)
        assert found.certificate is not None
        assert found.certificate_s is not None
        assert 4 * 86400 < found.certificate_s <= 5 * 86400
        assert (outcome(found, of), "tls" in found.phases) == ("degraded", True)
        assert (await probe.ask(tls, target(url))).cause is Cause.CERTIFICATE
        unverified = await probe.ask(tls, target(url, verify=False))
        # Whoever vouches for it, or nobody: the same certificate says the same.
        assert unverified.certificate == found.certificate
        assert unverified.certificate_s == pytest.approx(found.certificate_s, abs=5)
        assert set(found.certificate.names) == {"localhost", "127.0.0.1"}
        named = await probe.ask(tls, target(url, ca_file=str(pair.cert), server_name="other.example"))
        assert named.cause is Cause.CERTIFICATE
    async with listening(nothing, expired) as port:
        found = await probe.ask(tls, target(f"tls://127.0.0.1:{port}", ca_file=str(expired.cert)))
        assert (found.cause, "expired" in found.detail) == (Cause.CERTIFICATE, True)


async def test_https_tells_the_certificate_and_each_phase(pair: Pair) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()

    sessions = Sessions()
    http = Http(sessions)
    async with listening(answer, pair) as port:
        of = target(f"https://localhost:{port}/", ca_file=str(pair.cert))
        found = await probe.ask(http, of)
        assert found.cause is None, found.detail
        assert list(found.phases) == ["dns", "connect", "tls", "wait", "transfer"]
        assert found.certificate is not None
        assert found.certificate.expires_at > "2026"
        # It is read once, and then known.
        read = connecting._read.cache_info()
        again = await probe.ask(http, target(f"https://localhost:{port}/", verify=False))
        assert again.certificate == found.certificate
        assert connecting._read.cache_info().misses == read.misses
        assert connecting._read.cache_info().hits == read.hits + 1
        wrong = await probe.ask(http, target(f"https://localhost:{port}/"))
        assert wrong.cause is Cause.CERTIFICATE
    await sessions.close()


async def test_a_websocket_is_shaken_hands_with_and_what_is_none_says_so() -> None:
    async def upgrade(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/ws", upgrade)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sessions = Sessions()
    websocket = WebSocket(sessions)
    good = target(f"ws://127.0.0.1:{port}/ws")
    assert outcome(await probe.ask(websocket, good), good) == "healthy"
    bad = await probe.ask(websocket, target(f"ws://127.0.0.1:{port}/no"))
    assert (bad.cause, "404" in bad.detail) == (Cause.PROTOCOL, True)
    await sessions.close()
    await runner.cleanup()


async def test_redis_is_signed_in_to_and_pinged() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known = False
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            if words[0] == b"AUTH":
                known = words[1:] == [b"ada", b"pa ss"]
                writer.write(b"+OK\r\n" if known else b"-WRONGPASS invalid username-password pair\r\n")
            else:
                writer.write(b"+PONG\r\n" if known else b"-NOAUTH Authentication required.\r\n")
            await writer.drain()

    async with listening(serve) as port:
        of = target(f"redis://ada:pa%20ss@127.0.0.1:{port}")
        found = await probe.ask(redis, of)
        assert (found.body, outcome(found, of)) == (b"PONG", "healthy")
        assert "NOAUTH" in (await probe.ask(redis, target(f"redis://127.0.0.1:{port}"))).detail
        assert "WRONGPASS" in (await probe.ask(redis, target(f"redis://ada:no@127.0.0.1:{port}"))).detail
    async with listening(nothing) as port:
        silent = await probe.ask(redis, target(f"redis://127.0.0.1:{port}", timeout=0.3))
        assert silent.cause is Cause.TIMEOUT


@pytest.mark.parametrize("encrypted", [False, True])
async def test_grpc_asks_for_the_health_of_one_service(pair: Pair, encrypted: bool) -> None:
    import h2.config
    import h2.connection
    import h2.events

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        server.initiate_connection()
        asked = b""
        while data := await reader.read(65536):
            for event in server.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    asked += event.data or b""
                if isinstance(event, h2.events.StreamEnded):
                    service = asked[7:].decode()
                    stream = event.stream_id
                    if service == "gone":
                        server.send_headers(stream, [(":status", "200"), ("grpc-status", "5"),
                                                     ("grpc-message", "unknown service")], end_stream=True)  # fmt: skip
                        continue
                    server.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
                    number = b"\x01" if service == "shop.Cart" else b"\x02"
                    server.send_data(stream, b"\x00\x00\x00\x00\x02\x08" + number)
                    server.send_headers(stream, [("grpc-status", "0")], end_stream=True)
            writer.write(server.data_to_send())
            await writer.drain()

    async with listening(serve, pair if encrypted else None, ("h2",)) as port:
        scheme = "grpcs" if encrypted else "grpc"
        more = {"ca_file": str(pair.cert)} if encrypted else {}
        for service, wanted in (("shop.Cart", "healthy"), ("shop.Pay", "down"), ("gone", "down")):
            of = target(f"{scheme}://127.0.0.1:{port}/{service}", **more)
            found = await probe.ask(grpc, of)
            assert outcome(found, of) == wanted, (service, found)
        assert "unknown service" in found.detail


async def test_a_container_is_asked_for_at_its_engines_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"web": {"Running": True, "Health": {"Status": "healthy"}}, "sick": {"Running": True, "Health":
              {"Status": "unhealthy"}}, "plain": {"Running": True}, "off": {"Running": False}}  # fmt: skip

    async def inspect(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in states:
            return web.json_response({"message": "No such container"}, status=404)
        return web.json_response({"Name": f"/{name}", "State": states[name], "Config": {"Env": ["SECRET=hush"]}})

    app = web.Application()
    app.router.add_get("/containers/{name}/json", inspect)
    runner = web.AppRunner(app)
    await runner.setup()
    place = tmp_path / "docker.sock"
    await web.UnixSite(runner, str(place)).start()
    monkeypatch.setitem(containers.SOCKETS, "docker", (str(place),))
    for name, wanted in (("web", "healthy"), ("plain", "healthy"), ("sick", "down"), ("off", "down"), ("no", "down")):
        of = target(f"docker:{name}")
        found = await probe.ask(container, of)
        assert outcome(found, of) == wanted, (name, found)
        assert b"hush" not in found.body
    await runner.cleanup()
    assert "mount it" in (await probe.ask(container, target("podman:web"))).detail


async def test_a_name_server_is_asked_and_its_code_and_records_judged() -> None:
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rrset

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            question = dns.message.from_wire(data)
            reply = dns.message.make_response(question)
            name = question.question[0].name
            if "gone" in name.to_text():
                reply.set_rcode(dns.rcode.NXDOMAIN)
            else:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
            self.transport.sendto(reply.to_wire(), address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    from daemon.services.probes.dns import dns as ask_dns

    of = target(f"dns://127.0.0.1:{port}/example.org?type=A", conditions=("[BODY] == 192.0.2.7",))
    assert outcome(await probe.ask(ask_dns, of), of) == "healthy"
    gone = target(f"dns://127.0.0.1:{port}/gone.example.org")
    found = await probe.ask(ask_dns, gone)
    assert (found.dns_rcode, outcome(found, gone)) == ("NXDOMAIN", "down")
    transport.close()
    await asyncio.sleep(0)
    closed = await probe.ask(ask_dns, of)
    assert (closed.cause, closed.detail) == (Cause.REFUSED, "connection refused")
    wrong = await probe.ask(ask_dns, target("dns://127.0.0.1/example.org?type=NOPE"))
    assert (wrong.cause, "can't be asked" in wrong.detail) == (Cause.FAILED, True)


async def test_a_registry_says_when_a_domain_ends() -> None:
    ends = "2030-06-01T00:00:00Z"

    async def registry(request: web.Request) -> web.Response:
        events = [{"eventAction": "registration", "eventDate": "1999-01-01T00:00:00Z"},
                  {"eventAction": "expiration", "eventDate": ends}]  # fmt: skip
        found = {"example.org": {"events": events}, "silent.org": {"events": []}}.get(request.match_info["name"])
        return web.json_response(found) if found else web.json_response({}, status=404)

    app = web.Application()
    app.router.add_get("/domain/{name}", registry)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    directory = f"http://127.0.0.1:{runner.addresses[0][1]}/domain/"

    async def ask(of: Target) -> Facts:
        return await domain(of, directory)

    of = target("domain:example.org")
    found = await probe.ask(ask, of)
    assert outcome(found, of) == "healthy"
    assert found.domain_s is not None
    assert "does not say" in (await probe.ask(ask, target("domain:silent.org"))).detail
    assert "404" in (await probe.ask(ask, target("domain:gone.org"))).detail
    await runner.cleanup()


async def test_a_ping_comes_back_or_says_what_this_host_does_not_allow() -> None:
    found = await probe.ask(icmp, target("icmp://127.0.0.1"))
    assert found.connected or "ping_group_range" in found.detail
    assert found.connected == (found.cause is None)


async def test_a_denied_address_is_denied_for_every_kind_that_connects() -> None:
    sessions = Sessions()
    for ask, url in ((tcp, "tcp://127.0.0.1:1"), (tls, "tls://127.0.0.1:1"), (redis, "redis://127.0.0.1:1"),
                     (grpc, "grpc://127.0.0.1:1"), (icmp, "icmp://127.0.0.1"), (dns, "dns://127.0.0.1/x"),
                     (postgres, "postgres://app@127.0.0.1:1"), (mysql, "mysql://app@127.0.0.1:1"),
                     (Http(sessions), "http://127.0.0.1:1"), (WebSocket(sessions), "ws://127.0.0.1:1")):  # fmt: skip
        of = Target(id=1, definition=Definition(name="x", url=url), denied=lambda address: f"{address} is not for you")
        found = await probe.ask(ask, of)
        assert (found.cause, found.detail) == (Cause.DENIED, "127.0.0.1 is not for you"), url
    await sessions.close()
