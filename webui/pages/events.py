"""What sessions and the daemon said, newest first: filters and page in the address. GET /events and /events.json."""

from typing import NamedTuple

from aiohttp import web

from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import event_rows, formats
from webui.pages.event_rows import EventRow, Filters
from webui.pages.keyed import Choice, address, number
from webui.parts import parts


class EventsPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    rows: list[EventRow]
    filters: Filters
    levels: list[Choice]
    older_href: str | None
    newest_href: str | None
    empty: str | None


async def show(request: web.Request) -> web.StreamResponse:
    """GET /events."""
    filters = event_rows.read_filters(request.query)
    before = number(request.query, "before")
    found = await parts(request).state.read(lambda database: event_rows.find(database, filters, before))
    given = filters._asdict()
    older = address("/events", given, before=found.older) if found.older else None
    if is_json(request):
        return json_response({"events": found.events, "next": older})
    now = formats.now()
    above = {} if before else {"above": found.newest}
    context = EventsPage(
        shell=shell.build(request, "Events", "events"),
        stream=address("/live", {"page": "events", **given, **above}),
        rows=[event_rows.row(event, now) for event in found.events],
        filters=filters,
        levels=event_rows.LEVELS,
        older_href=older,
        newest_href=address("/events", given) if before else None,
        empty=None if found.events else "filtered" if any(filters) else "nothing",
    )
    return shell.page(request, "events.html", context)
