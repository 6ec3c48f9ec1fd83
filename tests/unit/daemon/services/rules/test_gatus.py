"""Gatus' configuration: what has a counterpart is taken, all else is named."""

from typing import Any

import pytest
import yaml

from daemon.services.rules import files
from daemon.services.rules.files import Parsed
from schema.definitions import Definition

CONFIG = """\
metrics: true
storage:
  type: sqlite
  path: /data/data.db
default-endpoint: &defaults
  group: core
  interval: 30s
  conditions:
    - "[STATUS] == 200"
alerting:
  slack:
    webhook-url: "https://hooks.slack.example/T"
endpoints:
  - <<: *defaults
    name: front
    url: "https://example.org/"
    alerts:
      - type: slack
    ui:
      hide-url: true
  - name: query
    url: https://api.example.org/graphql
    method: POST
    graphql: true
    body: |
      { me(name: "[ENDPOINT_NAME]") { id } }
    headers:
      Authorization: Bearer $TOKEN
    client:
      timeout: 3s
      proxy-url: http://proxy.example.org:3128
      network: ip4
      ignore-redirect: true
      tls:
        certificate-file: /etc/ssl/client.pem
        private-key-file: /etc/ssl/client.key
    conditions:
      - "[BODY].[0].id == 7"
      - "[CERTIFICATE_EXPIRATION] > 48h"
    maintenance-windows:
      - start: "23:00"
        duration: 1h
external-endpoints:
  - name: nightly
    group: jobs
    token: "potato"
    heartbeat:
      interval: 24h
"""


def read(**endpoint: Any) -> Parsed:
    """What comes of an endpoint that says this."""
    whole = {"name": "web", "url": "https://example.org", "conditions": ["[STATUS] == 200"], **endpoint}
    return files.parse(yaml.safe_dump({"endpoints": [whole]}))


def test_a_configuration_is_taken_with_all_that_has_a_counterpart() -> None:
    found = files.parse(CONFIG)
    assert found.mistakes == []
    assert list(files.checked(found.entries, {})) == []
    front, query, nightly = (entry.definition for entry in found.entries)
    assert front == Definition(
        name="core/front", group="core", url="https://example.org/", interval=30.0, conditions=("[STATUS] == 200",)
    )
    assert query == Definition(
        name="query", url="https://api.example.org/graphql", method="POST", timeout=3.0, redirects=False, family=4,
        body='{"query": "{ me(name: \\"query\\") { id } }\\n"}', proxy="http://proxy.example.org:3128",
        headers={"Authorization": "Bearer $TOKEN", "Content-Type": "application/json"},
        certificate_file="/etc/ssl/client.pem", key_file="/etc/ssl/client.key",
        conditions=("[BODY].[0].id == 7", "[CERTIFICATE_EXPIRATION] > 48h"),
    )  # fmt: skip
    assert nightly == Definition(name="jobs/nightly", group="jobs", url="heartbeat:", interval=86400.0, grace=0.0)


def test_what_only_changes_how_it_is_shown_or_alerted_is_told_as_left_out_with_its_line() -> None:
    lines = CONFIG.splitlines()
    told = files.parse(CONFIG).left_out
    names = ["metrics", "storage", "alerting", "alerts", "ui", "maintenance-windows", "token"]
    for name in names:
        (line,) = (one.line for one in told if f"{name}: " in one.message)
        assert name in "\n".join(lines[max(0, line - 2) : line])
    assert len(told) == len(names)


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("client.oauth2", {"client": {"oauth2": {"token-url": "https://a.example"}}}),
        ("client.identity-aware-proxy", {"client": {"identity-aware-proxy": {"audience": "x"}}}),
        ("client.kerberos", {"client": {"kerberos": {"principal": "x"}}}),
        ("client.dns-resolver", {"client": {"dns-resolver": "tcp://8.8.8.8:53"}}),
        ("client.tunnel", {"client": {"tunnel": "jump"}}),
        ("client.network", {"client": {"network": "ipx"}}),
        ("client.renegotiation", {"client": {"tls": {"renegotiation": "freely"}}}),
        ("client.retries", {"client": {"retries": 3}}),
        ("ssh", {"ssh": {"username": "ada"}}),
        ("store", {"store": {"id": "[BODY].id"}}),
        ("[RANDOM_STRING_8]", {"body": "x [RANDOM_STRING_8]"}),
        ("STARTTLS", {"url": "starttls://mail.example.org:587"}),
        ("UDP", {"url": "udp://example.org:53"}),
        ("something-new", {"something-new": "that nobody knows"}),
    ],
)
def test_what_changes_the_meaning_is_refused_by_its_name(name: str, endpoint: dict[str, Any]) -> None:
    (mistake,) = read(**endpoint).mistakes
    assert mistake.message.startswith("web: ")
    assert name in mistake.message


def test_suites_and_jobs_without_a_time_are_refused() -> None:
    text = "suites:\n- {name: login, endpoints: []}\nexternal-endpoints:\n- {name: job, token: t}\n"
    found = files.parse(text)
    told = [(one.line, one.message.split(":")[0]) for one in found.mistakes]
    assert (found.entries, sorted(told)) == ([], [(2, "login"), (4, "job")])


@pytest.mark.parametrize(
    ("url", "condition", "place"),
    [
        ("https://example.org", "[DOMAIN_EXPIRATION] > 720h", "DOMAIN_EXPIRATION"),
        ("tcp://example.org:80", "[STATUS] == 200", "STATUS"),
        ("icmp://example.org", "len([BODY]) > 3", "BODY"),
        ("tcp://example.org:80", "[CERTIFICATE_EXPIRATION] > 48h", "CERTIFICATE_EXPIRATION"),
    ],
)
def test_a_condition_on_what_is_never_found_out_is_refused_at_its_place(url: str, condition: str, place: str) -> None:
    found = read(url=url, conditions=[condition])
    (mistake,) = files.checked(found.entries, {})
    assert mistake.line > 1
    assert f"has no [{place}]" in mistake.message
    assert ("domain:NAME" in mistake.message) == (place == "DOMAIN_EXPIRATION")
