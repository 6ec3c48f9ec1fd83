"""The body that Prometheus Alertmanager posts (version 4), and Grafana's, which is made after it. Pure.

Each alert of a body is one of its own; its fingerprint, which the sender makes from the labels, is its key.
"""

import msgspec

from daemon.alerts import alert
from daemon.alerts.alert import Alert

SERVICE = ("service", "app", "application", "container", "deployment", "job", "instance")


class _One(msgspec.Struct):
    status: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    startsAt: str = ""  # noqa: N815 - the sender's names
    endsAt: str = ""  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""
    dashboardURL: str = ""  # noqa: N815 - Grafana's, as the two below
    panelURL: str = ""  # noqa: N815
    valueString: str = ""  # noqa: N815


class Body(msgspec.Struct):
    """A body. `truncatedAlerts`: how many more there are than the sender put in."""

    alerts: list[_One]
    status: str = ""
    truncatedAlerts: int = 0  # noqa: N815


def alerts_of(source: str, body: bytes) -> list[Alert]:
    """The alerts of a body. msgspec errors name the field."""
    found = msgspec.json.decode(body, type=Body)
    if found.truncatedAlerts and found.alerts:
        note = f"The sender left out {found.truncatedAlerts} further alerts of this group."
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
            "since": one.startsAt, "values": one.valueString, "from": one.generatorURL,
            "dashboard": one.dashboardURL, "panel": one.panelURL,
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
