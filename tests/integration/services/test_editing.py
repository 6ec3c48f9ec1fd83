"""A service that is changed while it is probed: what was asked of the old URL is not what the new one answers."""

import asyncio
import time

from ipc.messages.services import ChangeService, ListResults, ResultsReply
from schema.definitions import Definition
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
