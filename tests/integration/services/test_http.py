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

from daemon.services.probes import probe
from daemon.services.probes.http import Http
from daemon.services.rules import addresses
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes.target import Target
from tests.fixtures import certificates

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with Target() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    made = Http()
    yield made
    await made.close()


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
