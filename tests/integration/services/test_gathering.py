"""Findings that are stored together: one transaction for many; one that fails keeps nothing from the others."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from daemon.services import recorder
from daemon.services.gathering import GROUP_MAX, Gathering
from daemon.services.recorder import Finding, Recorded, Ways
from daemon.services.rules.policies import Policy
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from schema.database import Database, DatabaseError, DiskFullError
from schema.definitions import Definition
from schema.facts import Facts
from schema.states import ServiceStatus
from tests.integration.services.world import World

AT = 1_768_003_200_000
WAYS = Ways(lambda definition, at: False, lambda definition: Policy(), str)


def finding(service_id: int, number: int = 0) -> Finding:
    return Finding(service_id, 1, AT + number, Facts(latency_ms=1.0, status=200), Verdict(Outcome.HEALTHY))


async def services(world: World, count: int) -> list[int]:
    made = [(await world.add(f"s{number}", paused=False, interval=600.0)).id for number in range(count)]
    await world.rest()
    return made


def recorded(changes: Gathering, found: Finding) -> Coroutine[Any, Any, Recorded | None]:
    return changes.write(lambda db: recorder.record(db, found, Definition(name="any", url="http://any"), WAYS))


async def record(changes: Gathering, ids: list[int]) -> list[Any]:
    found: list[Any] = await asyncio.gather(*(recorded(changes, finding(id_)) for id_ in ids), return_exceptions=True)
    return found


async def test_many_findings_are_one_transaction_and_each_hears_what_became_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await services(world, 20)
    begun: list[Any] = []
    write = world.place.store.write

    async def counted(work: Any) -> Any:
        begun.append(work)
        return await write(work)

    monkeypatch.setattr(world.place.store, "write", counted)
    found = await record(Gathering(world.place.store), [*ids, 999])
    assert [one.status for one in found[:-1]] == [ServiceStatus.HEALTHY] * 20
    assert found[-1] is None  # it is not there any more
    assert len(begun) == 1, begun
    stored = await world.rows(f"SELECT service_id FROM results WHERE at = {AT} ORDER BY service_id")
    assert [row["service_id"] for row in stored] == ids


async def test_a_finding_that_cannot_be_stored_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await services(world, 5)
    whole = recorder.record

    def broken(db: Database, found: Finding, *rest: Any, **more: Any) -> Recorded | None:
        recorded = whole(db, found, *rest, **more)
        if found.service_id == ids[2]:
            raise ValueError("this one")
        return recorded

    monkeypatch.setattr(recorder, "record", broken)
    found = await record(Gathering(world.place.store), ids)
    assert [type(one) for one in found] == [Recorded, Recorded, ValueError, Recorded, Recorded]
    stored = await world.rows(f"SELECT service_id FROM results WHERE at = {AT} ORDER BY service_id")
    assert [row["service_id"] for row in stored] == [*ids[:2], *ids[3:]]


async def test_trouble_of_the_database_is_told_to_everybody_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await services(world, 3)
    tried: list[bool] = []

    async def full(work: Any) -> Any:
        tried.append(True)
        raise DiskFullError("full")

    monkeypatch.setattr(world.place.store, "write", full)
    found = await record(Gathering(world.place.store), ids)
    assert all(isinstance(one, DatabaseError) for one in found)
    assert len(tried) == 1


async def test_what_waits_is_stored_at_the_end_and_so_is_a_group_that_is_full(world: World) -> None:
    (id_,) = await services(world, 1)
    changes = Gathering(world.place.store)
    last = asyncio.create_task(recorded(changes, finding(id_)))
    await asyncio.sleep(0)
    await changes.close()
    assert (await last) is not None
    many = (recorded(changes, finding(id_, number)) for number in range(1, GROUP_MAX + 1))
    assert len(await asyncio.gather(*many)) == GROUP_MAX
    assert (await world.rows("SELECT count(*) AS count FROM results"))[0]["count"] >= GROUP_MAX + 1
