"""Uptime Kuma's notification of the type Webhook, as application/json. Pure.

A monitor is the key. Without heartbeat it is the test that its settings page sends, or a note about a certificate.
"""

import msgspec

from daemon.alerts import alert
from daemon.alerts.alert import Alert

NAME = "uptime-kuma"
DOWN, UP, PENDING, MAINTENANCE = range(4)


class _Heartbeat(msgspec.Struct):
    status: int = DOWN
    msg: str | None = ""
    time: str | None = ""
    ping: float | None = None
    duration: float | None = None


class _Monitor(msgspec.Struct):
    id: int | None = None
    name: str = ""
    description: str | None = ""
    type: str | None = ""
    url: str | None = ""
    hostname: str | None = ""
    port: int | str | None = None


class Body(msgspec.Struct):
    """A body."""

    msg: str = ""
    heartbeat: _Heartbeat | None = None
    monitor: _Monitor | None = None


def read(body: bytes) -> list[Alert]:
    """The alert of a body; what is only pending, or under maintenance, is none. msgspec errors name the field."""
    found = msgspec.json.decode(body, type=Body)
    beat, monitor = found.heartbeat, found.monitor or _Monitor()
    if beat is not None and beat.status in (PENDING, MAINTENANCE):
        return []
    up = beat is not None and beat.status == UP
    told = (beat.msg if beat else "") or found.msg
    title = f"{monitor.name} is {'up' if up else 'down'}: {told}" if beat and monitor.name else found.msg
    place = monitor.url if monitor.url not in (None, "", "https://", "http://") else ""
    text = alert.fields({
        "message": found.msg,
        "monitor": monitor.name,
        "kind": monitor.type or "",
        "address": place or ":".join(str(part) for part in (monitor.hostname, monitor.port) if part),
        "described as": monitor.description or "",
        "at": (beat.time if beat else "") or "",
        "answer took": f"{beat.ping:g} ms" if beat and beat.ping is not None else "",
    })  # fmt: skip
    key = f"monitor {monitor.id}" if monitor.id is not None else found.msg
    return [
        alert.make(NAME, key, title, text=text, service=monitor.name, severity="" if up else "critical", resolved=up)
    ]
