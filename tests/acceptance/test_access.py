"""Who is let in, by the whole daemon: what is over stays over, whoever is killed; what was typed is kept nowhere."""

import contextlib
import http.client
import json
import sqlite3
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from schema import timestamps
from schema.access import name_mark
from schema.database import Database
from tests.acceptance.audited import Asker, form, log
from tests.acceptance.harness import Daemon, running

THIEF = "203.0.113.7"
PASSWORD = "correct horse battery"  # as `Daemon.sign_in` sets it


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": "application/json"}


def files(*places: Path) -> list[Path]:
    return [path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()]


def stream_seconds(daemon: Daemon, headers: dict[str, str], ends: Any) -> float:
    """How long a stream that was opened with these headers goes on after `ends`."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    connection.request("GET", "/live?page=overview", headers={**headers, "Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.status == 200
    response.read1(100)
    over = threading.Event()

    def read() -> None:
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):  # of whoever signs out, it is cut
            response.read()
        over.set()

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.5)
    assert not over.is_set()
    began = time.monotonic()
    ends()
    assert over.wait(20)
    reader.join()
    connection.close()
    return time.monotonic() - began


def test_a_token_opens_what_its_role_may_is_over_at_once_and_is_kept_nowhere(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        made = daemon.json("token", "create", "--name", "ci", "--role", "operator", "--expires", "90d")
        token = made["token"]
        assert (made["name"], made["role"], made["scopes"]) == ("ci", "operator", ["read", "act", "metrics"])
        assert daemon.request("GET", "/sessions.json", headers=shown(token))[0] == 200
        body = json.dumps({"prompt": "look"})
        status, _, answer = daemon.request("POST", "/sessions/trigger", body, headers=shown(token))
        assert status in (200, 201, 202), answer
        assert daemon.request("GET", "/users.json", headers=shown(token))[0] == 403

        again = daemon.ctl("token", "create", "--name", "CI", "--role", "viewer", check=False)
        assert again.returncode == 1
        assert "already" in again.stderr

        def revoke() -> None:
            assert daemon.json("token", "revoke", "ci")["revoked_at"]

        assert stream_seconds(daemon, shown(token), revoke) < 4  # most of it is the command's own start
        status, headers, _ = daemon.request("GET", "/sessions.json", headers=shown(token))
        assert (status, headers["WWW-Authenticate"][:6]) == (401, "Bearer")
        assert daemon.json("token", "list") == []
        (listed,) = daemon.json("token", "list", "--all")
        assert listed["last_used_from"] == "127.0.0.1"

        asked = [row for row in daemon.json("sessions", "list") if row["requested_by"] == "token:ci"]
        assert asked or daemon.json("triggers", "list", "--all")[0]["requested_by"] == "token:ci"
        daemon.stop()
        held = [path for path in files(tmp_path, daemon.runtime) if token[3:].encode() in path.read_bytes()]
        assert held == []


def test_people_by_command_line_and_an_audit_log_that_shows_its_edits(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        added = daemon.json("users", "add", "bo", "--role", "viewer")
        assert added["link"].startswith(f"http://127.0.0.1:{daemon.port}/password/")
        assert [user["name"] for user in daemon.json("users", "list")] == ["ada", "bo"]
        assert daemon.json("users", "role", "bo", "admin")["role"] == "admin"
        refused = daemon.ctl("users", "disable", "ada", check=False)
        assert refused.returncode == 1
        assert "last admin" in refused.stderr
        assert daemon.json("users", "disable", "bo")["disabled_at"]
        assert daemon.json("users", "enable", "bo")["disabled_at"] is None
        assert "/password/" in daemon.ctl("users", "password-link", "bo").stdout

        proof = daemon.json("audit", "verify")
        assert (proof["ok"], proof["first_bad"]) == (True, None)
        assert proof["lines"] == len(daemon.json("audit", "list"))
        assert proof["lines"] >= 6
        assert daemon.json("audit", "verify", "--head", proof["head"])["ok"]
        daemon.ctl("backup", str(tmp_path / "copy.db"))
        assert daemon.json("audit", "verify", "--database", str(tmp_path / "copy.db")) == proof

        database = daemon.state / "claudeops.db"
        with sqlite3.connect(database, timeout=10) as other:
            other.execute("UPDATE audit SET actor = 'nobody' WHERE id = 3")
        other.close()
        told = daemon.ctl("audit", "verify", "--json", check=False)
        assert told.returncode == 1
        assert json.loads(told.stdout)["first_bad"] == 3
        daemon.stop()
        offline = daemon.ctl("audit", "verify", "--database", str(database), check=False)
        assert offline.returncode == 1
        assert "line 3 is not as it was written" in offline.stdout


def replayed(daemon: Daemon, cookie: str) -> list[int]:
    """What a cookie opens that somebody has kept: a page as JSON, and a stream."""
    answers = [
        daemon.request("GET", path, headers={"Cookie": cookie, "Accept": accept})[0]
        for path, accept in (("/sessions.json", "application/json"), ("/live?page=overview", "text/event-stream"))
    ]
    status, headers, _ = daemon.request("GET", "/", headers={"Cookie": cookie, "Accept": "text/html"})
    assert (status, headers["Location"]) == (303, "/sign-in")
    return answers


def test_a_stolen_cookie_is_over_with_the_sign_out_whoever_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        stolen = daemon.sign_in().cookie
        assert daemon.request("GET", "/sessions.json")[0] == 200
        ada = Asker(daemon, "ada")

        def sign_out() -> None:
            assert ada.ask("POST", "/sign-out")[0] == 303

        # The thief watches at that moment.
        assert stream_seconds(daemon, {"Cookie": stolen}, sign_out) < 2
        assert replayed(daemon, stolen) == [401, 401]
        for name in ("web", "worker"):
            daemon.wait_replaced(name, daemon.kill(name))
            assert replayed(daemon, stolen) == [401, 401]


def guess(daemon: Daemon, password: str, address: str = THIEF, name: str = "ada") -> tuple[int, int]:
    """One sign-in from an address; the status, and for how many seconds to wait."""
    status, headers = form(
        daemon, "/sign-in", "/sign-in", {"name": name, "password": password}, X_Forwarded_For=address
    )
    return status, int(headers.get("Retry-After", 0))


def went_on(daemon: Daemon, name: str, times: int) -> None:
    """As if the thief had waited each time, and failed so many times more; which would take minutes."""
    database = Database(daemon.state / "claudeops.db", readonly=False)
    try:
        for _ in range(times):
            database.change("users.fail", name=name_mark(name), address=THIEF, failed_at=timestamps.now())
    finally:
        database.close()


def test_guessing_is_slowed_down_whoever_is_killed_and_locks_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        found = [guess(daemon, f"wrong {number}") for number in range(20)]
        assert [status for status, _ in found[:5]] == [401] * 5
        status, wait = found[-1]
        assert status == 429
        assert 1 <= wait <= 300
        went_on(daemon, "ada", 6)
        for name in ("web", "worker"):
            daemon.wait_replaced(name, daemon.kill(name))
            # The right one is not judged either, or the answer would tell. Only what is judged counts, so whoever asks
            # again and again doesn't wait longer.
            waits = [guess(daemon, password) for password in (PASSWORD, "wrong", PASSWORD)]
            assert [status for status, _ in waits] == [429] * 3
            assert 300 >= waits[0][1] >= waits[-1][1] > 30
        judged = [line for line in log(daemon) if line.action == "user.sign_in_failed"]
        assert {(line.actor, line.subject) for line in judged} == {("unknown", "ada")}
        assert all(line.detail.startswith(f"from {THIEF}, ") for line in judged)
        assert 5 <= len(judged) <= 10

        # Names that nobody has are counted like those that somebody has, so the answers don't tell which.
        strange = [guess(daemon, "wrong", "203.0.113.8", name="nobody")[0] for _ in range(7)]
        assert strange[:5] == [401] * 5
        assert 429 in strange[5:]

        # The owner comes in from elsewhere, and with a link from the very address that is slowed down.
        assert guess(daemon, PASSWORD, "198.51.100.1")[0] == 303
        link = urllib.parse.urlsplit(daemon.json("users", "password-link", "ada")["link"]).path
        typed = {"password": "yet another horse", "password_again": "yet another horse"}
        assert form(daemon, link, "/password", typed, X_Forwarded_For=THIEF)[0] == 303


def test_what_was_typed_into_a_form_is_kept_nowhere(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        slip = "my-password-in-the-wrong-field"
        assert guess(daemon, "my-password-that-is-wrong", name=slip)[0] == 401
        assert guess(daemon, "another-one-of-mine", name="ADA")[0] == 401
        subjects = [line.subject for line in log(daemon) if line.action == "user.sign_in_failed"]
        assert subjects == ["a name that nobody has", "ada"]
        daemon.stop()
        typed = (slip, "my-password-that-is-wrong", "another-one-of-mine")
        held = [
            path
            for path in files(tmp_path, daemon.runtime)
            for text in typed
            if text.encode() in path.read_bytes() or text.upper().encode() in path.read_bytes()
        ]
        assert held == []


def by_link(daemon: Daemon, path: str, password: str) -> str:
    """The cookie of whoever sets a password by a link."""
    status, headers = form(daemon, path, "/password", {"password": password, "password_again": password})
    assert status == 303
    return headers["Set-Cookie"].split(";")[0]


def test_a_lower_role_another_password_and_being_kept_out_count_at_once_everywhere(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        path = urllib.parse.urlsplit(daemon.json("users", "add", "bo", "--role", "admin")["link"]).path
        first = {"Cookie": by_link(daemon, path, "the first of bo")}
        assert daemon.request("GET", "/users.json", headers=first)[0] == 200
        daemon.ctl("users", "role", "bo", "viewer")
        assert daemon.request("GET", "/users.json", headers=first)[0] == 403

        def password() -> None:
            path = urllib.parse.urlsplit(daemon.json("users", "password-link", "bo")["link"]).path
            second["Cookie"] = by_link(daemon, path, "the second of bo")

        second: dict[str, str] = {}
        # Most of it is the command's own start.
        assert stream_seconds(daemon, first, password) < 6
        assert daemon.request("GET", "/sessions.json", headers=first)[0] == 401
        assert daemon.request("GET", "/sessions.json", headers=second)[0] == 200
        assert stream_seconds(daemon, second, lambda: daemon.ctl("users", "disable", "bo")) < 4
        daemon.ctl("users", "enable", "bo")
        assert daemon.request("GET", "/sessions.json", headers=second)[0] == 401
        assert guess(daemon, "the first of bo", name="bo")[0] == 401
        assert guess(daemon, "the second of bo", name="bo")[0] == 303
