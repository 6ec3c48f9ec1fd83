"""Every memory that the filters let in, as JSON or as Markdown, written a page of rows at a time.

GET /memories.json and /memories.md come here, and GET /memories where JSON is wanted: however many there are, an export
has all of them and holds few.
"""

from collections.abc import AsyncIterator
from functools import partial
from itertools import groupby
from typing import NamedTuple

import msgspec
from aiohttp import web

from schema.database import Database
from schema.knowledge import Memory
from webui.api.lines import Lines
from webui.negotiation import JSON
from webui.pages import memory_rows
from webui.pages.memory_rows import Filters
from webui.parts import Parts, parts

PAGE = 500
Kind = tuple[str | None, bool]  # a service (None: of none), and whether what is active or what is not


class Place(NamedTuple):
    """How far an export has come: the number of a kind, and the id of the last memory of it that was read."""

    kind: int = 0
    above: int = 0


async def as_json(request: web.Request, filters: Filters) -> web.StreamResponse:
    """`{"memories": […]}`, by service."""
    here = parts(request)
    services = await _services(here, filters)
    async with Lines(request, JSON, Vary="Accept") as lines:
        between = b'{"memories":['
        async for memories in _pages(here, filters, services):
            await lines.write(between + b",".join(msgspec.json.encode(memory) for memory in memories))
            between = b","
        await lines.write(b"]}" if between == b"," else between + b"]}")
    return lines.response


async def as_markdown(request: web.Request, filters: Filters) -> web.StreamResponse:
    """A document with a section for each service."""
    here = parts(request)
    services = await _services(here, filters)
    attached = {"Content-Disposition": 'attachment; filename="memories.md"'}
    async with Lines(request, "text/markdown; charset=utf-8", **attached) as lines:
        await lines.write(b"# Operational memory\n")
        section = None
        async for memories in _pages(here, filters, services):
            for heading, of_one in groupby(memories, memory_rows.heading):
                text = "" if heading == section else f"\n{heading}\n\n"
                section = heading
                await lines.write((text + "".join(f"{memory_rows.item(memory)}\n" for memory in of_one)).encode())
    return lines.response


async def _services(here: Parts, filters: Filters) -> list[str | None]:
    """The services that are wanted, none first. CallError before anything is written, if nothing can be read."""
    if filters.service:
        return [filters.service]
    return [None, *await here.state.read(memory_rows.services)]


async def _pages(here: Parts, filters: Filters, services: list[str | None]) -> AsyncIterator[list[Memory]]:
    """Memories by service, what is active first, then in the order of their ids; no page is empty."""
    kinds = [(service, active) for service in services for active in filters.actives]
    place = Place()
    while place.kind < len(kinds):
        found, place = await here.state.read(partial(_next, filters, kinds, place))
        if found:
            yield found


def _next(filters: Filters, kinds: list[Kind], place: Place, database: Database) -> tuple[list[Memory], Place]:
    """A page of memories from a place on, of as many kinds as it holds, and where the next one begins."""
    found: list[Memory] = []
    for number, (service, active) in enumerate(kinds[place.kind : place.kind + PAGE], place.kind):
        above = place.above if number == place.kind else 0
        values = {"service": service, "active": int(active), "above": above, "category": filters.category or None}
        found += map(memory_rows.from_row, database.rows("pages.memories_of", limit=PAGE - len(found), **values))
        if len(found) == PAGE:
            return found, Place(number, found[-1].id)
    return found, Place(place.kind + PAGE)
