"""Every memory that the filters let in, as JSON or as Markdown, written a page of rows at a time.

GET /memories.json and /memories.md come here, and GET /memories where JSON is wanted: however many there are, an export
has all of them and holds few.
"""

from collections.abc import AsyncIterator
from functools import partial

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
            heading = memory_rows.heading(memories[0])
            text = "" if heading == section else f"\n{heading}\n\n"
            section = heading
            await lines.write((text + "".join(f"{memory_rows.item(memory)}\n" for memory in memories)).encode())
    return lines.response


async def _services(here: Parts, filters: Filters) -> list[str | None]:
    """The services that are wanted, none first. CallError before anything is written, if nothing can be read."""
    if filters.service:
        return [filters.service]
    return [None, *await here.state.read(memory_rows.services)]


async def _pages(here: Parts, filters: Filters, services: list[str | None]) -> AsyncIterator[list[Memory]]:
    """Memories by service, what is active first, then in the order of their ids; no page is empty."""
    for service in services:
        for active in filters.actives:
            above = 0
            while found := await here.state.read(partial(_above, filters, service, active, above)):
                yield found
                above = found[-1].id


def _above(filters: Filters, service: str | None, active: bool, above: int, database: Database) -> list[Memory]:
    values = {"service": service, "active": int(active), "above": above, "category": filters.category or None}
    return [memory_rows.from_row(row) for row in database.rows("pages.memories_of", limit=PAGE, **values)]
