"""The API's notifications: what people were told, a test, sending again."""

from aiohttp import web

from ipc.messages.notifications import (
    ListNotifications,
    NotificationsReply,
    RetriedReply,
    RetryNotifications,
    TestedReply,
    TestNotification,
)
from webui.api.answered import NotificationList
from webui.api.asked import KeyedPage, RetryBody, TestBody
from webui.parts import parts, signed_in


async def listing(request: web.Request, query: KeyedPage) -> NotificationList:
    """GET /api/v1/notifications."""
    message = ListNotifications(before=query.before, limit=query.limit)
    reply = await parts(request).worker.call(message, NotificationsReply)
    return NotificationList(notifications=reply.notifications, channels=reply.channels, problems=reply.problems)


async def test(request: web.Request, body: TestBody) -> TestedReply:
    """POST /api/v1/notifications/test."""
    message = TestNotification(channel=body.channel, by=signed_in(request).name)
    return await parts(request).worker.call(message, TestedReply)


async def retry(request: web.Request, body: RetryBody) -> RetriedReply:
    """POST /api/v1/notifications/retry."""
    message = RetryNotifications(id=body.id, channel=body.channel, by=signed_in(request).name)
    return await parts(request).worker.call(message, RetriedReply)
