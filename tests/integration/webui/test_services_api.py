"""The API's services: lists that are filtered, and what is imported, exported and removed by programs."""

from typing import Any

import aiohttp

from schema.states import Role
from tests.integration.webui import rows
from tests.integration.webui.site import Site
from tests.integration.webui.test_tokens import program, token


async def listed(caller: aiohttp.ClientSession, query: str) -> dict[str, Any]:
    async with caller.get(f"/api/v1/services?{query}") as response:
        found: dict[str, Any] = await response.json()
    assert response.status == 200, found
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [service["name"] for service in found["services"]]


async def test_a_list_finds_what_matches_however_far_behind_and_says_where_it_goes_on(site: Site) -> None:
    with site.worker.database.transaction():
        for number in range(261):
            rows.probed(site.worker.database, f"a-{number:03d}", findings=False, tags=("prod",) if number % 2 else ())
        rows.probed(site.worker.database, "zzz", "down", findings=False, tags=("prod",), group="Shop")
    caller = program(site, token(site, Role.VIEWER))
    down = await listed(caller, "status=down")
    assert (names(down), down["next"]) == (["zzz"], "")
    assert down["counts"] == {"healthy": 261, "down": 1}
    tagged = await listed(caller, "tag=prod&limit=200")
    assert len(tagged["services"]) == 131
    assert (names(tagged)[-1], tagged["next"]) == ("zzz", "")
    for words, wanted in (("ZZ", "zzz"), ("zzz.example.org/h", "zzz"), ("shop", "zzz"), ("a-26", "a-260")):
        assert names(await listed(caller, f"q={words}")) == [wanted], words
    assert len(names(await listed(caller, "q=pro&status=healthy&limit=1000"))) == 130
    seen, after = [], ""
    while True:
        page = await listed(caller, f"tag=prod&limit=50&after={after}")
        seen += names(page)
        after = page["next"]
        if not after:
            break
        assert (len(page["services"]), after) == (50, names(page)[-1])
    assert seen == names(tagged)
    # A page that is full with the last that there is has nothing behind it.
    assert (await listed(caller, "limit=262"))["next"] == ""
    assert (await listed(caller, "limit=261"))["next"] == "a-260"
