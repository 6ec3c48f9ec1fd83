"""Behind a reverse proxy: what it says of the browser counts if its address is trusted, and not a word of it else."""

import json
import urllib.parse
from typing import Any

import apsw
import pytest

from tests.acceptance.harness import Daemon, wait_for

SAID = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "ops.example.org",
}


def tried(daemon: Daemon, **headers: str) -> tuple[dict[str, str], list[str]]:
    """One wrong password through the proxy: the sign-in page's headers, the addresses that were counted."""
    status, found, _ = daemon.request("GET", "/sign-in", headers={**SAID, **headers})
    assert status == 200
    cookie = found["Set-Cookie"].split(";")[0]
    form = urllib.parse.urlencode({"name": "ada", "password": "wrong", "csrf": cookie.partition("=")[2]})
    sent = {**SAID, "Cookie": cookie, "Origin": f"https://{SAID['X-Forwarded-Host']}", **headers}
    daemon.request("POST", "/sign-in", form, sent)
    connection = apsw.Connection(str(daemon.state / "claudeops.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        counted = [row[0] for row in connection.execute("SELECT address FROM sign_in_failures ORDER BY id")]
    finally:
        connection.close()
    return found, counted


def proxy_finding(daemon: Daemon) -> dict[str, Any] | None:
    findings = json.loads(daemon.ctl("doctor", "--json", check=False).stdout)["findings"]
    return next((item for item in findings if item["name"] == "proxy"), None)


def test_a_trusted_proxy_says_who_asks_by_which_scheme_for_which_host(daemon: Daemon) -> None:
    daemon.start()
    headers, counted = tried(daemon)
    assert "Secure" in headers["Set-Cookie"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert counted == ["203.0.113.7"]
    assert proxy_finding(daemon) is None


def test_what_a_stranger_says_is_left_aside(daemon: Daemon) -> None:
    daemon.environment["CLAUDEOPS_TRUSTED_PROXIES"] = "10.9.9.9"
    daemon.start()
    headers, counted = tried(daemon)
    assert "Secure" not in headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in headers
    # The form's Origin names a host that nobody who is believed has named.
    assert counted == []
    assert tried(daemon, Origin=f"http://127.0.0.1:{daemon.port}")[1] == ["127.0.0.1"]
    found = wait_for(lambda: proxy_finding(daemon), 10, "the finding")
    assert found["level"] == "warning"
    assert "CLAUDEOPS_TRUSTED_PROXIES does not name it" in found["text"]


def test_a_proxy_that_does_not_say_the_scheme_is_noticed(daemon: Daemon) -> None:
    daemon.start()
    daemon.request("GET", "/sign-in", headers={"X-Forwarded-For": "203.0.113.7"})
    found = wait_for(lambda: proxy_finding(daemon), 10, "the finding")
    assert "does not send X-Forwarded-Proto" in found["text"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_metrics_without_a_token_are_for_programs_of_this_host_alone(daemon: Daemon, header: str) -> None:
    daemon.start()
    assert daemon.request("GET", "/metrics")[0] == 200
    assert daemon.request("GET", "/metrics", headers={header: "for=127.0.0.1"})[0] in (303, 401, 403)
