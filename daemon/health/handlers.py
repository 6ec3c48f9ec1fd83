"""Answers requests about the health of services."""

from daemon.health import checks
from daemon.store import Store
from ipc.messages.knowledge import HealthReply, ListHealth
from ipc.server import Call, Handler


def handlers(store: Store) -> dict[type, Handler]:
    """The table's part for health."""

    async def services(call: Call, request: ListHealth) -> HealthReply:
        return HealthReply(services=await checks.services(store))

    return {ListHealth: services}
