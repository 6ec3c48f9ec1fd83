"""Messages about notifications: what was sent and what waits, a test, sending again."""

from typing import ClassVar

from ipc.messages.envelope import Reply, Request
from schema.notifications import Channel, Notification


class NotificationsReply(Reply, frozen=True):
    """The channels, a page of notifications newest first, and what is wrong with the configuration."""

    channels: list[Channel]
    notifications: list[Notification]
    problems: list[str] = []


class ListNotifications(Request, frozen=True):
    """What people were told, below an id (0: from the newest), and how far each channel has got."""

    subject: ClassVar[str] = "notifications.list"
    reply: ClassVar[type[Reply]] = NotificationsReply
    before: int = 0
    limit: int = 50


class TestedReply(Reply, frozen=True):
    """The test's notification, and the channels that it goes to."""

    id: int
    channels: list[str]


class TestNotification(Request, frozen=True):
    """Sends a test message to one channel (empty: to all), whatever the rules and the hour."""

    subject: ClassVar[str] = "notifications.test"
    reply: ClassVar[type[Reply]] = TestedReply
    changes: ClassVar[bool] = True
    channel: str = ""
    by: str = ""


class RetriedReply(Reply, frozen=True):
    """How many deliveries are tried again."""

    retried: int


class RetryNotifications(Request, frozen=True):
    """Sends again what was given up or suppressed: one notification (0: all), on one channel (empty: on all)."""

    subject: ClassVar[str] = "notifications.retry"
    reply: ClassVar[type[Reply]] = RetriedReply
    changes: ClassVar[bool] = True
    id: int = 0
    channel: str = ""
    by: str = ""
