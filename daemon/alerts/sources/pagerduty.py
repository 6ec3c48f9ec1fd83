"""PagerDuty's V3 webhooks: one event a body. Pure.

An incident is the key. What starts a session is that one was triggered, reopened or escalated; that it was resolved is
told; all else that can happen to an incident, such as a note or an acknowledgement, needs nobody here.
"""

from typing import Any

import msgspec

from daemon.alerts import alert
from daemon.alerts.alert import Alert

NAME = "pagerduty"
BEGINS = frozenset({"incident.triggered", "incident.reopened", "incident.unacknowledged", "incident.escalated"})
ENDS = frozenset({"incident.resolved"})


class _Reference(msgspec.Struct):
    summary: str | None = ""


class _Data(msgspec.Struct):
    id: str = ""
    title: str | None = ""
    number: int | None = None
    status: str | None = ""
    urgency: str | None = ""
    html_url: str | None = ""
    incident_key: str | None = ""
    created_at: str | None = ""
    service: _Reference | None = None
    priority: _Reference | None = None
    body: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    event_type: str
    id: str = ""
    occurred_at: str | None = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Body(msgspec.Struct):
    """A body."""

    event: _Event


def read(body: bytes) -> list[Alert]:
    """The alert of a body, or none. msgspec errors name the field."""
    event = msgspec.json.decode(body, type=Body).event
    if event.event_type == "pagey.ping":
        return []
    if event.event_type not in BEGINS | ENDS:
        return []
    data = msgspec.json.decode(event.data, type=_Data)
    service = (data.service.summary if data.service else "") or ""
    details = (data.body or {}).get("details")
    text = alert.fields({
        "incident": f"{data.number or ''} ({data.id})".strip(),
        "event": event.event_type,
        "status": data.status or "",
        "urgency": data.urgency or "",
        "priority": (data.priority.summary if data.priority else "") or "",
        "service": service,
        "since": data.created_at or "",
        "address": data.html_url or "",
        "details": details if isinstance(details, str) else msgspec.json.encode(details).decode() if details else "",
    })  # fmt: skip
    severity = {"high": "critical", "low": "warning"}.get(data.urgency or "", data.urgency or "")
    return [
        alert.make(
            NAME,
            data.id or data.incident_key or event.id,
            data.title or f"{event.event_type} {data.id}",
            text=text,
            service=service,
            severity=severity,
            resolved=event.event_type in ENDS,
        )
    ]
