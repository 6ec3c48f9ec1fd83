"""A service that is changed while it is probed: what was asked of the old URL is not what the new one answers."""

import asyncio
import time

import msgspec

from ipc.messages.incidents import AddWindow, ListWindows
from ipc.messages.services import (
    ChangeService,
    ExportServices,
    ImportServices,
    ListResults,
    RemoveServices,
    ResultsReply,
    ServiceReply,
    ShowService,
)
from schema.definitions import Definition, Window
from schema.monitored import Monitored
from tests.fakes.target import Target
from tests.integration.services.world import World


async def test_what_an_old_url_answers_after_the_change_is_not_recorded_as_the_new_ones(
    world: World, target: Target
) -> None:
    target.answer("/old", status=500, delay=0.6)
    service = await world.add("web", "/old", timeout=5.0, interval=60.0)
    end = time.monotonic() + 5
    while not target.to("/old"):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    wanted = Definition(name="web", url=target.url("/new"), interval=60.0)
    await world.ask(ChangeService(id=service.id, version=service.version, definition=wanted, by="ada"))
    await world.until(service, "healthy")
    await asyncio.sleep(1.0)  # the old answer has come by now
    found: ResultsReply = await world.ask(ListResults(id=service.id))
    assert [result.status.value for result in found.results] == ["healthy"]
    assert (await world.show(service)).status == "healthy"
    assert await world.told() == []
    assert (len(target.to("/old")), len(target.to("/new"))) == (1, 1)


async def test_who_depends_on_a_service_that_is_renamed_or_removed_depends_on_its_new_name_or_on_nothing(
    world: World,
) -> None:
    parent = await world.add("par", paused=True)
    child = await world.add("kid", needs=("par",), paused=True)

    async def shown() -> ServiceReply:
        found: ServiceReply = await world.ask(ShowService(id=child.id))
        return found

    await rename(world, parent, "par2")
    found = await shown()
    assert (found.definition.needs, found.service.version) == (("par2",), 2)
    # It can be changed as ever, and what is exported can be taken in.
    wanted = msgspec.structs.replace(found.definition, description="more")
    await world.ask(ChangeService(id=child.id, version=2, definition=wanted, by="ada"))
    exported = (await world.ask(ExportServices())).text
    assert (await world.ask(ImportServices(text=exported, file="s.yml", by="ada"))).unchanged == 2
    # By its file it is written otherwise.
    text = exported.replace("par2", "Par2", 1).replace("- par2", "- Par2")
    assert (await world.ask(ImportServices(text=text, file="s.yml", by="ada"))).errors == []
    assert (await shown()).definition.needs == ("Par2",)
    await world.ask(RemoveServices(ids=[parent.id], by="ada"))
    found = await shown()
    assert found.definition.needs == ()
    audited = await world.rows("SELECT detail FROM audit WHERE subject = 'kid' AND detail LIKE 'needs%' ORDER BY id")
    assert [row["detail"] for row in audited] == ["needs: par is par2 now", "needs: Par2 was removed"]


async def test_a_child_of_a_service_that_was_removed_is_judged_by_itself(world: World, target: Target) -> None:
    target.answer("/", status=500)
    parent = await world.add("par")
    child = await world.add("kid", needs=("par",))
    await world.until(child, "blocked")
    await world.ask(RemoveServices(ids=[parent.id], by="ada"))
    await world.until(child, "down")


async def test_a_service_that_is_renamed_within_its_window_stays_in_it(world: World, target: Target) -> None:
    service = await world.add("par")
    await world.until(service, "healthy")
    await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, services=("par",)), by="ada"))
    both = Window(title="both", minutes=30, services=("par",), tags=("lab",), starts_at="2999-01-01T00:00:00Z")
    await world.add("other", "/other", tags=("lab",))
    await world.ask(AddWindow(window=both, by="ada"))
    await rename(world, service, "par2")
    target.answer("/", status=500)
    await world.until(service, "maintenance")
    assert await world.told() == []
    await world.ask(RemoveServices(ids=[service.id], by="ada"))
    windows = (await world.ask(ListWindows())).windows
    assert [(one.window.title, one.window.services) for one in windows] == [("both", ())]


async def rename(world: World, service: Monitored, name: str) -> None:
    found: ServiceReply = await world.ask(ShowService(id=service.id))
    wanted = msgspec.structs.replace(found.definition, name=name)
    await world.ask(ChangeService(id=service.id, version=found.service.version, definition=wanted, by="ada"))
