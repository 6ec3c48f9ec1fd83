"""Answers requests about alerts."""

from daemon.alerts.alerts import Alerts
from ipc.messages.alerts import AlertsReply, TakeAlerts
from ipc.server import Call, Handler


def handlers(alerts: Alerts) -> dict[type, Handler]:
    """The table's part for alerts."""

    async def take(call: Call, request: TakeAlerts) -> AlertsReply:
        return await alerts.take(request, call.asker(request.by), call.id)

    return {TakeAlerts: take}
