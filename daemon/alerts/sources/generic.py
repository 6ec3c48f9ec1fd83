"""Any other sender: a JSON object with the usual names for things, any other JSON, or plain text. Pure.

Nothing is refused but a body that is empty: what it says is for a session to read. A `tier` is taken out of it.
"""

from typing import Any

import msgspec

from daemon.alerts import alert
from daemon.alerts.alert import RESOLVED, Alert

NAME = "generic"
TITLES = ("title", "summary", "subject", "alertname", "alert", "name", "check", "event", "message", "text")
TEXTS = ("text", "message", "description", "body", "details", "msg")
SERVICES = ("service", "app", "host", "hostname", "monitor", "component", "target", "instance")
SEVERITIES = ("severity", "level", "priority", "urgency")
STATUSES = ("status", "state", "alert_status")
KEYS = ("key", "dedup_key", "dedupe_key", "fingerprint", "alert_id", "incident_id", "id")


def read(body: bytes) -> list[Alert]:
    """The alert of a body. BodyError for one that is empty, or whose tier is none."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = body.decode("utf-8", "replace")
    if isinstance(found, dict):
        return [_of_object(found)]
    text = found if isinstance(found, str) else _shown(found)
    if not text.strip():
        raise alert.BodyError("the body is empty; say what happened")
    return [alert.make(NAME, text, text.strip().splitlines()[0], text=text)]


def _of_object(given: dict[str, Any]) -> Alert:
    tier = given.pop("tier", None) or 0
    if isinstance(tier, bool) or not isinstance(tier, int | str) or not str(tier).isdecimal() or len(str(tier)) > 9:
        raise alert.BodyError("tier: this is no tier; choose 1, 2 or 3, or leave it out")
    if not given:
        raise alert.BodyError("the body is empty; say what happened")
    words = {name.lower(): value for name, value in given.items() if isinstance(value, str) and value.strip()}
    numbers = {name.lower(): str(value) for name, value in given.items() if isinstance(value, int | float)}
    text = alert.first(words, *TEXTS)
    title = alert.first(words, *TITLES)
    status = alert.first(words, *STATUSES).strip().lower()
    service = alert.first(words, *SERVICES)
    # Without a key of its own, what stays the same when the sender tells of it again: not times, not values.
    key = alert.first(words | numbers, *KEYS) or (f"{service}\n{title}" if title else _shown(given))
    return alert.make(
        NAME,
        key,
        title or _shown(given),
        text="\n\n".join(dict.fromkeys(part for part in (text, _shown(given)) if part)),
        service=service,
        severity=alert.first(words, *SEVERITIES),
        resolved=status in RESOLVED,
        tier=int(tier),
    )


def _shown(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2).decode()
