"""Services of other monitors in our words: Gatus' endpoints, Uptime Kuma's exported monitors. Pure.

What has no counterpart here is refused with its name, so that nobody thinks that it is watched. Called by
`daemon.services.rules.files`.
"""

from typing import Any

KUMA_SCHEMES = {"port": "tcp", "ping": "icmp", "postgres": "postgres", "mysql": "mysql", "redis": "redis"}
CODE_MAX = 999


class UnknownKindError(ValueError):
    """A check that has no counterpart here."""


def gatus(given: dict[str, Any]) -> dict[str, Any]:
    """An endpoint of Gatus. Its conditions are ours, too. UnknownKindError."""
    url = str(given.get("url", ""))
    dns = given.get("dns")
    if isinstance(dns, dict):
        url = f"dns://{url}/{dns.get('query-name', '')}?type={dns.get('query-type', 'A')}"
    elif url.startswith("starttls://"):
        raise UnknownKindError(f"{given.get('name')}: STARTTLS is not probed here")
    group = str(given.get("group", ""))
    name = str(given.get("name", ""))
    client = given.get("client") if isinstance(given.get("client"), dict) else {}
    found = {
        "name": f"{group}/{name}" if group else name,
        "group": group,
        "url": url,
        "interval": given.get("interval", "60s"),
        "timeout": (client or {}).get("timeout", "10s"),
        "conditions": given.get("conditions", []),
        "method": given.get("method", "GET"),
        "headers": {str(key): str(value) for key, value in (given.get("headers") or {}).items()},
        "body": given.get("body", ""),
        "paused": given.get("enabled") is False,
        "redirects": not (client or {}).get("ignore-redirect", False),
        "verify": not (client or {}).get("insecure", False),
    }
    return {key: value for key, value in found.items() if value not in ("", [], {})}


def uptime_kuma(given: dict[str, Any]) -> dict[str, Any]:
    """A monitor of Uptime Kuma's export. UnknownKindError."""
    kind, name = str(given.get("type", "")), str(given.get("name", ""))
    conditions: list[str] = []
    found: dict[str, Any] = {"name": name}
    if kind in ("http", "keyword", "json-query"):
        found["url"] = given.get("url", "")
        found["method"] = given.get("method", "GET")
        conditions = [_codes(given.get("accepted_statuscodes") or ["200-299"])]
        if kind == "keyword":
            sign = "!=" if given.get("invertKeyword") else "=="
            conditions.append(f"[BODY] {sign} pat(*{given.get('keyword', '')}*)")
        if kind == "json-query":
            raise UnknownKindError(
                f"{name}: a JSON query of JSONata can't be carried over; write it as [BODY].path == …"
            )
    elif kind == "push":
        found["url"] = "heartbeat:"
        found["grace"] = float(given.get("interval") or 60)
    elif kind == "dns":
        server, record = given.get("dns_resolve_server", "1.1.1.1"), given.get("dns_resolve_type", "A")
        found["url"] = f"dns://{server}/{given.get('hostname', '')}?type={record}"
    elif kind == "docker":
        found["url"] = f"docker:{given.get('docker_container', '')}"
    elif kind in KUMA_SCHEMES:
        port = f":{given['port']}" if kind == "port" and given.get("port") else ""
        found["url"] = (
            given.get("databaseConnectionString") or f"{KUMA_SCHEMES[kind]}://{given.get('hostname', '')}{port}"
        )
    else:
        raise UnknownKindError(f"{name}: checks of the type {kind!r} are not probed here")
    found |= {
        "interval": float(given.get("interval") or 60),
        "timeout": float(given.get("timeout") or 0.8 * float(given.get("interval") or 60)),
        "retries": int(given.get("maxretries") or 0),
        "retry_interval": float(given.get("retryInterval") or 60),
        "conditions": conditions,
        "tags": [str(tag.get("name", "")).replace(" ", "-") for tag in given.get("tags") or []],
        "paused": given.get("active") in (0, False),
        "description": given.get("description") or "",
        "verify": not given.get("ignoreTls", False),
    }
    return {key: value for key, value in found.items() if value not in ("", [])}


def _codes(ranges: list[str]) -> str:
    """Accepted codes as one condition."""
    patterns = []
    for text in ranges:
        low, _, high = str(text).partition("-")
        if high and (low[1:], high[1:]) == ("00", "99") and low[0] == high[0]:
            patterns.append(f"pat({low[0]}*)")
        elif high:
            if int(high) > CODE_MAX:
                raise ValueError(f"accepted_statuscodes: {text} has codes above {CODE_MAX}")
            patterns += [str(code) for code in range(int(low), int(high) + 1)]
        else:
            patterns.append(low)
    return f"[STATUS] == any({', '.join(patterns)})"
