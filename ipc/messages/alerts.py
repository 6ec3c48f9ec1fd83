"""Messages about the alerts that other programs send in."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from ipc.messages.envelope import Reply, Request

# Who sends them, as an address names it; each is read by a module of `daemon.alerts.sources`.
SOURCES = ("alertmanager", "grafana", "uptime-kuma", "pagerduty", "generic")


class Taken(StrEnum):
    """What became of an alert."""

    QUEUED = "queued"
    MERGED = "merged"
    RESOLVED = "resolved"


class TakenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a webhook. A resolved one has an event, and the triggers that need not start any more."""

    key: str
    title: str
    service: str = ""
    status: Taken
    tier: int
    trigger_id: int | None = None
    event_id: int | None = None
    cancelled: list[int] = []


class AlertsReply(Reply, frozen=True):
    """What became of each, in their order."""

    alerts: list[TakenAlert]


class TakeAlerts(Request, frozen=True):
    """Puts the alerts of a webhook's body into the queue, all or none; those that are resolved become events.

    `source` says how the body is read. `tier` 0 is what the body asks for, else 1. Too many that wait: `overloaded`.
    """

    subject: ClassVar[str] = "alerts.take"
    reply: ClassVar[type[Reply]] = AlertsReply
    changes: ClassVar[bool] = True
    source: str
    body: bytes
    tier: int = 0
    by: str = ""
