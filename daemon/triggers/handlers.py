"""Answers requests about the queue."""

from daemon.store import Store
from daemon.triggers.queue import Asked, Queue, page
from daemon.triggers.router import Router
from ipc.messages.triggers import AddTrigger, CancelTrigger, ListTriggers, TriggerReply, TriggersReply
from ipc.server import Call, Handler


def handlers(queue: Queue, store: Store, router: Router) -> dict[type, Handler]:
    """The table's part for triggers."""

    async def add(call: Call, request: AddTrigger) -> TriggerReply:
        tier = request.tier or router.first_tier(request.prompt)
        asked = Asked(request.kind, tier, request.prompt, request.key, call.asker(request.by))
        reply = await queue.add(asked, call.id)
        if reply.trigger.choosing:
            router.look()
        return reply

    async def cancel(call: Call, request: CancelTrigger) -> TriggerReply:
        return await queue.cancel(request.id, call.asker(request.by), call.id)

    async def listing(call: Call, request: ListTriggers) -> TriggersReply:
        found = await page(store, request.status, request.before, request.limit)
        waiting = int(await store.read(lambda db: db.value("triggers.count_waiting")))
        return TriggersReply(triggers=found, waiting=waiting)

    return {AddTrigger: add, CancelTrigger: cancel, ListTriggers: listing}
