"""The body that Prometheus Alertmanager posts (version 4), and Grafana's, which is made after it. Pure.

Each alert of a body is one of its own; its fingerprint, which the sender makes from the labels, is its key.
"""

import msgspec

from daemon.alerts import alert
from daemon.alerts.alert import Alert

SERVICE = ("service", "app", "application", "container", "deployment", "job", "instance")


# The sender's names of fields, where they are not ours.
NAMES = {
    "starts_at": "startsAt", "generator_url": "generatorURL", "dashboard_url": "dashboardURL", "panel_url": "panelURL",
    "values": "valueString", "truncated": "truncatedAlerts",
}  # fmt: skip


class _One(msgspec.Struct, rename=NAMES):
    status: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: str = ""
    generator_url: str = ""
    fingerprint: str = ""
    dashboard_url: str = ""
    panel_url: str = ""
    values: str = ""


class Body(msgspec.Struct, rename=NAMES):
    """A body. `truncated`: how many more there are than the sender put in."""

    alerts: list[_One]
    status: str = ""
    truncated: int = 0


def alerts_of(source: str, body: bytes) -> list[Alert]:
    """The alerts of a body. msgspec errors name the field."""
    found = msgspec.json.decode(body, type=Body)
    if found.truncated and found.alerts:
        note = f"The sender left out {found.truncated} further alerts of this group."
        found.alerts[0].annotations["left out"] = note
    return [_alert(source, one, found.status) for one in found.alerts]


def _alert(source: str, one: _One, status: str) -> Alert:
    labels, notes = one.labels, one.annotations
    name = labels.get("alertname", "")
    summary = alert.first(notes, "summary", "title", "message")
    title = f"{name}: {summary}" if name and summary else summary or name
    key = one.fingerprint or "\n".join(f"{label}={labels[label]}" for label in sorted(labels))
    text = [
        alert.first(notes, "description", "message"),
        alert.fields({f"label {label}": value for label, value in labels.items()}),
        alert.fields(
            {f"note {note}": text for note, text in notes.items() if note not in ("summary", "description", "message")}
        ),
        alert.fields({
            "since": one.starts_at, "values": one.values, "from": one.generator_url,
            "dashboard": one.dashboard_url, "panel": one.panel_url,
        }),
    ]  # fmt: skip
    return alert.make(
        source,
        key,
        title,
        text="\n\n".join(part for part in text if part),
        service=alert.first(labels, *SERVICE),
        severity=alert.first(labels, "severity", "level", "priority"),
        resolved=(one.status or status).lower() == "resolved",
    )
