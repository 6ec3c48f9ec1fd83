"""Prometheus Alertmanager's `webhook_config`: https://prometheus.io/docs/alerting/latest/configuration/. Pure."""

from daemon.alerts.alert import Alert
from daemon.alerts.sources import prometheus

NAME = "alertmanager"


def read(body: bytes) -> list[Alert]:
    """The alerts of a body."""
    return prometheus.alerts_of(NAME, body)
