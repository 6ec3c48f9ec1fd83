"""A token from `claudeopsctl` to HTTP and back: it opens what its role may, is over at once, and is kept nowhere."""

import http.client
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from tests.acceptance.harness import Daemon, running


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": "application/json"}


def files(*places: Path) -> list[Path]:
    return [path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()]


def stream_seconds(daemon: Daemon, token: str, ends: Any) -> float:
    """How long a stream that a token opened goes on after `ends`."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    connection.request("GET", "/live?page=overview", headers={**shown(token), "Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.status == 200
    response.read1(100)
    over = threading.Event()

    def read() -> None:
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

        assert stream_seconds(daemon, token, revoke) < 4  # most of it is the command's own start
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
