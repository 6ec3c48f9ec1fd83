"""Services through the whole daemon: added by command, probed, told of once, over kills of the worker too."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema.database import Database
from tests.acceptance.harness import Daemon, running, wait_for
from tests.fakes import target as targets
from tests.fakes.target import Target


@pytest.fixture
def target() -> Iterator[Target]:
    with targets.beside() as made:
        yield made


def rows(daemon: Daemon, query: str) -> list[dict[str, Any]]:
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        cursor = database._connection.execute(query)
        return [dict(zip((column[0] for column in cursor.get_description()), row, strict=True)) for row in cursor]
    finally:
        database.close()


def status_of(daemon: Daemon, name: str) -> str:
    return str(daemon.json("services", "show", name)["status"])


def test_a_service_is_added_listed_edited_paused_tested_and_removed_by_command(tmp_path: Path, target: Target) -> None:
    with running(tmp_path) as daemon:
        added = daemon.json(
            "services", "add", "--name", "web", "--url", target.url("/a"), "--interval", "1s", "--timeout", "500ms",
            "--condition", "[STATUS] == 200", "--condition", "[BODY] == ok", "--tag", "prod", "--tag", "eu",
        )  # fmt: skip
        assert added["id"] == 1
        wait_for(lambda: status_of(daemon, "web") == "healthy")
        (listed,) = daemon.json("services", "list")
        wanted = {"id", "name", "url", "status", "latency_ms", "last_checked_at", "tags", "paused"}
        assert wanted <= listed.keys()
        assert (listed["tags"], listed["paused"], listed["url"]) == (["eu", "prod"], False, target.url("/a"))
        target.answer("/a", body=b"bad")
        wait_for(lambda: status_of(daemon, "web") == "down")
        newest, *_ = daemon.json("services", "history", "1")
        assert (newest["status"], newest["detail"]) == ("down", "[BODY] (bad) == ok")
        tested = daemon.ctl("services", "test", "web", check=False)
        assert tested.returncode == 1
        assert "does not hold: [BODY] (bad) == ok" in tested.stdout
        daemon.json("services", "edit", "web", "--condition", "[STATUS] == 200")
        wait_for(lambda: status_of(daemon, "1") == "healthy")
        assert daemon.json("services", "pause", "--tag", "eu")["done"] == [1]
        assert daemon.json("services", "list", "--status", "paused")[0]["name"] == "web"
        assert daemon.json("services", "resume", "web")["done"] == [1]
        assert daemon.json("services", "rm", "web")["done"] == [1]
        assert daemon.json("services", "list") == []
        refused = daemon.ctl(
            "services", "add", "--name", "x", "--url", "ftp://x", "--condition", "[NO] == 1", check=False
        )
        assert refused.returncode == 1
        assert "url: a URL begins with one of" in refused.stderr
        assert "column 1" in refused.stderr


def test_passwords_of_a_url_are_masked_everywhere_and_used_all_the_same(tmp_path: Path, target: Target) -> None:
    with running(tmp_path, CLAUDEOPS_PROBE_KEY="from-the-environment") as daemon:
        url = target.url("/").replace("http://", "http://ada:s3cr3t-word@")
        daemon.json(
            "services", "add", "--name", "web", "--url", url, "--interval", "1s",
            "--header", "X-Api-Key: an-api-key-in-a-header", "--header", "X-Other: $KEY",
        )  # fmt: skip
        wait_for(lambda: status_of(daemon, "web") == "healthy")
        request = target.to("/")[-1]
        assert request.headers["authorization"].startswith("basic ")
        assert request.headers["x-api-key"] == "an-api-key-in-a-header"
        assert request.headers["x-other"] == "from-the-environment"
        shown = daemon.ctl("services", "show", "web", "--json").stdout + daemon.ctl("services", "list").stdout
        assert "ada:***@" in shown
        daemon.json("services", "edit", "web", "--interval", "2s")
        target.arrivals.clear()
        wait_for(lambda: len(target.to("/")) > 0)
        assert target.to("/")[-1].headers["x-api-key"] == "an-api-key-in-a-header"
        away = daemon.ctl("services", "edit", "web", "--url", "http://elsewhere.example:1/", check=False)
        assert away.returncode == 1
        assert "another address" in away.stderr
        daemon.stop()
        written = b"".join(path.read_bytes() for path in daemon.state.glob("claudeops.db*"))
        for secret in ("s3cr3t-word", "an-api-key-in-a-header", "from-the-environment"):
            assert secret not in shown
            assert secret.encode() not in written
            assert secret not in daemon.log()
        kept = daemon.state / "service-credentials.json"
        assert kept.stat().st_mode & 0o077 == 0


def test_kills_of_the_worker_while_a_service_flaps_lose_and_double_nothing(tmp_path: Path, target: Target) -> None:
    dice = random.Random(3)
    with running(tmp_path) as daemon:
        daemon.json("services", "add", "--name", "web", "--url", target.url("/"), "--interval", "1s", "--timeout", "1s")
        wait_for(lambda: status_of(daemon, "web") == "healthy")
        for _ in range(12):
            target.answer("/", status=dice.choice([200, 500]))
            time.sleep(dice.uniform(0.1, 1.2))
            daemon.wait_replaced("worker", daemon.kill("worker"))
        target.answer("/")
        wait_for(lambda: status_of(daemon, "web") == "healthy")
        history = list(reversed(daemon.json("services", "history", "web", "--limit", "1000")))
        daemon.stop()
        incidents = rows(daemon, "SELECT began_at, ended_at FROM incidents ORDER BY id")
        told = [row["key"] for row in rows(daemon, "SELECT key FROM notifications WHERE kind = 'service' ORDER BY id")]
    # Each stretch of failures is one incident; what follows from a finding is there if the finding is.
    stretches = 0
    before = "healthy"
    for result in history:
        stretches += result["status"] == "down" and before != "down"
        before = result["status"]
    assert len(incidents) == stretches
    assert all(row["ended_at"] for row in incidents)
    assert len(told) == len(set(told))
    assert len([key for key in told if key.endswith(":began")]) <= stretches
    # A finding was asked for; a kill may lose the last one under way, and nothing else.
    assert len(history) <= len(target.to("/"))


def test_a_status_page_is_managed_by_command_and_seen_by_anybody_while_it_is_published(
    tmp_path: Path, target: Target
) -> None:
    with running(tmp_path) as daemon:
        daemon.json("services", "add", "--name", "web", "--url", target.url("/"), "--interval", "1s", "--tag", "public")
        added = daemon.json("status-pages", "add", "shop", "--title", "The shop", "--tag", "public")
        assert (added["page"]["slug"], added["page"].get("published", False)) == ("shop", False)
        address = f"http://127.0.0.1:{daemon.port}/status/shop.json"

        def seen() -> dict[str, Any] | None:
            time.sleep(0.3)  # one address may ask 300 times a minute
            try:
                with urllib.request.urlopen(address, timeout=10) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                return None

        assert seen() is None
        daemon.json("status-pages", "edit", "shop", "--publish", "--description", "All of it")
        page = wait_for(seen, 20)
        assert (page["title"], page["description"]) == ("The shop", "All of it")
        assert [service["name"] for service in page["services"]] == ["web"]
        (listed,) = daemon.json("status-pages", "list")
        assert listed["version"] == 2
        assert "/status/shop  yes" in daemon.ctl("status-pages", "list").stdout
        refused = daemon.ctl("status-pages", "add", "shop", "--title", "Another", check=False)
        assert refused.returncode == 1
        assert "has the address 'shop' already" in refused.stderr
        assert daemon.ctl("status-pages", "edit", "nowhere", "--publish", check=False).returncode == 1
        daemon.json("status-pages", "rm", "shop")
        assert daemon.json("status-pages", "list") == []
        wait_for(lambda: seen() is None, 20)
