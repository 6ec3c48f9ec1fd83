"""What a service is signed in to with stands in no finding, however its probe fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.services.probes import probe
from daemon.services.probes.http import Http
from daemon.services.probes.probe import ProbeError
from daemon.services.probes.requesting import Sessions
from ipc.messages.services import PauseServices, TriedReply, TryService
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes.target import Target
from tests.integration.services.world import World

SECRET = "SEKRET-w0rd"


@asynccontextmanager
async def refusing_proxy() -> AsyncIterator[str]:
    """A proxy that lets nobody through, however they sign in; its address, with what they sign in with."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked has gone
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://pu:{SECRET}@127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def everything(world: World) -> str:
    """All that the database holds."""
    tables = await world.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return "\n".join([str(await world.rows(f'SELECT * FROM "{table["name"]}"')) for table in tables])


async def test_a_proxys_password_reaches_neither_database_nor_people_nor_a_sessions_prompt(world: World) -> None:
    async with refusing_proxy() as proxy:
        service = await world.add("web", url="https://shop.invalid/", proxy=proxy, session_tier=2, timeout=5.0)
        found = await world.until(service, "down")
    assert (found.cause, found.detail) == ("protocol", "the proxy answers 407")
    (trigger,) = await world.rows("SELECT prompt FROM triggers")
    entries = await world.rows("SELECT text FROM incident_entries")
    told = await world.rows("SELECT title, body FROM notifications")
    for texts in ([trigger], entries, told):
        assert "the proxy answers 407" in str(texts)
    assert SECRET not in await everything(world)
    for path in world.place.directory.rglob("claudeops.db*"):
        assert SECRET.encode() not in path.read_bytes()


async def test_a_service_without_its_variable_is_unknown_and_says_so_until_it_is_there_again(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBE_KEY=SECRET)
    try:
        services = [await world.add(f"web-{n}", f"/{n}", headers={"X-Key": "$KEY"}) for n in range(7)]
        for service in services:
            await world.until(service, "healthy")
        target.answer("/0", status=503)
        await world.until(services[0], "down")
        assert world.services.warnings() == []
        whole = dict(world.settings.environ)
        world.settings.reload({name: value for name, value in whole.items() if name != "CLAUDEOPS_PROBE_KEY"})
        for service in services:
            found = await world.until(service, "unknown")
            assert found.detail.startswith("it is not probed: ")
            assert "CLAUDEOPS_PROBE_KEY" in found.detail
        (said,) = world.services.warnings()
        assert said.startswith("web-0, web-1, web-2, web-3, web-4 and 2 more are not probed: $KEY: ")
        assert "CLAUDEOPS_PROBE_KEY; set it, and reload" in said
        target.arrivals.clear()
        # The same after a restart, and it is found once.
        await world.again()
        await world.until(services[6], lambda now: now.beats.endswith("uu"))
        assert len(world.services.warnings()) == 1
        assert target.arrivals == []
        await world.ask(PauseServices(ids=[services[6].id], paused=True))
        assert "web-4 and 1 more" in world.services.warnings()[0]
        assert await world.told() == ["web-0 is down"]  # its incident goes on
        target.answer("/0")
        world.settings.reload(whole)
        for service in services[:6]:
            await world.until(service, "healthy")
        assert world.services.warnings() == []
        assert await world.told() == ["web-0 is down", "web-0 works again"]
    finally:
        await world.close()


async def test_an_answer_that_tells_what_it_was_asked_with_tells_nobody_else(world: World, target: Target) -> None:
    echo = b'{"authorization": "Bearer ' + SECRET.encode() + b'"}'
    target.answer("/", body=echo, headers=(("X-Echo", SECRET),))
    service = await world.add(
        "web",
        headers={"Authorization": f"Bearer {SECRET}"},
        conditions=("[BODY].authorization == me",),
        warnings=("[HEADER].x-echo == me",),
    )
    found = await world.until(service, "down")
    assert found.detail == "[BODY].authorization (***) == me"
    tried: TriedReply = await world.ask(TryService(id=service.id))
    assert [one.shown for one in tried.conditions] == [found.detail, "[HEADER].x-echo (***) == me"]
    assert tried.facts.body == b'{"authorization": "***"}'
    assert SECRET not in await everything(world)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (f"http://ada:{SECRET}@[::bad/", "leads to an address that is none"),
        (f"ftp://ada:{SECRET}@files.example/", "leads to an address that is not of HTTP"),
    ],
)
async def test_a_redirect_to_what_is_no_address_does_not_tell_the_password_in_it(
    target: Target, location: str, said: str
) -> None:
    target.answer("/", status=302, headers=(("Location", location),))
    sessions = Sessions()
    found = await ask(Http(sessions), Definition(name="x", url=target.url(), timeout=3.0))
    await sessions.close()
    assert (found.cause, said in found.detail) == (Cause.PROTOCOL, True), found.detail
    assert SECRET not in found.detail


async def ask(asks: Any, definition: Definition) -> Facts:
    return await probe.ask(asks, probe.Target(id=1, definition=definition))


@pytest.mark.parametrize(
    "more",
    [
        {"url": f"https://ada:{SECRET}@shop.example/"},
        {"url": f"https://shop.example/?token={SECRET}"},
        {"url": "https://shop.example/", "proxy": f"http://pu:{SECRET}@proxy.example:3128"},
        {"url": "https://shop.example/", "headers": {"Authorization": f"Bearer {SECRET}"}},
        {"url": f"postgres://app:{SECRET}@db.example/"},
        {"url": "https://ada:SEKRET%2Dw0rd@shop.example/"},
        {"url": f"https://{SECRET}@shop.example/"},
        {"url": f"https://{SECRET}:@shop.example/"},
        {"url": "https://shop.example/", "headers": {"X-Auth-Key": SECRET}},
    ],
)
async def test_whatever_a_probe_says_its_targets_secrets_are_masked_in_it(
    more: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(target: probe.Target) -> Facts:
        raise ProbeError(Cause.FAILED, f"no such word: {SECRET} (https://other:pa:ss@elsewhere.example/a@b)")

    found = await ask(fails, Definition(name="x", **more))
    assert found.detail == "no such word: *** (https://***@elsewhere.example/a@b)"

    async def breaks(target: probe.Target) -> Facts:
        raise RuntimeError(f"unexpected: {SECRET}")

    await ask(breaks, Definition(name="x", **more))
    log = capsys.readouterr().err
    assert "unexpected: ***" in log
    assert SECRET not in log
