"""PostgreSQL and MySQL, as servers that speak their protocols answer: a sign-in, a refusal, silence, nobody there."""

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.services.probes import probe
from daemon.services.probes.mysql import mysql
from daemon.services.probes.postgres import postgres
from daemon.services.probes.probe import Probe, Target
from daemon.services.probes.resolving import AddressInfo, Lookups
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes import databases
from tests.fakes.databases import MYSQL_VERSION, PASSWORD, USER, VERSION, Serve
from tests.fixtures import certificates
from tests.fixtures.certificates import Pair

BOTH = pytest.mark.parametrize(
    ("kind", "serve", "asks", "version"),
    [
        ("postgres", databases.postgres, postgres, VERSION),
        ("mysql", databases.mysql, mysql, MYSQL_VERSION),
    ],
)


async def ask(asks: Probe, url: str, timeout: float = 5.0, **more: Any) -> Facts:
    definition = Definition(name="db", url=url, timeout=timeout, **more)
    return await probe.ask(asks, Target(id=1, definition=definition, lookups=Several("127.0.0.1")))


class Several(Lookups):
    """Names that stand for the addresses of a test, in their order."""

    def __init__(self, *ips: str) -> None:
        super().__init__()
        self._ips = ips

    async def addresses(self, host: str, port: int, family: int = 0, flags: int = 0) -> list[AddressInfo]:
        """Those, whatever the name is."""
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (ip, port)) for ip in self._ips]


@BOTH
async def test_a_sign_in_that_works_says_the_servers_version(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    async with databases.listening(serve) as port:
        facts = await ask(asks, f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{port}/app")
    assert (facts.cause, facts.detail) == (None, "")
    assert (facts.connected, facts.ip, facts.body.decode()) == (True, "127.0.0.1", version)
    assert (facts.latency_ms or 0) > 0


@BOTH
async def test_a_wrong_password_is_told_in_the_servers_words_and_is_in_none_of_them(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    async with databases.listening(serve) as port:
        facts = await ask(asks, f"{kind}://{USER}:wrong-word@127.0.0.1:{port}/app")
    assert facts.cause is Cause.FAILED
    assert USER in facts.detail
    assert "wrong-word" not in facts.detail


@BOTH
async def test_a_server_that_says_nothing_is_a_timeout_and_one_that_is_not_there_is_refused(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    async with databases.listening(databases.silent) as port:
        facts = await ask(asks, f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{port}/app", timeout=0.4)
        assert facts.cause is Cause.TIMEOUT
        assert 400 <= (facts.latency_ms or 0) < 3000
    facts = await ask(asks, f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{port}/app")
    assert (facts.cause, facts.detail) == (Cause.REFUSED, "connection refused")


@BOTH
async def test_a_server_of_another_protocol_is_a_failure_of_its_own(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    other = databases.mysql if serve is databases.postgres else databases.postgres
    async with databases.listening(other) as port:
        facts = await ask(asks, f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{port}/app", timeout=1.0)
    assert facts.cause in (Cause.FAILED, Cause.PROTOCOL, Cause.TIMEOUT, Cause.RESET)


NOBODY = "127.0.0.2"  # a server listens at 127.0.0.1 alone


@BOTH
async def test_of_several_addresses_the_first_is_asked_that_takes_a_connection(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    async with databases.listening(serve) as port:
        definition = Definition(name="db", url=f"{kind}://{USER}:{PASSWORD}@db.invalid:{port}/app", timeout=5.0)
        facts = await probe.ask(asks, Target(id=1, definition=definition, lookups=Several(NOBODY, "127.0.0.1")))
    assert (facts.cause, facts.ip, facts.body.decode()) == (None, "127.0.0.1", version), facts.detail


@BOTH
@pytest.mark.parametrize("ips", [(NOBODY, "127.0.0.1"), ("127.0.0.1", NOBODY), ("127.0.0.1",)])
async def test_an_address_that_may_not_be_asked_is_not_asked_wherever_it_stands_among_others(
    kind: str, serve: Serve, asks: Probe, version: str, ips: tuple[str, ...]
) -> None:
    came = 0

    async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        await serve(reader, writer)

    def denied(address: str) -> str | None:
        return "not for you" if address == "127.0.0.1" else None

    async with databases.listening(counts) as port:
        definition = Definition(name="db", url=f"{kind}://{USER}:{PASSWORD}@db.invalid:{port}/app", timeout=5.0)
        target = Target(id=1, definition=definition, denied=denied, lookups=Several(*ips))
        facts = await probe.ask(asks, target)
        assert (facts.cause, came) == (Cause.REFUSED if NOBODY in ips else Cause.DENIED, 0), facts.detail


@BOTH
async def test_the_family_that_is_wanted_is_asked_and_no_other(
    kind: str, serve: Serve, asks: Probe, version: str
) -> None:
    async with databases.listening(serve) as port:
        for family, wanted in ((4, version), (6, "")):
            url = f"{kind}://{USER}:{PASSWORD}@localhost:{port}/app"
            target = Target(id=1, definition=Definition(name="db", url=url, timeout=5.0, family=family))
            assert (await probe.ask(asks, target)).body.decode() == wanted


async def test_it_is_signed_in_with_what_the_url_says_and_not_with_what_the_daemon_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / ".pgpass"
    kept.write_text(f"*:*:*:*:{PASSWORD}\n")
    kept.chmod(0o600)
    async with databases.listening(databases.postgres) as port:
        url = f"postgres://{USER}@127.0.0.1:{port}/app"
        for name, value in (("PGPASSWORD", PASSWORD), ("PGPASSFILE", str(kept)), ("HOME", str(tmp_path))):
            with monkeypatch.context() as here:
                here.setenv(name, value)
                facts = await ask(postgres, url)
            assert (facts.cause, "password authentication failed" in facts.detail) == (Cause.FAILED, True), name
        for name, value in (("PGUSER", "nobody"), ("PGSSLMODE", "require"), ("PGTARGETSESSIONATTRS", "no-such")):
            monkeypatch.setenv(name, value)
        for given in (
            url.replace("@", f":{PASSWORD}@"),
            f"postgres://127.0.0.1:{port}/?user={USER}&password={PASSWORD}",
        ):
            facts = await ask(postgres, given)
            assert facts.body.decode() == VERSION, facts.detail


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for db.invalid, which 127.0.0.1 stands for here."""
    return certificates.make(tmp_path_factory.mktemp("tls"), "db", days=5, names="DNS:db.invalid")


@BOTH
async def test_it_is_signed_in_over_tls_where_the_server_offers_it_and_the_certificate_is_judged_by_the_name(
    kind: str, serve: Serve, asks: Probe, version: str, pair: Pair
) -> None:
    encrypted = {"postgres": partial(databases.postgres, pair=pair), "mysql": partial(databases.mysql, pair=pair)}
    async with databases.listening(encrypted[kind]) as port:
        url = f"{kind}://{USER}:{PASSWORD}@db.invalid:{port}/app"
        found = await ask(asks, url, ca_file=str(pair.cert))
        assert (found.cause, found.body.decode(), found.ip) == (None, version, "127.0.0.1"), found.detail
        assert found.certificate is not None
        assert (found.certificate.names, 4 < (found.certificate_s or 0) / 86400 <= 5) == (("db.invalid",), True)
        for unjudged in (await ask(asks, url), await ask(asks, url, ca_file=str(pair.cert), verify=False)):
            assert (unjudged.cause, unjudged.certificate) == (None, found.certificate)
        other = await ask(asks, url, ca_file=str(pair.cert), server_name="other.invalid")
        assert other.cause is Cause.CERTIFICATE
        address = await ask(asks, url.replace("db.invalid", "127.0.0.1"), ca_file=str(pair.cert))
        assert address.cause is Cause.CERTIFICATE
        # Who took the connection has answered: no other address is asked.
        definition = Definition(name="db", url=url, timeout=5.0, ca_file=str(pair.cert), server_name="other.invalid")
        target = Target(id=1, definition=definition, lookups=Several("127.0.0.1", NOBODY))
        assert (await probe.ask(asks, target)).cause is Cause.CERTIFICATE
    async with databases.listening(serve) as port:
        plain = await ask(asks, f"{kind}://{USER}:{PASSWORD}@db.invalid:{port}/app", ca_file=str(pair.cert))
        assert (plain.cause, plain.certificate, plain.body.decode()) == (None, None, version)


async def test_postgresqls_sslmode_says_whether_tls_has_to_be_or_may_not_be(pair: Pair) -> None:
    url = f"postgres://{USER}:{PASSWORD}@db.invalid:{{}}/app?sslmode={{}}"
    async with databases.listening(databases.postgres) as port:
        required = await ask(postgres, url.format(port, "require"))
        assert (required.cause, "SSL" in required.detail) == (Cause.PROTOCOL, True)
        unknown = await ask(postgres, url.format(port, "sometimes"))
        assert (unknown.cause, "sslmode" in unknown.detail) == (Cause.FAILED, True)
    async with databases.listening(partial(databases.postgres, pair=pair)) as port:
        for mode in ("verify-ca", "verify-full"):
            assert (await ask(postgres, url.format(port, mode))).cause is Cause.CERTIFICATE
        assert (await ask(postgres, url.format(port, "require"))).cause is None
        without = await ask(postgres, url.format(port, "disable"))
        assert (without.cause, without.certificate) == (None, None)


@pytest.mark.parametrize(("sha2", "encrypted"), [("fast", False), ("fast", True), ("full", True)])
async def test_mysqls_own_way_of_signing_in_works_and_refuses(pair: Pair, sha2: str, encrypted: bool) -> None:
    serve = partial(databases.mysql, sha2=sha2, pair=pair if encrypted else None)
    async with databases.listening(serve) as port:
        url = f"mysql://{USER}:{PASSWORD}@db.invalid:{port}/app"
        found = await ask(mysql, url, ca_file=str(pair.cert))
        assert (found.cause, found.body.decode()) == (None, MYSQL_VERSION), found.detail
        refused = await ask(mysql, url.replace(PASSWORD, "wrong-word"), ca_file=str(pair.cert))
        assert (refused.cause, "Access denied" in refused.detail) == (Cause.FAILED, True), refused.detail


async def test_mysqls_full_authentication_without_tls_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    async with databases.listening(partial(databases.mysql, sha2="full")) as port:
        found = await ask(mysql, f"mysql://{USER}:{PASSWORD}@db.invalid:{port}/app")
    assert (found.cause, "needs TLS" in found.detail) == (Cause.FAILED, True), found.detail
    assert capsys.readouterr().err == ""
