"""A daemon in which there is one of everything that can be changed, and its audit log as lines to compare.

Rows that only a session could make are written before it starts; tiers 1 and 2 are busy, tier 3 is free.
"""

import json
import re
import urllib.parse
from typing import Any, NamedTuple

from schema.database import Database
from tests.acceptance.harness import Daemon, wait_for
from tests.integration.webui import rows

NEWEST = 2**62
AT = "2026-01-31T08:00:00.000Z"
CHANNEL_URL = "json://127.0.0.1:9/nobody-listens"


class Line(NamedTuple):
    """A line of the log."""

    actor: str
    action: str
    subject: str
    detail: str


class Seeds(NamedTuple):
    """Numbers of rows, so many of each that every request has its own."""

    approvals: list[int]
    rules: list[int]
    memories: list[int]


def fill(daemon: Daemon) -> Seeds:
    """Rows, before the daemon starts."""
    daemon.state.mkdir(parents=True)
    database = Database(daemon.state / "claudeops.db", readonly=False)
    try:
        database.migrate()
        session = rows.insert(
            database, "sessions", tier=2, model="haiku", prompt_file="(ad-hoc)", status="completed", trigger="manual",
            started_at=AT, ended_at=AT,
        )  # fmt: skip
        rows.action(database, "web")
        return Seeds(
            [rows.approval(database, session, f"docker restart web{number}") for number in range(4)],
            [rows.rule(database, f"docker restart web{number}") for number in range(2)],
            [rows.memory(database, f"web takes {number} s") for number in range(5)],
        )
    finally:
        database.close()


def given_up(daemon: Daemon, number: int) -> list[int]:
    """Notifications that the channel has given up."""
    channel = daemon.json("notifications", "list")["channels"][0]["name"]
    database = Database(daemon.state / "claudeops.db", readonly=False)
    try:
        made = []
        for _ in range(number):
            told = {"kind": "event", "level": "info", "title": "x", "created_at": AT, "routed_at": AT}
            made.append(rows.insert(database, "notifications", **told))
            values = {"notification_id": made[-1], "channel": channel, "status": "given_up", "urgent": 0}
            rows.insert(database, "deliveries", since=AT, next_at=AT, changed_at=AT, **values)
        return made
    finally:
        database.close()


def log(daemon: Daemon) -> list[Line]:
    """The log, oldest first."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        found = database.rows("audit.page", before=NEWEST, limit=10_000)[::-1]
    finally:
        database.close()
    return [Line(row["actor"], row["action"], row["subject"], row["detail"]) for row in found]


def hanging(daemon: Daemon, tier: int) -> int:
    """A session that runs until it is stopped."""
    return int(wait_for(lambda: daemon.trigger(tier, hang=600), 10, "a session")["id"])


class Asker:
    """Requests of one person or program."""

    def __init__(self, daemon: Daemon, name: str, token: str = "") -> None:
        """By an API token, or as whom `daemon.sign_in` has signed in."""
        self._daemon = daemon
        self.name = name
        self._headers = {"Authorization": f"Bearer {token}", "Cookie": ""} if token else self._signed_in()

    def _signed_in(self) -> dict[str, str]:
        _, _, body = self._daemon.request("GET", "/")
        found = re.search(rb'name="csrf" value="([^"]+)"', body)
        assert found is not None, body[:500]
        return {"Cookie": self._daemon.cookie, "X-CSRF-Token": found[1].decode()}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """A form of these fields, or the same as JSON for the addresses of programs; the status and the answer."""
        programs = path.startswith(("/api/", "/v1/"))
        text = json.dumps(body or {}) if programs else urllib.parse.urlencode(body or {"key": ""})
        kind = "application/json" if programs else "application/x-www-form-urlencoded"
        sent = {**self._headers, "Origin": f"http://127.0.0.1:{self._daemon.port}", "Content-Type": kind}
        status, _, answer = self._daemon.request(method, path, text, sent, timeout=60)
        return status, answer


def form(daemon: Daemon, page: str, post: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, str]]:
    """A stranger's form: fetched, filled in, sent; the status, and the answer's headers."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    _, got, body = daemon.request("GET", page, headers={"Cookie": "", **more})
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body.decode()))
    sent = {"Cookie": got.get("Set-Cookie", "").split(";")[0], **more}
    status, found, _ = daemon.request("POST", post, urllib.parse.urlencode({**hidden, **fields}), sent)
    return status, found
