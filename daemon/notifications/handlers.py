"""Answers requests about notifications."""

from daemon.notifications.notifications import Notifications
from ipc.messages.notifications import (
    ListNotifications,
    NotificationsReply,
    RetriedReply,
    RetryNotifications,
    TestedReply,
    TestNotification,
)
from ipc.server import Call, Handler


def handlers(notifications: Notifications) -> dict[type, Handler]:
    """The table's part for notifications."""

    async def listing(call: Call, request: ListNotifications) -> NotificationsReply:
        return await notifications.page(request)

    async def test(call: Call, request: TestNotification) -> TestedReply:
        return await notifications.test(request, call.asker(request.by), call.id)

    async def retry(call: Call, request: RetryNotifications) -> RetriedReply:
        return await notifications.retry(request, call.asker(request.by), call.id)

    return {ListNotifications: listing, TestNotification: test, RetryNotifications: retry}
