"""Names that no name server answers for: they keep nobody else waiting, however many there are."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from daemon.services.probes import probe
from daemon.services.probes.http import Http
from daemon.services.probes.probe import Probe
from daemon.services.probes.requesting import Sessions
from daemon.services.probes.resolving import Lookups
from daemon.services.probes.tcp import tcp
from daemon.services.probes.websocket import WebSocket
from schema.definitions import Definition
from schema.facts import Cause
from tests.fakes.target import Target
from tests.integration.services.world import World

HANGS = 12  # twice what asyncio's own threads are on two processors


class Resolver:
    """The system's, which does not answer for names below .silent until it is told to."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.threads: list[threading.Thread] = []
        self.answers = threading.Event()
        self._system = socket.getaddrinfo

    def __call__(self, host: Any, *more: Any, **named: Any) -> Any:
        if isinstance(host, str) and host.endswith(".silent"):
            if (more[4] if len(more) > 4 else named.get("flags", 0)) & socket.AI_NUMERICHOST:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            self.asked[host] += 1
            self.threads.append(threading.current_thread())
            self.answers.wait(30)
            return self._system("127.0.0.1", *more, **named)
        return self._system(host, *more, **named)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.answers.set()


@pytest.mark.parametrize("kind", ["http", "tcp"])
async def test_names_that_hang_keep_no_other_service_from_being_probed(
    world: World, target: Target, resolver: Resolver, kind: str
) -> None:
    hang = [await world.add(f"s{one}", url=f"{kind}://s{one}.silent:9/", timeout=0.5) for one in range(HANGS)]
    for service in hang:
        found = await world.until(service, "timeout")
        assert "while the name was resolved" in found.detail
    healthy = await world.add("web", url=f"{kind}://localhost:{target.port}/", timeout=5.0)
    assert (await world.until(healthy, "healthy", within=4.0)).latency_ms is not None
    async with asyncio.timeout(2):
        await asyncio.to_thread(time.sleep, 0)
    # Each was probed again meanwhile, and asked for once: what hangs is shared.
    for service in hang:
        await world.until(service, lambda now: len(now.beats) > 1)
    assert resolver.asked == Counter({f"s{one}.silent": 1 for one in range(HANGS)})
    # The worker does not wait for them at its end.
    assert all(thread.daemon for thread in resolver.threads)
    resolver.answers.set()
    for service in hang:
        await world.until(service, lambda now: now.cause == "refused")


async def test_as_many_names_are_resolved_at_once_as_services_are_probed(resolver: Resolver) -> None:
    places = 2
    lookups = Lookups(lambda: places)
    before = threading.active_count()
    assert [info[4] for info in await lookups.addresses("127.0.0.1", 9)] == [("127.0.0.1", 9)]
    assert threading.active_count() == before  # nothing needs to be resolved
    asked = [asyncio.create_task(lookups.addresses(f"s{one}.silent", 9)) for one in (1, 2, 3)]
    await until(lambda: len(resolver.asked) == 2)
    await asyncio.sleep(0.1)
    assert sorted(resolver.asked) == ["s1.silent", "s2.silent"]
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    again = asyncio.create_task(lookups.addresses("s3.silent", 9))
    resolver.answers.set()
    assert [info[4] for info in await again] == [("127.0.0.1", 9)]
    assert resolver.asked["s3.silent"] == 1
    await until(lambda: threading.active_count() == before)


async def test_a_name_that_can_not_be_is_told_to_all_who_ask_for_it() -> None:
    lookups = Lookups()
    asked = [asyncio.create_task(lookups.addresses("no-such-host.invalid", 9)) for _ in range(3)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, socket.gaierror) for one in found), found


@pytest.mark.parametrize("url", ["http://exa_mple..org/", "ws://exa_mple..org/", "tcp://exa_mple..org:9"])
async def test_what_can_be_no_name_is_no_fault_of_the_probe(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    # A variable may have filled it in, or a redirect lead to it.
    sessions = Sessions()
    asks: dict[str, Probe] = {"http": Http(sessions), "ws": WebSocket(sessions), "tcp": tcp}
    definition = Definition(name="x", url=url)
    found = await probe.ask(asks[url.partition(":")[0]], probe.Target(id=1, definition=definition))
    await sessions.close()
    assert (found.cause, "empty or too long" in found.detail) == (Cause.DNS, True), found.detail
    assert capsys.readouterr().err == ""


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)
