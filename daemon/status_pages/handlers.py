"""Answers requests about status pages."""

from daemon.status_pages import status_pages
from daemon.store import Store
from ipc.messages.envelope import Done
from ipc.messages.status_pages import (
    AddStatusPage,
    ChangeStatusPage,
    ListStatusPages,
    RemoveStatusPage,
    StatusPageReply,
    StatusPagesReply,
)
from ipc.server import Call, Handler


def handlers(store: Store) -> dict[type, Handler]:
    """The table's part for status pages."""

    async def listing(call: Call, request: ListStatusPages) -> StatusPagesReply:
        return await store.read(status_pages.listing)

    async def add(call: Call, request: AddStatusPage) -> StatusPageReply:
        by = call.asker(request.by)
        return await store.write(lambda db: status_pages.add(db, request, by, call.id))

    async def change(call: Call, request: ChangeStatusPage) -> StatusPageReply:
        by = call.asker(request.by)
        return await store.write(lambda db: status_pages.change(db, request, by, call.id))

    async def remove(call: Call, request: RemoveStatusPage) -> Done:
        by = call.asker(request.by)
        await store.write(lambda db: status_pages.remove(db, request, by))
        return Done()

    return {ListStatusPages: listing, AddStatusPage: add, ChangeStatusPage: change, RemoveStatusPage: remove}
