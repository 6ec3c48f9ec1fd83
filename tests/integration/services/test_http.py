"""What an HTTP probe can be told: method, headers, body, sign-in, redirects, proxy, certificate, IPv4 or IPv6."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.services.probes import connecting, probe
from daemon.services.probes.http import Http
from daemon.services.probes.requesting import Sessions
from daemon.services.probes.tls import tls
from daemon.services.rules import addresses
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes.target import Target
from tests.fixtures import certificates
from tests.fixtures.certificates import Pair

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
DAY = 86_400


async def ask(http: Http, url: str, **more: Any) -> Facts:
    return await probe.ask(http, probe.Target(id=1, definition=Definition(name="x", url=url, timeout=3.0, **more)))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked was refused, or has gone
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def test_method_headers_body_and_sign_in_are_sent_as_they_are_written(http: Http, target: Target) -> None:
    url = target.url("/hook").replace("http://", "http://ada:pa%3Ass@")
    found = await ask(http, url, method="PUT", headers={"X-Token": "word"}, body='{"a": "ä"}')
    assert (found.status, found.body) == (200, b"ok")
    (came,) = target.to("/hook")
    assert (came.method, came.body) == ("PUT", '{"a": "ä"}'.encode())
    assert came.headers["x-token"] == "word"
    assert came.headers["authorization"] == "basic ywrhonbhonnz"  # ada:pa:ss; the target notes headers in small letters
    await ask(http, target.url("/hook"), headers={"Authorization": "Bearer b"}, method="HEAD")
    assert (target.to("/hook")[-1].method, target.to("/hook")[-1].headers["authorization"]) == ("HEAD", "bearer b")


async def test_a_redirect_is_followed_or_is_the_answer_and_one_without_end_is_a_failure(
    http: Http, target: Target
) -> None:
    target.answer("/old", status=302, headers=(("Location", "/new"),))
    target.answer("/round", status=302, headers=(("Location", "/round"),))
    assert (await ask(http, target.url("/old"))).status == 200
    assert len(target.to("/new")) == 1
    kept = await ask(http, target.url("/old"), redirects=False)
    assert (kept.status, kept.headers["location"], len(target.to("/new"))) == (302, "/new", 1)
    assert (await ask(http, target.url("/round"))).cause is not None
    assert len(target.to("/round")) <= 12


async def test_it_goes_through_a_proxy_and_a_proxy_that_is_not_there_is_told(http: Http, target: Target) -> None:
    # A proxy is asked for the whole address of what is wanted, which nobody could reach directly.
    wanted = "http://shop.invalid/health"
    target.answer(wanted, body=b"by the proxy")
    found = await ask(http, wanted, proxy=target.url("").rstrip("/"))
    assert (found.status, found.body) == (200, b"by the proxy")
    (came,) = target.to(wanted)
    assert came.headers["host"] == "shop.invalid"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert (await ask(http, wanted, proxy=gone)).cause is Cause.REFUSED


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[::ffff:a9fe:a9fe]"])
async def test_a_proxy_is_not_asked_for_an_address_that_may_not_be_asked(http: Http, target: Target, host: str) -> None:
    proxy = target.url("").rstrip("/")
    denied = partial(addresses.denied, allowed=False)

    async def through(url: str) -> Facts:
        definition = Definition(name="x", url=url, timeout=3.0, proxy=proxy)
        return await probe.ask(http, probe.Target(id=1, definition=definition, denied=denied))

    assert (await through(f"http://{host}/latest")).cause is Cause.DENIED
    # Nor where the proxy's answer leads there.
    target.answer("http://shop.invalid/", status=302, headers=(("Location", f"http://{host}/latest"),))
    assert (await through("http://shop.invalid/")).cause is Cause.DENIED
    assert len(target.to("http://shop.invalid/")) == 1
    assert not [came for came in target.arrivals if "latest" in came.path]


@contextlib.asynccontextmanager
async def encrypted(pair: Pair) -> AsyncIterator[int]:
    """A server that answers over TLS; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def tunnels(to: int, asked: list[str], said: str = "200 Connected") -> AsyncIterator[str]:
    """A proxy that leads every CONNECT to one port, and notes what it is asked for; its address."""

    async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # one of the two has gone
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        writer.write(f"HTTP/1.1 {said}\r\n\r\n".encode())
        await writer.drain()
        if not said.startswith("200"):
            writer.close()
            return
        there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pour(reader, there[1]), pour(there[0], writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_https_goes_through_a_proxys_tunnel_and_the_certificate_is_the_services_own(
    http: Http, tmp_path: Path
) -> None:
    wanted = "https://shop.invalid/health"  # which nobody could reach directly
    pair = certificates.make(tmp_path, "shop", days=5, names="DNS:shop.invalid")
    asked: list[str] = []
    async with encrypted(pair) as port:
        async with tunnels(port, asked) as proxy:
            found = await ask(http, wanted, proxy=proxy, ca_file=str(pair.cert))
            assert (found.status, found.body) == (200, b"ok"), found.detail
            assert found.certificate is not None
            assert (found.certificate.subject, found.certificate.names) == ("shop", ("shop.invalid",))
            assert 4.9 * DAY < (found.certificate_s or 0) <= 5 * DAY
            assert {"tls", "wait", "transfer"} <= set(found.phases)
            # What comes through a tunnel is trusted no more than what comes without one.
            assert (await ask(http, wanted, proxy=proxy)).cause is Cause.CERTIFICATE
        assert asked == ["CONNECT shop.invalid:443 HTTP/1.1"] * 2
        async with tunnels(port, asked, "403 Not for you") as proxy:
            refused = await ask(http, wanted, proxy=proxy, ca_file=str(pair.cert))
            assert (refused.status, refused.cause, "403" in refused.detail) == (None, Cause.PROTOCOL, True)


async def test_of_a_chain_it_is_the_leaf_that_ends_and_one_without_its_intermediate_is_not_valid(
    http: Http, tmp_path: Path
) -> None:
    chain = certificates.chain(tmp_path, days=5)
    async with encrypted(chain.site) as port:
        found = await ask(http, f"https://localhost:{port}/", ca_file=str(chain.root))
        assert found.status == 200, found.detail
        assert found.certificate is not None
        assert (found.certificate.subject, found.certificate.issuer) == ("leaf", "middle")
        assert 4.9 * DAY < (found.certificate_s or 0) <= 5 * DAY
    async with encrypted(chain.alone) as port:
        found = await ask(http, f"https://localhost:{port}/", ca_file=str(chain.root))
        assert (found.status, found.cause, "issuer" in found.detail) == (None, Cause.CERTIFICATE, True), found.detail
    over = certificates.chain(tmp_path / "over", days=-1)
    async with encrypted(over.site) as port:
        found = await ask(http, f"https://localhost:{port}/", ca_file=str(over.root))
        assert (found.status, found.cause, "expired" in found.detail) == (None, Cause.CERTIFICATE, True), found.detail


async def test_each_probe_has_a_connection_of_its_own(http: Http, target: Target) -> None:
    phases = [list((await ask(http, target.url("/"))).phases) for _ in range(3)]
    assert phases == [["connect", "wait", "transfer"]] * 3


async def test_a_client_certificate_is_shown_to_who_asks_for_one(http: Http, tmp_path: Path) -> None:
    for name in ("server", "client"):
        (tmp_path / name).mkdir()
    server, client = (certificates.make(tmp_path / name, days=5) for name in ("server", "client"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(str(client.cert))
    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listening:
        url = f"https://localhost:{listening.sockets[0].getsockname()[1]}/"
        shown = {"certificate_file": str(client.cert), "key_file": str(client.key), "ca_file": str(server.cert)}
        assert (await ask(http, url, **shown)).status == 200
        without = await ask(http, url, ca_file=str(server.cert))
        assert (without.status, without.cause is None) == (None, False)


@pytest.mark.parametrize(("family", "address", "host"), [(4, "127.0.0.1", "127.0.0.1"), (6, "::1", "[::1]")])
async def test_of_both_families_the_one_that_is_wanted_is_asked_and_no_other(
    http: Http, family: int, address: str, host: str
) -> None:
    async with await asyncio.start_server(answer, address, 0) as server:
        url = f"http://{host}:{server.sockets[0].getsockname()[1]}/"
        found = await ask(http, url, family=family)
        assert (found.status, found.ip) == (200, address)
        other = await ask(http, url, family={4: 6, 6: 4}[family])
        assert (other.status, other.cause is None) == (None, False)


async def test_files_that_were_renewed_are_read_again_and_what_was_asked_by_the_old_ones_is_answered(
    tmp_path: Path, http: Http
) -> None:
    before, after = (certificates.make(tmp_path / name, name) for name in ("before", "after"))
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(before.cert.read_bytes())
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await goes_on.wait()
        await answer(reader, writer)

    def presenting(pair: Pair) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        return context

    async with (
        await asyncio.start_server(slow, "127.0.0.1", 0, ssl=presenting(before)) as old,
        await asyncio.start_server(answer, "127.0.0.1", 0, ssl=presenting(after)) as new,
    ):
        first, second = (f"localhost:{server.sockets[0].getsockname()[1]}" for server in (old, new))
        waits = asyncio.create_task(ask(http, f"https://{first}/", ca_file=str(ca_file)))
        await begun.wait()
        assert (await ask(http, f"https://{second}/", ca_file=str(ca_file))).cause is Cause.CERTIFICATE
        assert (await ask_tls(f"tls://{second}", str(ca_file))).cause is Cause.CERTIFICATE
        certificates.put(certificates.Pair(after.cert, after.key), certificates.Pair(ca_file, tmp_path / "key.pem"))
        assert (await ask(http, f"https://{second}/", ca_file=str(ca_file))).status == 200
        assert (await ask_tls(f"tls://{second}", str(ca_file))).cause is None
        goes_on.set()
        assert (await waits).status == 200
        # A third time nothing is made anew.
        made = connecting._context.cache_info().misses
        assert (await ask(http, f"https://{second}/", ca_file=str(ca_file))).status == 200
        assert connecting._context.cache_info().misses == made


async def ask_tls(url: str, ca_file: str) -> Facts:
    return await probe.ask(tls, probe.Target(id=1, definition=Definition(name="x", url=url, ca_file=ca_file)))


async def test_a_session_that_is_replaced_is_closed_with_the_last_request_that_goes_by_it(tmp_path: Path) -> None:
    pair = certificates.make(tmp_path)
    sessions = Sessions()
    definition = Definition(name="x", url="https://localhost/", ca_file=str(pair.cert))
    target = probe.Target(id=1, definition=definition)
    async with sessions.of(target) as first:
        async with sessions.of(target) as same:
            assert same is first
        certificates.put(certificates.make(tmp_path / "other"), pair)
        async with sessions.of(target) as second:
            assert second is not first
        assert not first.closed
    assert (first.closed, second.closed) == (True, False)
    await sessions.close()
    assert second.closed


async def test_a_header_is_text_whatever_its_bytes_and_of_two_the_first_counts(http: Http) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER.replace(b"\r\n\r\n", b"\r\nX-L: caf\xe9 \xc3\xa9\r\nX-Two: a\r\nX-Two: b\r\n\r\n"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        facts = await ask(http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert facts.headers["x-l"] == "caf\ufffd é"
    assert facts.headers["x-two"] == "a"


async def said(http: Http, raw: bytes, scheme: str = "http") -> Facts:
    """What is found where a server sends these bytes and closes, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(raw)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await ask(http, f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


NOT_BEGUN = "it sends something else where an answer begins, or more than the answer's length says"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok http://a.example/more\r\n\r\n", NOT_BEGUN),
        (b"HTTP/1.1 204 No Content\r\n\r\na body all the same\r\n\r\n", NOT_BEGUN),
        (b"SSH-2.0-OpenSSH_9.2\r\n", NOT_BEGUN),
        (ANSWER.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n"), "Duplicate Content-Length"),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "Invalid header token"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "Bad status line: Invalid status code"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "Got more than 65536 bytes when reading"),
    ],
)
async def test_broken_http_is_told_in_one_line_without_what_was_sent(http: Http, raw: bytes, why: str) -> None:
    found = await said(http, raw)
    assert (found.cause, found.detail) == (Cause.PROTOCOL, f"it answers in broken HTTP: {why}")


@pytest.mark.parametrize("scheme", ["https", "tls"])
async def test_who_hangs_up_on_tls_is_told_so(http: Http, scheme: str) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await ask(http, url) if scheme == "https" else await ask_tls(url, "")
    assert found.cause is Cause.RESET
    assert found.detail == "it closed the connection in the TLS handshake; perhaps it speaks no TLS at that port"


@pytest.mark.parametrize("scheme", ["https", "tls"])
async def test_who_speaks_no_tls_is_told_so_in_words(http: Http, target: Target, scheme: str) -> None:
    url = target.url().replace("http://", f"{scheme}://").rstrip("/")
    found = await ask(http, url) if scheme == "https" else await ask_tls(url, "")
    assert found.cause is Cause.TLS
    assert found.detail.startswith("what answers there speaks no TLS; perhaps it wants http://"), found.detail
