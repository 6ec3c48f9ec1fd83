"""PostgreSQL and MySQL, as servers that speak their protocols answer: a sign-in, a refusal, silence, nobody there."""

import pytest

from daemon.services.probes import probe
from daemon.services.probes.mysql import mysql
from daemon.services.probes.postgres import postgres
from daemon.services.probes.probe import Probe, Target
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes import databases
from tests.fakes.databases import MYSQL_VERSION, PASSWORD, USER, VERSION, Serve

BOTH = pytest.mark.parametrize(
    ("kind", "serve", "asks", "version"),
    [
        ("postgres", databases.postgres, postgres, VERSION),
        ("mysql", databases.mysql, mysql, MYSQL_VERSION),
    ],
)


async def ask(asks: Probe, url: str, timeout: float = 5.0) -> Facts:
    return await probe.ask(asks, Target(id=1, definition=Definition(name="db", url=url, timeout=timeout)))


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
