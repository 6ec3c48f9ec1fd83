"""Uptime Kuma's monitors in our words, from its exported list. Pure.

A monitor has the fields of every type, so a field counts only for those that know it. Called by
`daemon.services.rules.files`; what its fields become is in `daemon.services.rules.kuma_checks`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from daemon.services.rules import kuma_checks
from daemon.services.rules.foreign import (
    NOTHING,
    TAKEN,
    Field,
    NoCounterpartError,
    Read,
    Said,
    left_out,
    plain,
    refused,
    sorted_out,
    without_empty,
)

TIMEOUT_MAX = 300.0
WEB = frozenset({"http", "keyword", "json-query"})
DNS, DOCKER, GRPC, PING, PORT, PUSH, SOCKET = (
    frozenset({name}) for name in ("dns", "docker", "grpc-keyword", "ping", "port", "push", "websocket-upgrade")
)
DATABASE = frozenset({"postgres", "mysql"})
USED = (
    "name", "description", "parent", "type", "url", "method", "hostname", "port", "maxretries", "active",
    "forceInactive", "timeout", "interval", "retryInterval", "resendInterval", "keyword", "invertKeyword", "ignoreTls",
    "dns_resolve_type", "dns_resolve_server", "docker_container", "proxyId", "tags", "jsonPath", "jsonPathOperator",
    "expectedValue", "httpBodyEncoding", "ipFamily", "headers", "body", "basic_auth_user", "basic_auth_pass",
    "authMethod", "bearer_token", "databaseConnectionString", "grpcUrl", "grpcServiceName", "grpcMethod", "grpcBody",
    "grpcEnableTls", "radiusPassword", "accepted_statuscodes", "maxredirects",
)  # fmt: skip
UNUSED = (
    # Its own numbers, and what it has found out.
    "id", "user_id", "userId", "weight", "path", "pathName", "childrenIDs", "dns_last_result", "screenshot",
    "maintenance", "includeSensitiveData", "responseMaxLength",
    # What authMethod speaks of, which is refused for it.
    "oauth_client_id", "oauth_client_secret", "oauth_token_url", "oauth_scopes", "oauth_audience", "oauth_auth_method",
    "authWorkstation", "authDomain", "tlsCa", "tlsCert", "tlsKey",
    # What describes the health check of gRPC, and nothing else is asked.
    "grpcProtobuf",
    # Of types that are refused.
    "mqttUsername", "mqttPassword", "mqttTopic", "mqttSuccessMessage", "mqttCheckType", "mqttWebsocketPath",
    "radiusUsername", "radiusSecret", "radiusCalledStationId", "radiusCallingStationId", "game",
    "gamedigGivenPortOnly", "gamedigToken", "kafkaProducerTopic", "kafkaProducerBrokers", "kafkaProducerSsl",
    "kafkaProducerAllowAutoTopicCreation", "kafkaProducerMessage", "kafkaProducerSaslOptions", "remote_browser",
    "snmpOid", "snmpVersion", "smtpSecurity", "rabbitmqNodes", "rabbitmqUsername", "rabbitmqPassword", "location",
    "protocol", "system_service_name",
)  # fmt: skip
FIELDS: Mapping[str, Field] = {
    **dict.fromkeys(USED, TAKEN),
    **dict.fromkeys(UNUSED, NOTHING),
    "upsideDown": refused("nothing is turned round here: write the conditions that hold while all is well"),
    "cacheBust": refused("nothing is added to a URL here", of=WEB),
    "conditions": refused("write them as conditions of ours, see docs/services.md"),
    "databaseQuery": refused("a database is asked for no more than a sign-in", "SELECT 1", "select 1", of=DATABASE),
    "grpcMetadata": refused("a gRPC call has no metadata here", "{}", of=GRPC),
    "packetSize": refused("a ping has one size here", 56, of=PING),
    "expectedTlsAlert": refused("no TLS alert is waited for here", "none", of=PORT),
    "wsSubprotocol": refused("no subprotocol is asked for here", of=SOCKET),
    "wsIgnoreSecWebsocketAcceptHeader": refused("that header is always looked at here", of=SOCKET),
    "docker_host": left_out("the container is asked for at the engine of this host", of=DOCKER),
    "ping_count": left_out("one echo request is sent at a time", 1, of=PING),
    "ping_numeric": left_out("addresses are shown as they are", 1, True, of=PING),
    "ping_per_request_timeout": left_out("its timeout holds for all of it", 2, of=PING),
    "pushToken": left_out("its job gets an address of its own: `claudeopsctl services push-url`", of=PUSH),
    "notificationIDList": left_out("CLAUDEOPS_NOTIFY_RULES and CLAUDEOPS_SERVICE_RULES say who is told"),
    "expiryNotification": left_out("write the warning [CERTIFICATE_EXPIRATION] > 14d", of=WEB),
    "domainExpiryNotification": left_out("add a service with the URL domain:NAME"),
    "retryOnlyOnStatusCodeFailure": left_out("whatever fails is tried again"),
    "saveResponse": left_out("what was answered is kept as far as conditions speak of it"),
    "saveErrorResponse": left_out("what was answered is kept as far as conditions speak of it", 1, True),
}  # fmt: skip


class Around(NamedTuple):
    """What a monitor speaks of by its number."""

    monitors: Mapping[int, Mapping[str, Any]]
    proxies: Mapping[int, Mapping[str, Any]]


def around(whole: Any) -> Around:
    """What an export has beside each monitor."""
    if not isinstance(whole, dict):
        return Around({}, {})
    return Around(_numbered(whole.get("monitorList")), _numbered(whole.get("proxyList")))


def _numbered(listed: Any) -> dict[int, Mapping[str, Any]]:
    found = listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ()
    return {one["id"]: one for one in found if isinstance(one, dict) and isinstance(one.get("id"), int)}


def monitor(given: Mapping[str, Any], around: Around) -> Read:
    """One monitor; a group is none, but the group of those in it. NoCounterpartError."""
    kind = str(given.get("type", ""))
    said = sorted_out(given, FIELDS, kind)
    if kind == "group":
        return said
    if kind not in kuma_checks.KINDS:
        raise NoCounterpartError("type", f"checks of the type {kind!r} are not probed here")
    if float(given.get("timeout") or 0) > TIMEOUT_MAX and kind not in PUSH:
        said.left_out.append(Said("timeout", f"timeout: an answer is waited for {TIMEOUT_MAX:.0f} s at most"))
    try:
        service = {**_common(given, around), **kuma_checks.KINDS[kind](given)}
        if kind in WEB:
            service["proxy"] = _proxy(given, around)
    except NoCounterpartError as error:
        return said._replace(refused=[*said.refused, Said(error.field, f"{error.field}: {error}")])
    return said._replace(services=[without_empty(service)])


def _common(given: Mapping[str, Any], around: Around) -> dict[str, Any]:
    interval = float(given.get("interval") or 60)
    above = _above(given, around)
    idle = any(one.get("active") in (0, False) for one in (given, *above)) or bool(given.get("forceInactive"))
    return {
        "name": str(given.get("name", "")),
        "group": " / ".join(str(one.get("name", "")) for one in reversed(above)),
        "interval": interval,
        # Without one it is four fifths of the interval there, too.
        "timeout": min(float(given.get("timeout") or 0.8 * interval), TIMEOUT_MAX),
        "retries": int(given.get("maxretries") or 0),
        "retry_interval": float(given.get("retryInterval") or 60),
        "remind": interval * float(given["resendInterval"]) if given.get("resendInterval") else None,
        "tags": kuma_checks.tags(given),
        "paused": idle,
        "description": given.get("description") or "",
        "verify": not given.get("ignoreTls", False),
        "family": {"ipv4": 4, "ipv6": 6}.get(str(given.get("ipFamily")), 0),
    }


def _above(given: Mapping[str, Any], around: Around) -> list[Mapping[str, Any]]:
    """The groups that it is in, the nearest first. NoCounterpartError for one that the file does not have."""
    found: list[Mapping[str, Any]] = []
    while (parent := (found[-1] if found else given).get("parent")) is not None:
        group = around.monitors.get(parent)
        if group is None or group in found:
            raise NoCounterpartError("parent", f"the file has no monitor {parent}; add the group, or take this out")
        found.append(group)
    return found


def _proxy(given: Mapping[str, Any], around: Around) -> str:
    number = given.get("proxyId")
    if not number:
        return ""
    proxy = around.proxies.get(number)
    if proxy is None:
        raise NoCounterpartError("proxyId", f"the file has no proxy {number} in its proxyList")
    if not proxy.get("active", True):
        return ""
    if proxy.get("protocol") not in ("http", "https"):
        raise NoCounterpartError("proxyId", f"a proxy is asked by HTTP here, and not by {proxy.get('protocol')}")
    who = ""
    if proxy.get("auth"):
        who = f"{quote(str(proxy.get('username') or ''), safe='')}:{quote(str(proxy.get('password') or ''), safe='')}@"
    return plain(f"{proxy['protocol']}://{who}{proxy.get('host')}:{proxy.get('port')}")
