"""People are told, whatever is killed meanwhile; and the URL of a channel, which is a secret, is nowhere to be seen."""

import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema.database import Database
from tests.acceptance.harness import Daemon, running, wait_for
from tests.integration.notifications.receiver import Receiver

PASSWORD = "hush-hush-4711"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver(user=f"ops:{PASSWORD}")
    yield found
    found.close()


def deliveries(daemon: Daemon) -> list[dict[str, Any]]:
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        return database.rows("notifications.deliveries", low=0, high=2**62)
    finally:
        database.close()


def statuses(daemon: Daemon) -> list[str]:
    return [row["status"] for row in deliveries(daemon)]


def all_sent(daemon: Daemon, receiver: Receiver) -> bool:
    return bool(receiver.bodies) and set(statuses(daemon)) == {"sent"}


def numbers(receiver: Receiver) -> list[str]:
    return [re.findall(r"notification (\d+)$", body["message"])[0] for body in receiver.bodies]


def test_a_session_that_fails_and_one_that_needs_a_person_are_told(tmp_path: Path, receiver: Receiver) -> None:
    public = "https://ops.example.org"
    settings = {"CLAUDEOPS_APPRISE_URLS": receiver.url, "CLAUDEOPS_PUBLIC_URL": public}
    with running(tmp_path, **settings) as daemon:
        failed = daemon.wait_ended(daemon.trigger(lines=1, exit=3)["id"])
        assert failed["status"] == "failed"
        told = wait_for(lambda: receiver.bodies, 15, "a message")[0]
        assert told["title"] == f"[warning] Session {failed['id']} (tier 1) failed"
        assert f"{public}/sessions/{failed['id']}" in told["message"]
        wanted = {"escalation": {"needed": True, "reason": "the disk is broken", "failed_checks": ["db"]}}
        daemon.wait_ended(
            daemon.trigger(3, lines=1, structured={"summary": "s", "services_checked": [], **wanted})["id"]
        )
        told = wait_for(lambda: receiver.bodies[1:], 15, "the second message")[0]
        assert told["title"] == "[critical] Needs human attention: db: the disk is broken"
        wait_for(lambda: all_sent(daemon, receiver), 10, "marked as sent")
        listed = daemon.json("notifications", "list")
        assert [one["kind"] for one in listed["notifications"]] == ["attention", "session"]
        assert listed["channels"][0]["name"].startswith("json-")


def test_a_worker_killed_before_and_while_it_sends_loses_nothing_and_repeats_with_the_same_number(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.close()
    with running(tmp_path, CLAUDEOPS_APPRISE_URLS=receiver.url) as daemon:
        daemon.json("notifications", "test")
        daemon.wait_replaced("worker", daemon.kill("worker"))
        assert statuses(daemon)[0] in ("pending", "sending", "retrying")
        receiver.hang_s = 3.0
        receiver.open()
        # The channel has taken it and does not say so yet: nobody can know whether it has arrived.
        wait_for(lambda: receiver.bodies, 30, "the first")
        daemon.wait_replaced("worker", daemon.kill("worker"))
        receiver.hang_s = 0.0
        wait_for(lambda: all_sent(daemon, receiver), 30, "all sent")
        found = numbers(receiver)
        assert found[:2] == ["1", "1"], "it came again, and its number says so"
        wait_for(lambda: "2" in numbers(receiver), 10, "that the worker was killed is told, too")
        titles = [title for title in receiver.titles if "test" not in title]
        assert "[warning] The worker process had to be started again" in titles


def test_the_password_of_a_channel_is_nowhere_to_be_seen(tmp_path: Path, receiver: Receiver) -> None:
    receiver.hang_s = 2.0
    secret = tmp_path / "urls"
    secret.write_text(receiver.url + "\n")
    with running(tmp_path / "d", CLAUDEOPS_APPRISE_URLS_FILE=str(secret)) as daemon:
        daemon.sign_in()
        daemon.json("notifications", "test")
        wait_for(lambda: receiver.bodies, 15, "the message")
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)]
        senders = [line for line in lines if b"daemon.notifications.send" in line]
        assert senders, "it is looked at while it sends"
        assert not [line for line in lines if PASSWORD.encode() in line]
        receiver.close()
        daemon.json("notifications", "test")
        wait_for(lambda: [row for row in deliveries(daemon) if row["error"]], 20, "an error")
        texts = [
            daemon.request("GET", path)[2] for path in ("/notifications", "/notifications.json", "/system", "/audit")
        ]
        texts += [daemon.ctl(*words).stdout.encode() for words in (("notifications", "list"), ("config", "list"))]
        texts.append(json.dumps(daemon.file()).encode())
        assert b"json-" in texts[0]
        assert b"LAST SENT (UTC)" in texts[4]
        assert daemon.ctl("notifications", "retry", check=False).returncode == 1, "nothing was given up"
        files = [path for path in (tmp_path / "d").rglob("*") if path.is_file()]
        assert [path for path in files if path.name == "claudeops.db"]
        texts += [path.read_bytes() for path in files]
        for text in texts:
            assert PASSWORD.encode() not in text
            assert f"127.0.0.1:{receiver.port}/hook".encode() not in text


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def test_the_page_sends_a_test_and_shows_what_became_of_it(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path, CLAUDEOPS_APPRISE_URLS=receiver.url) as daemon:
        daemon.sign_in()
        page = daemon.request("GET", "/notifications")[2].decode()
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page[page.index("/test") :]))
        for _ in range(2):  # a form that is sent twice is one message
            status, headers, _ = daemon.request("POST", "/notifications/test", urllib.parse.urlencode(fields))
            assert (status, headers["Location"]) == (303, "/notifications?told=test")
        wait_for(lambda: all_sent(daemon, receiver), 15, "sent")
        assert receiver.titles == ["[info] A test, asked for by ada"]
        page = daemon.request("GET", "/notifications")[2].decode()
        assert "A test, asked for by ada" in page
        assert daemon.json("audit", "list", "--action", "notification.test")[0]["actor"] == "ada"
