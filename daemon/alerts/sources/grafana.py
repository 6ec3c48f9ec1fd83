"""Grafana Alerting's contact point of the type Webhook: Alertmanager's body, with dashboards and values. Pure."""

from daemon.alerts.alert import Alert
from daemon.alerts.sources import prometheus

NAME = "grafana"


def read(body: bytes) -> list[Alert]:
    """The alerts of a body."""
    return prometheus.alerts_of(NAME, body)
