"""Hands messages to one channel, of apprise or a program: a process of its own, for apprise takes 40 MB and may hang.

`python -m daemon.notifications.send`, started by `daemon.notifications.sender`. On standard input one JSON object:
`url`, `secret` (of a webhook), `parent` (a pid), `messages` (id, title, body, level, payload). On standard output one
JSON line for each message that was tried, in order: id, ok, error, refused. It ends at the first that fails, so that
none overtakes another. The URL is a secret: it comes by standard input and goes nowhere.
"""

import json
import logging
import os
import re
import signal
import sys
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

from daemon import native
from daemon.notifications import posting

ERROR_MAX = 300
SHORTEST = 3
PARTS_LEAST = 1000  # characters that a service takes; an SMS takes 160
HIDDEN = "•••"
STATUS = re.compile(r"\berror=(\d{3})\b")
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}


def secrets_of(url: str) -> list[str]:
    """What of a URL may not be shown, the longest first: all but its schema and its host's name."""
    rest = url.partition("://")[2]
    parts = {url, rest}
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    for piece in re.split(r"[/?&=:@#,;\s]+", rest):
        for form in (piece, unquote(piece)):
            if len(form) >= SHORTEST and form.lower() != host.lower():
                parts.add(form)
    return sorted(parts, key=len, reverse=True)


def hide(text: str, secrets: list[str]) -> str:
    """A text without them, of bearable length."""
    for secret in secrets:
        text = re.sub(re.escape(secret), HIDDEN, text, flags=re.IGNORECASE)
    return " ".join(text.split())[:ERROR_MAX]


def refused(texts: list[str]) -> bool:
    """Whether a service has refused a message for good, as apprise's log tells it: with the status at the end."""
    found = [int(status) for text in texts for status in STATUS.findall(text)]
    return bool(found) and all(status in posting.REFUSING for status in found)


class Kept(logging.Handler):
    """Keeps what apprise says of a failure; it only returns true or false."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line."""
        self.texts.append(record.getMessage())


def main() -> None:
    """Sends what standard input asks for; exit code 0 even where a message fails, for its line says so."""
    native.die_with_parent(signal.SIGKILL)
    given: dict[str, Any] = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a plugin that prints must not speak between our lines
    if given["secret"]:
        post_all(given, answers)
    else:
        notify_all(given, answers)


def post_all(given: dict[str, Any], answers: TextIO) -> None:
    """To a program."""
    secrets = [*secrets_of(given["url"]), given["secret"]]
    for message in given["messages"]:
        if os.getppid() != given["parent"]:
            return  # it was killed, and another worker sends this again
        failure = posting.post(given["url"], given["secret"], message["id"], message["payload"])
        error = hide(failure.error, secrets) if failure else ""
        answer = {"id": message["id"], "ok": not failure, "error": error, "refused": bool(failure and failure.refused)}
        print(json.dumps(answer), file=answers, flush=True)
        if failure:
            return


def notify_all(given: dict[str, Any], answers: TextIO) -> None:
    """To a channel of apprise."""
    secrets = secrets_of(given["url"])
    kept = Kept()
    logging.getLogger().addHandler(kept)
    import apprise

    channel = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Claude Ops", secure_logging=True))
    added = channel.add(given["url"])
    fit(channel, given["url"])
    for message in given["messages"]:
        if os.getppid() != given["parent"]:
            return  # it was killed, and another worker sends this again
        kept.texts.clear()
        ok = added and bool(
            channel.notify(
                body=message["body"],
                title=message["title"],
                notify_type=apprise.NotifyType(KINDS[message["level"]]),
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
        error = ""
        if not added:
            error = "apprise does not know this kind of URL, or something is missing in it; see its documentation"
        elif not ok:
            error = hide("; ".join(kept.texts), secrets) or "apprise could not send it, and does not say why"
        answer = {"id": message["id"], "ok": ok, "error": error, "refused": not ok and refused(kept.texts)}
        print(json.dumps(answer), file=answers, flush=True)
        if not ok:
            return


def fit(channel: Any, url: str) -> None:
    """Has what is too long for the service come in parts, or cut where that would be many; unless the URL says how.

    By itself apprise hands it over whole, and a service that refuses it would hold up all that waits behind it.
    """
    from apprise import OverflowMode

    for one in channel if "overflow=" not in url else ():
        one.overflow_mode = OverflowMode.SPLIT if one.body_maxlen >= PARTS_LEAST else OverflowMode.TRUNCATE


if __name__ == "__main__":
    main()
