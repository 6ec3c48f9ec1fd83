"""Gatus' configuration in our words: endpoints, and external endpoints as heartbeats. Pure.

Its conditions are ours, too. Called by `daemon.services.rules.files`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from daemon.services.rules.foreign import (
    NOTHING,
    TAKEN,
    Field,
    NoCounterpartError,
    Read,
    left_out,
    refused,
    sorted_out,
    without_empty,
)

SCHEMES = {"starttls": "STARTTLS", "ssh": "SSH", "udp": "UDP", "sctp": "SCTP"}
ALERTS = left_out("CLAUDEOPS_NOTIFY_RULES and CLAUDEOPS_SERVICE_RULES say who is told")
WINDOWS = left_out("plan them by `claudeopsctl maintenance add`")
SUITE = refused("an endpoint that takes values from others is not probed here")
TOKEN = left_out("its job gets an address of its own: `claudeopsctl services push-url`")
FIELDS: Mapping[str, Field] = {
    "enabled": TAKEN,
    "name": TAKEN,
    "group": TAKEN,
    "url": TAKEN,
    "method": TAKEN,
    "conditions": TAKEN,
    "interval": TAKEN,
    "graphql": TAKEN,
    "body": TAKEN,
    "headers": TAKEN,
    "dns": TAKEN,
    "client": TAKEN,
    "<<": NOTHING,
    "ssh": refused("SSH is not probed here"),
    "store": SUITE,
    "always-run": SUITE,
    "alerts": ALERTS,
    "maintenance-windows": WINDOWS,
    "ui": left_out("what it says of Gatus' own pages has no counterpart"),
    "extra-labels": left_out("metrics have no labels of their own"),
}
CLIENT: Mapping[str, Field] = {
    "timeout": TAKEN,
    "insecure": TAKEN,
    "ignore-redirect": TAKEN,
    "proxy-url": TAKEN,
    "network": TAKEN,
    "tls": TAKEN,
    "oauth2": refused("no token is fetched before a probe here; probe what needs none, or give a token in a header"),
    "identity-aware-proxy": refused("no token is fetched before a probe here"),
    "kerberos": refused("nobody signs in by Kerberos here"),
    "dns-resolver": refused("names are resolved as this host does"),
    "tunnel": refused("nothing is probed through a tunnel here"),
}
TLS: Mapping[str, Field] = {
    "certificate-file": TAKEN,
    "private-key-file": TAKEN,
    "renegotiation": refused("no handshake is made anew here", "never"),
}
EXTERNAL: Mapping[str, Field] = {
    "enabled": TAKEN, "name": TAKEN, "group": TAKEN, "heartbeat": TAKEN, "token": TOKEN, "alerts": ALERTS,
    "<<": NOTHING,
}  # fmt: skip
HEARTBEAT: Mapping[str, Field] = {"interval": TAKEN}
OWN = (
    "ui", "web", "storage", "security", "metrics", "concurrency", "tunneling", "debug", "disable-monitoring-lock",
    "skip-invalid-config-update",
)  # fmt: skip
# What else a configuration holds; what Gatus does not know either, such as a place for anchors, is nobody's loss.
WHOLE: Mapping[str, Field] = {
    "alerting": left_out("CLAUDEOPS_APPRISE_URLS names the channels"),
    "maintenance": WINDOWS,
    "connectivity": left_out("CLAUDEOPS_CONNECTIVITY_TARGETS says the same"),
    "remote": left_out("what other instances watch is not watched here"),
    "announcements": left_out("status pages have none"),
    **dict.fromkeys(OWN, left_out("it is about Gatus itself")),
}
FAMILIES = {"ip": 0, "ip4": 4, "ip6": 6}
_FILLED = re.compile(r"\[(ENDPOINT_(?:NAME|GROUP|URL)|LOCAL_ADDRESS|RANDOM_STRING_\d+)\]")


def whole(given: Mapping[str, Any]) -> Read:
    """What is left out of a configuration beside its endpoints."""
    return sorted_out({name: given[name] for name in WHOLE if name in given}, WHOLE)


def suite(given: Mapping[str, Any]) -> Read:
    """A suite, whose endpoints need one another."""
    raise NoCounterpartError("name", "a suite is not probed here; its endpoints one by one may be")


def endpoint(given: Mapping[str, Any]) -> Read:
    """One endpoint. NoCounterpartError."""
    client = _mapping(given, "client")
    tls = _mapping(client, "tls")
    said = [sorted_out(given, FIELDS), sorted_out(client, CLIENT, below="client"), sorted_out(tls, TLS, below="client")]
    headers = {str(key): str(value) for key, value in _mapping(given, "headers").items()}
    body = _body(given)
    if given.get("graphql"):
        body = json.dumps({"query": body})
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    service = {
        **_common(given),
        "url": _url(given),
        "interval": given.get("interval", "60s"),
        "timeout": client.get("timeout", "10s"),
        "conditions": given.get("conditions", []),
        "method": given.get("method", "GET"),
        "headers": headers,
        "body": body,
        "redirects": not client.get("ignore-redirect", False),
        "verify": not client.get("insecure", False),
        "proxy": client.get("proxy-url", ""),
        "family": _family(client),
        "certificate_file": tls.get("certificate-file", ""),
        "key_file": tls.get("private-key-file", ""),
    }
    return _together(service, said)


def external(given: Mapping[str, Any]) -> Read:
    """An external endpoint, whose job tells of itself. NoCounterpartError."""
    heartbeat = _mapping(given, "heartbeat")
    said = [sorted_out(given, EXTERNAL), sorted_out(heartbeat, HEARTBEAT, below="heartbeat")]
    interval = heartbeat.get("interval")
    if not interval:
        raise NoCounterpartError("heartbeat", "heartbeat.interval: say within which time its job tells of itself")
    return _together({**_common(given), "url": "heartbeat:", "interval": interval, "grace": 0}, said)


def _common(given: Mapping[str, Any]) -> dict[str, Any]:
    group, name = str(given.get("group") or ""), str(given.get("name", ""))
    return {"name": f"{group}/{name}" if group else name, "group": group, "paused": given.get("enabled") is False}


def _url(given: Mapping[str, Any]) -> str:
    url, dns = str(given.get("url", "")), given.get("dns")
    if isinstance(dns, dict):
        return f"dns://{url}/{dns.get('query-name', '')}?type={dns.get('query-type', 'A')}"
    scheme = url.partition("://")[0].lower()
    if scheme in SCHEMES:
        raise NoCounterpartError("url", f"{SCHEMES[scheme]} is not probed here")
    return url


def _body(given: Mapping[str, Any]) -> str:
    """The body with what Gatus fills in, as far as it is the same at each probe."""
    known = {"ENDPOINT_NAME": "name", "ENDPOINT_GROUP": "group", "ENDPOINT_URL": "url"}

    def value(match: "re.Match[str]") -> str:
        if match[1] not in known:
            raise NoCounterpartError("body", f"body: {match[0]} is not filled in here")
        return str(given.get(known[match[1]]) or "")

    return _FILLED.sub(value, str(given.get("body") or ""))


def _family(client: Mapping[str, Any]) -> int:
    network = str(client.get("network") or "ip")
    if network not in FAMILIES:
        raise NoCounterpartError("client", f"client.network: {network!r} is none of {', '.join(FAMILIES)}")
    return FAMILIES[network]


def _mapping(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def _together(service: Mapping[str, Any], said: list[Read]) -> Read:
    return Read(
        [without_empty(service)], [one for part in said for one in part.refused],
        [one for part in said for one in part.left_out],
    )  # fmt: skip
