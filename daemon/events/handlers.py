"""Answers requests about events."""

from daemon.events.journal import Events
from ipc.messages.knowledge import EventsReply, ListEvents
from ipc.server import Call, Handler


def handlers(events: Events) -> dict[type, Handler]:
    """The table's part for events."""

    async def page(call: Call, request: ListEvents) -> EventsReply:
        return EventsReply(events=await events.page(request))

    return {ListEvents: page}
