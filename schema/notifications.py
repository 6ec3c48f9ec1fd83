"""The rows of what people are told: notifications, their deliveries, the channels. Passed on by `ipc.messages`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from schema.states import DeliveryStatus


class Kind(StrEnum):
    """What a notification tells of."""

    EVENT = "event"
    SERVICE = "service"
    ATTENTION = "attention"
    SESSION = "session"
    APPROVAL = "approval"
    BUDGET = "budget"
    DAEMON = "daemon"
    DIGEST = "digest"
    TEST = "test"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notification's way to one channel. `together`: how many notifications its message held."""

    channel: str
    status: DeliveryStatus
    attempts: int = 0
    since: str = ""
    next_at: str = ""
    changed_at: str = ""
    together: int = 1
    error: str | None = None


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that people are told. `link` is a path of the dashboard."""

    id: int
    kind: Kind
    level: str
    title: str
    body: str = ""
    link: str = ""
    session_id: int | None = None
    approval_id: int | None = None
    created_at: str
    deliveries: list[Delivery] = []


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """How far a channel has got. `says`: what it waits for, as a sentence; empty while it has nothing to send."""

    name: str
    waiting: int = 0
    given_up: int = 0
    suppressed: int = 0
    attempts: int = 0
    sent_at: str | None = None
    next_at: str | None = None
    error: str | None = None
    says: str = ""


def from_rows(rows: Sequence[dict[str, Any]], ways: Sequence[dict[str, Any]]) -> list[Notification]:
    """Rows of notifications in their order, each with those rows of deliveries (`ways`) that are its own."""
    by_id: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for way in ways:
        if way["notification_id"] in by_id:
            by_id[way["notification_id"]].append({name: way[name] for name in Delivery.__struct_fields__})
    names = set(Notification.__struct_fields__) - {"deliveries"}
    kept = [{name: row[name] for name in names} for row in rows]
    return [msgspec.convert({**row, "deliveries": by_id[row["id"]]}, Notification) for row in kept]
