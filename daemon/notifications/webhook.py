"""Channels that are programs: which there are, and what is posted to them. Pure; the posting is in `.posting`.

A notification goes out as JSON in the form of https://www.standardwebhooks.com: an id that a repeat has too, the time,
and a signature over both and the body, which any of its libraries verifies.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from daemon.keys import rules as keys
from daemon.notifications.rules import DIGITS, Channel
from schema.declarations import several
from schema.settings import WORDS

NAME = "webhook"
NO_SECRET = "CLAUDEOPS_WEBHOOK_SIGNING_SECRET is not set, so nothing is posted to CLAUDEOPS_WEBHOOK_URLS"


def channels(text: str, secret: str) -> tuple[list[Channel], list[str]]:
    """(the channels of CLAUDEOPS_WEBHOOK_URLS, each once; a sentence for each part that can't be one)."""
    urls = several(WORDS, text)
    if not urls:
        return [], []
    try:
        keys.key_bytes(secret)
    except ValueError as error:
        return [], [f"CLAUDEOPS_WEBHOOK_SIGNING_SECRET: {error}; nothing is posted to CLAUDEOPS_WEBHOOK_URLS"]
    if not secret:
        return [], [NO_SECRET]
    found: dict[str, Channel] = {}
    problems = []
    for number, url in enumerate(urls, 1):
        if not _is_address(url):
            problems.append(f"CLAUDEOPS_WEBHOOK_URLS: part {number} is no address, such as https://example.org/hook")
            continue
        digest = hashlib.sha256(url.encode()).hexdigest()
        for digits in range(DIGITS, len(digest)):
            name = f"{NAME}-{digest[:digits]}"
            if name not in found or found[name].url == url:
                found.setdefault(name, Channel(name, url, secret))
                break
    return list(found.values()), problems


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def payload(row: Mapping[str, Any], link: str) -> str:
    """The body that tells of a notification. `row` is one of `notifications.open`; `link`, where people look."""
    data = {
        "id": row["id"],
        "kind": row["kind"],
        "level": row["level"],
        "title": row["title"],
        "body": row["body"],
        "url": link,
        "session_id": row["session_id"],
        "approval_id": row["approval_id"],
    }
    told = {"type": f"notification.{row['kind']}", "timestamp": row["created_at"], "data": data}
    return msgspec.json.encode(told).decode()
