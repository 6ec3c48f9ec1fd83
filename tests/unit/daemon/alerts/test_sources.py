"""What each sender writes, as alerts. The bodies are made after the senders' own documentation."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts import rules
from daemon.alerts.alert import KEY_MAX, TEXT_MAX, TITLE_MAX, Alert, BodyError

BODIES = Path(__file__).parents[3] / "fixtures" / "webhooks"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def read(source: str) -> list[Alert]:
    return rules.read(source, (BODIES / f"{source}.json").read_bytes())


def changed(source: str, **more: Any) -> list[Alert]:
    body = json.loads((BODIES / f"{source}.json").read_bytes())
    return rules.read(source, json.dumps(body | more).encode())


def test_each_alert_of_alertmanager_is_one_by_its_fingerprint() -> None:
    first, second, third = read("alertmanager")
    assert first.key == "b17a1b5f4bca9b5e"
    assert first.title == "InstanceDown: Instance db1:9100 down"
    assert (first.service, first.severity, first.resolved) == ("postgres", "critical", False)
    assert first.text.startswith("db1:9100 of job node has been down for more than 5 minutes.\n\n")
    assert "note runbook_url: https://runbooks.example.org/InstanceDown" in first.text
    assert "since: 2026-01-31T08:05:00.123Z" in first.text
    assert (second.key, second.service) == ("0f3c1b5f4bca9b11", "node")
    assert (third.key, third.resolved) == ("77aa1b5f4bca9b22", True)


def test_without_a_fingerprint_the_labels_are_the_key_whatever_their_order() -> None:
    one = {"labels": {"a": "1", "b": "2"}, "status": "firing"}
    other = {"labels": {"b": "2", "a": "1"}, "status": "resolved"}
    first, second = changed("alertmanager", alerts=[one, other])
    assert first.key == second.key
    assert [first.resolved, second.resolved] == [False, True]


def test_what_alertmanager_left_out_is_told() -> None:
    assert "left out 7 further alerts" in changed("alertmanager", truncatedAlerts=7)[0].text


def test_grafana() -> None:
    (alert,) = read("grafana")
    assert (alert.key, alert.service) == ("c6eadffa33fcdf37", "cart")
    assert alert.title == "High memory usage: This alert was triggered for zone us-1"
    assert "values: [ var='B' labels={zone=us-1} value=44.23943737541908 ]" in alert.text
    assert "dashboard: https://grafana.example.org/d/abc" in alert.text


def test_uptime_kuma_down_up_and_what_is_neither() -> None:
    (down,) = read("uptime-kuma")
    assert (down.key, down.service, down.severity, down.resolved) == ("monitor 29", "shop", "critical", False)
    assert down.title == "shop is down: connect ECONNREFUSED 10.0.0.5:443"
    assert "address: https://shop.example.org" in down.text
    (up,) = changed("uptime-kuma", heartbeat={"status": 1, "msg": "200 - OK", "ping": 31})
    assert (up.key, up.resolved, up.title) == (down.key, True, "shop is up: 200 - OK")
    for status in (2, 3):
        assert changed("uptime-kuma", heartbeat={"status": status, "msg": ""}) == []
    (test,) = rules.read("uptime-kuma", b'{"heartbeat":null,"monitor":null,"msg":"Uptime Kuma Testing"}')
    assert (test.title, test.resolved) == ("Uptime Kuma Testing", False)


def test_pagerduty_begins_ends_and_passes_over_the_rest() -> None:
    (alert,) = read("pagerduty")
    assert (alert.key, alert.service, alert.severity) == ("PGR0VU2", "API Service", "critical")
    assert alert.title == "A little bump in the road"
    assert "priority: P1" in alert.text
    event = json.loads((BODIES / "pagerduty.json").read_bytes())["event"]
    (ended,) = changed("pagerduty", event=event | {"event_type": "incident.resolved"})
    assert (ended.key, ended.resolved) == ("PGR0VU2", True)
    for kind in ("incident.acknowledged", "incident.annotated", "pagey.ping", "service.updated"):
        assert changed("pagerduty", event=event | {"event_type": kind, "data": {"id": 5}}) == []


@pytest.mark.parametrize(
    ("body", "title", "resolved", "tier"),
    [
        (b"the disk of db1 is full\nreally", "the disk of db1 is full", False, 0),
        (b'"just words"', "just words", False, 0),
        (b'{"summary":"s","state":"OK"}', "s", True, 0),
        (b'{"alertname":"A","status":"firing","tier":3}', "A", False, 3),
        (b'{"x":1,"tier":"2"}', '{ "x": 1 }', False, 2),
        (b"[1,2]", "[", False, 0),
        (b"\xff\xfe broken", "\ufffd\ufffd broken", False, 0),
    ],
)  # fmt: skip
def test_anything_else_is_an_alert_too(body: bytes, title: str, resolved: bool, tier: int) -> None:
    (alert,) = rules.read("generic", body)
    assert (alert.title, alert.resolved, alert.tier) == (title, resolved, tier)


def test_a_generic_alert_is_the_same_while_its_own_key_or_its_title_is() -> None:
    def key(**body: Any) -> str:
        return rules.read("generic", json.dumps(body).encode())[0].key

    assert key(title="t", service="s", at=1) == key(title="t", service="s", at=2)
    assert key(title="t", service="s") != key(title="t", service="other")
    assert key(id=7, title="a") == key(id=7, title="b") == "7"
    assert key(title="x" * 500).isalnum()


@pytest.mark.parametrize(
    ("source", "body", "why"),
    [
        ("nagios", b"{}", "no source 'nagios'; there are alertmanager, grafana, uptime-kuma, pagerduty, generic"),
        ("generic", b" \n", "the body is empty"),
        ("generic", b'{"tier":1}', "the body is empty"),
        ("generic", b'{"tier":"high","title":"t"}', "tier: this is no tier"),
        ("generic", b'{"tier":true,"title":"t"}', "tier: this is no tier"),
        ("alertmanager", b"{}", "missing required field `alerts`"),
        ("alertmanager", b'{"alerts":[{"labels":{"a":1}}]}', r"at `\$.alerts\[0\].labels\[...\]`"),
        ("grafana", b"nothing", "the body is not what grafana sends"),
        ("pagerduty", b'{"event":{}}', "missing required field `event_type`"),
        ("uptime-kuma", b'{"heartbeat":{"status":"down"}}', r"at `\$.heartbeat.status`"),
        ("alertmanager", b'{"alerts":[' + b"{}," * 500 + b"{}]}", "501 are more than 500"),
    ],
)  # fmt: skip
def test_a_body_that_is_none_names_what_is_wrong(source: str, body: bytes, why: str) -> None:
    with pytest.raises(BodyError, match=why):
        rules.read(source, body)


@given(
    st.sampled_from(sorted(rules.SOURCES)),
    st.one_of(st.binary(max_size=200), JSON.map(lambda v: json.dumps(v).encode())),
)
def test_whatever_comes_is_an_alert_of_bounded_clean_texts_or_a_body_error(source: str, body: bytes) -> None:
    try:
        alerts = rules.read(source, body)
    except BodyError:
        return
    for alert in alerts:
        assert 0 < len(alert.title) <= TITLE_MAX
        assert len(alert.text) <= TEXT_MAX
        assert 0 < len(alert.key) <= KEY_MAX
        assert alert.title.isprintable()
        assert alert.key.isprintable()
        assert all(sign.isprintable() or sign == "\n" for sign in alert.text)
