"""What each type of Uptime Kuma's monitors asks, as a URL with conditions. Pure.

Called by `daemon.services.rules.kuma`. A NoCounterpartError names the field that can't be carried over.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from daemon.services.rules.foreign import NoCounterpartError, pattern, plain

Monitor = Mapping[str, Any]
TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "text/xml; charset=utf-8",
}
REDIRECTS = (0, 10)
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
HEALTH = ("Health", "grpc.health.v1.Health")
FIRST, LAST = 100, 599
_JSON_PATH = re.compile(r"\$?((?:^|(?<=\$)|\.)[A-Za-z_]\w*|\[\d+\])*")
_BARE = re.compile(r"[^\s\"'\[(][^(\[]*")


def tags(given: Monitor) -> list[str]:
    """Its tags, with their values, as ours are written."""
    found = []
    for tag in given.get("tags") or []:
        words = [str(tag.get(part) or "").strip() for part in ("name", "value")]
        found.append(re.sub(r"[\s,*]+", "-", ":".join(filter(None, words)))[:40])
    return found


def _http(given: Monitor) -> dict[str, Any]:
    redirects = given.get("maxredirects", 10)
    if redirects not in (*REDIRECTS, None):
        raise NoCounterpartError("maxredirects", "0 or 10: here up to 10 redirects are followed, or none")
    return {
        "url": plain(str(given.get("url") or "")),
        "method": str(given.get("method") or "GET").upper(),
        "headers": _headers(given),
        "body": plain(given.get("body") or ""),
        "redirects": redirects != 0,
        "conditions": codes(given.get("accepted_statuscodes") or ["200-299"]),
    }


def _headers(given: Monitor) -> dict[str, str]:
    """Those that are written out, then those that other fields make."""
    try:
        written = json.loads(given.get("headers") or "{}")
    except (TypeError, ValueError):
        written = None
    if not isinstance(written, dict):
        raise NoCounterpartError("headers", "write them as a JSON object")
    made = {"Authorization": _authorization(given)}
    if given.get("body"):
        made["Content-Type"] = TYPES.get(str(given.get("httpBodyEncoding") or "json"), "")
    known = {name.lower() for name in written}
    found = {**{name: value for name, value in made.items() if value and name.lower() not in known}, **written}
    return {str(name): plain(str(value)) for name, value in found.items()}


def _authorization(given: Monitor) -> str:
    method, user = given.get("authMethod") or "basic", given.get("basic_auth_user") or ""
    if method == "bearer":
        return f"Bearer {given.get('bearer_token') or ''}"
    if method != "basic":
        raise NoCounterpartError("authMethod", f"nobody signs in by {method!r} here; give what is needed in a header")
    secret = given.get("basic_auth_pass") or ""
    return f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}" if user or secret else ""


def codes(accepted: list[Any]) -> list[str]:
    """Accepted codes as conditions: one range by its ends, several as patterns, each as long as it can be."""
    ranges = _ranges(accepted)
    if len(ranges) == 1:
        low, high = ranges[0]
        if low % 100 or high != low + 99:
            return [f"[STATUS] >= {low}", f"[STATUS] <= {high}"] if low < high else [f"[STATUS] == {low}"]
    patterns = [one for low, high in ranges for one in _patterns(low, high)]
    return [f"[STATUS] == any({', '.join(patterns)})"]


def _ranges(accepted: list[Any]) -> list[tuple[int, int]]:
    """From and to, in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(map(_range, accepted)):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _range(text: Any) -> tuple[int, int]:
    low, _, high = str(text).partition("-")
    if not (low.isdecimal() and (high or low).isdecimal() and FIRST <= int(low) <= int(high or low) <= LAST):
        raise NoCounterpartError("accepted_statuscodes", f"{text!r} is no code, such as 200, and no range of them")
    return int(low), int(high or low)


def _patterns(low: int, high: int) -> list[str]:
    found = []
    while low <= high:
        for size, sign in ((100, "*"), (10, "?"), (1, "")):
            if low % size == 0 and low + size - 1 <= high:
                found.append(f"pat({low // size}{sign})" if sign else str(low))
                low += size
                break
    return found


def _keyword(given: Monitor) -> dict[str, Any]:
    found = _http(given)
    return {**found, "conditions": [*found["conditions"], _has_keyword(given)]}


def _has_keyword(given: Monitor) -> str:
    return f"[BODY] {'!=' if given.get('invertKeyword') else '=='} {pattern(str(given.get('keyword') or ''))}"


def _json_query(given: Monitor) -> dict[str, Any]:
    found, path = _http(given), str(given.get("jsonPath") or "$")
    operator, wanted = str(given.get("jsonPathOperator") or "=="), str(given.get("expectedValue") or "")
    if not _JSON_PATH.fullmatch(path) or operator not in (*OPERATORS, "contains"):
        raise NoCounterpartError("jsonPath", "a query of JSONata can't be carried over; write it as [BODY].path == …")
    steps = path.removeprefix("$")
    place = f"[BODY]{steps if steps.startswith(('.', '[')) or not steps else '.' + steps}"
    if operator == "contains":
        return {**found, "conditions": [*found["conditions"], f"{place} == {pattern(wanted)}"]}
    if not _BARE.fullmatch(wanted):
        if '"' in wanted:
            raise NoCounterpartError("expectedValue", "write it as a condition, such as [BODY].path == 'value'")
        wanted = f'"{wanted}"'
    return {**found, "conditions": [*found["conditions"], f"{place} {operator} {wanted}"]}


def _push(given: Monitor) -> dict[str, Any]:
    return {"url": "heartbeat:", "grace": float(given.get("interval") or 60)}


def _host(text: Any, field: str = "hostname") -> str:
    host = str(text or "").strip()
    if not host:
        raise NoCounterpartError(field, "it names no host")
    return f"[{host}]" if ":" in host else host


def _dns(given: Monitor) -> dict[str, Any]:
    server, _, more = str(given.get("dns_resolve_server") or "1.1.1.1").partition(",")
    if more.strip():
        raise NoCounterpartError("dns_resolve_server", "one name server is asked here; make a service for each")
    port = int(given.get("port") or 53)
    place = _host(server, "dns_resolve_server") + (f":{port}" if port != 53 else "")
    # It is down there, too, where a name has no such record.
    conditions = ["[DNS_RCODE] == NOERROR", "len([BODY]) > 0"]
    record = given.get("dns_resolve_type") or "A"
    return {"url": f"dns://{place}/{given.get('hostname') or ''}?type={record}", "conditions": conditions}


def _docker(given: Monitor) -> dict[str, Any]:
    return {"url": f"docker:{given.get('docker_container') or ''}"}


def _port(given: Monitor) -> dict[str, Any]:
    return {"url": f"tcp://{_host(given.get('hostname'))}:{given.get('port') or ''}"}


def _ping(given: Monitor) -> dict[str, Any]:
    return {"url": f"icmp://{_host(given.get('hostname'))}"}


def _database(given: Monitor) -> dict[str, Any]:
    url = str(given.get("databaseConnectionString") or "")
    parts = urlsplit(url)
    # MySQL's password has a field of its own, which borrows another's name.
    if given.get("type") == "mysql" and given.get("radiusPassword") and parts.username and not parts.password:
        host = parts.netloc.rpartition("@")[2]
        who = f"{parts.username}:{quote(str(given['radiusPassword']), safe='')}"
        url = urlunsplit(parts._replace(netloc=f"{who}@{host}"))
    return {"url": plain(url)}


def _websocket(given: Monitor) -> dict[str, Any]:
    if (given.get("accepted_statuscodes") or ["1000"]) not in (["1000"], ["200-299"]):
        raise NoCounterpartError("accepted_statuscodes", "a WebSocket is up here once its handshake is done")
    return {"url": plain(str(given.get("url") or "")), "headers": _headers(given)}


def _grpc(given: Monitor) -> dict[str, Any]:
    if given.get("grpcServiceName") not in HEALTH or str(given.get("grpcMethod") or "").lower() != "check":
        raise NoCounterpartError("grpcMethod", "of gRPC only the standard health check is asked here")
    try:
        asked = json.loads(given.get("grpcBody") or "{}")
        service = str(asked.get("service") or "")
    except (TypeError, ValueError, AttributeError):
        raise NoCounterpartError("grpcBody", "write it as a JSON object that names a service, or nothing") from None
    scheme = "grpcs" if given.get("grpcEnableTls") else "grpc"
    return {"url": f"{scheme}://{given.get('grpcUrl') or ''}/{quote(service)}", "conditions": [_has_keyword(given)]}


KINDS: Mapping[str, Callable[[Monitor], dict[str, Any]]] = {
    "http": _http,
    "keyword": _keyword,
    "json-query": _json_query,
    "push": _push,
    "dns": _dns,
    "docker": _docker,
    "port": _port,
    "ping": _ping,
    "postgres": _database,
    "mysql": _database,
    "redis": _database,
    "websocket-upgrade": _websocket,
    "grpc-keyword": _grpc,
}
