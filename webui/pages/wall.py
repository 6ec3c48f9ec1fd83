"""Services for a screen on a wall: a tile each, what fails first and large, nothing to be pressed.

GET /services/wall and /services/wall.json; `tag` and `q` in the address choose, as in the list.
"""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats, keyed, probed, probed_rows
from webui.pages.formats import At
from webui.pages.probed import Filters, Found
from webui.pages.probed_rows import FINE, LOOKS, ORDER
from webui.parts import parts

TILES = 300


class Tile(NamedTuple):
    """One service. `fine`: it may be small."""

    id: int
    name: str
    tone: str
    icon: str
    word: str
    detail: str
    since: At | None
    latency: str
    fine: bool


class Tally(NamedTuple):
    """How many have a status."""

    tone: str
    icon: str
    word: str
    number: int


class WallPage(NamedTuple):
    """The page's context. `more`: services that have no tile."""

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    tallies: list[Tally]
    tiles: list[Tile]
    more: int
    of: str


def tiles(found: Found, now: datetime) -> list[Tile]:
    """The tiles, the worst first."""
    rows = [(service, probed_rows.row(service, now)) for service in found.services[:TILES]]
    return [
        Tile(row.id, row.name, row.tone, row.icon, row.word, row.detail, row.since, row.latency, service.status in FINE)
        for service, row in rows
    ]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /services/wall."""
    here = parts(request)
    filters = Filters(q=keyed.words(request.query, "q"), tag=keyed.words(request.query, "tag"))
    found = await here.state.read(lambda database: probed.find(database, filters, size=TILES))
    if is_json(request):
        return json_response({"services": found.services, "counts": found.counts})
    counts = Counter(found.counts)
    context = WallPage(
        shell=shell.build(request, "Wall", "services"),
        stream="/live?page=wall",
        mark=here.feed.mark("services"),
        here_href=keyed.address("/services/wall", {"q": filters.q, "tag": filters.tag}),
        tallies=[
            Tally(LOOKS[status].tone, LOOKS[status].icon, LOOKS[status].word, counts[status.value])
            for status in ORDER
            if counts[status.value]
        ],
        tiles=tiles(found, formats.now()),
        more=max(0, len(found.ids) - TILES),
        of=" ".join(filter(None, (filters.tag, filters.q))),
    )
    return shell.page(request, "wall.html", context)
