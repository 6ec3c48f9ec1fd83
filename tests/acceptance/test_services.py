"""Services through the whole daemon: added by command, probed, their passwords nowhere to be seen."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.stored import rows
from tests.fakes.target import Target


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


def test_a_heartbeat_tells_its_address_when_it_is_added_and_a_command_and_a_request_are_said_in_options(
    tmp_path: Path, target: Target
) -> None:
    with running(tmp_path, CLAUDEOPS_PROBE_COMMANDS="true") as daemon:
        told = daemon.ctl("services", "add", "--name", "backup", "--url", "heartbeat:", "--cron", "30 2 * * *",
                          "--zone", "Europe/Berlin", "--grace", "2h").stdout  # fmt: skip
        path = next(word for word in told.split() if word.startswith("/heartbeat/"))
        assert daemon.request("GET", path)[0] == 200
        wait_for(lambda: status_of(daemon, "backup") == "healthy")
        added = daemon.json("services", "add", "--name", "report", "--url", "heartbeat:")
        assert daemon.request("POST", f"{added['push_path']}/fail")[0] == 200
        wait_for(lambda: status_of(daemon, "report") == "down")
        assert "push_path" not in daemon.json("services", "show", "report")
        daemon.json("services", "add", "--name", "queue", "--url", "command:", "--command", "sh -c 'exit 3'",
                    "--condition", "[STATUS] == 3", "--interval", "1s")  # fmt: skip
        wait_for(lambda: status_of(daemon, "queue") == "healthy")
        tried = daemon.json("services", "test", "--url", target.url("/try"), "--method", "HEAD", "--header", "X-A: b")
        assert tried["status"] == "healthy"
        request = target.to("/try")[-1]
        assert (request.method, request.headers["x-a"]) == ("HEAD", "b")
        refused = daemon.ctl("services", "test", "queue", "--timeout", "1s", check=False)
        assert refused.returncode == 2
        assert "timeout: a service is probed as it is stored" in refused.stderr


def test_what_a_service_says_itself_is_put_back_to_what_its_tags_and_the_settings_say(
    tmp_path: Path, target: Target
) -> None:
    with running(tmp_path) as daemon:
        daemon.json(
            "services", "add", "--name", "web", "--url", target.url("/"), "--session-tier", "2", "--session-after", "3",
            "--session-cooldown", "2h", "--remind", "30m", "--mute", "yes", "--notify", "slack",
            "--notify-from", "warning", "--interval", "5s", "--header", "X-Api-Key: word", "--tag", "prod",
        )  # fmt: skip

        def said() -> dict[str, Any]:
            definition: dict[str, Any] = json.loads(rows(daemon, "SELECT definition FROM services")[0]["definition"])
            return {name: value for name, value in definition.items() if name not in ("name", "url")}

        daemon.json("services", "edit", "web", "--reset", "session-tier", "--reset", "mute", "--retries", "1")
        left = said()
        assert left.keys() == {"session_after", "session_cooldown", "remind", "notify", "notify_from", "interval",
                               "headers", "tags", "retries"}  # fmt: skip
        shown = daemon.ctl("services", "edit", "web", "--reset", "mute", "--mute", "yes", check=False)
        assert shown.returncode == 2
        assert "mute: either a value or --reset" in shown.stderr
        daemon.json("services", "edit", "web", "--reset", "rule", "--reset", "header", "--reset", "tag")
        assert said() == {"interval": 5.0, "retries": 1}
        assert daemon.ctl("services", "edit", "web", "--reset", "name", check=False).returncode == 2
        audit = rows(daemon, "SELECT detail FROM audit WHERE action = 'service.changed' ORDER BY id DESC")
        assert {"session_after", "remind", "notify_from", "headers", "tags"} <= set(audit[0]["detail"].split(", "))


def test_a_file_is_taken_dry_and_for_real_and_given_back_by_command(tmp_path: Path, target: Target) -> None:
    good, bad, given = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "given.yaml"
    good.write_text(f"services:\n  - name: web\n    url: {target.url('/')}\n    tags: [prod]\n")
    bad.write_text("services:\n  - name: web\n    url: ftp://x\n")
    with running(tmp_path / "d") as daemon:
        would = daemon.json("services", "import", str(good), "--dry-run")
        assert (would["added"], would["changed"], would["removed"], would["errors"]) == (["web"], [], [], [])
        assert daemon.json("services", "list") == []
        assert daemon.json("services", "import", str(good))["added"] == ["web"]
        again = daemon.json("services", "import", str(good))
        assert (again["added"], again["changed"], again["unchanged"]) == ([], [], 1)
        refused = daemon.ctl("services", "import", str(bad), "--json", check=False)
        assert refused.returncode == 1
        (error,) = json.loads(refused.stdout)["errors"]
        assert error.keys() == {"file", "line", "column", "message"}
        assert (error["file"], error["line"]) == (str(bad), 3)
        daemon.ctl("services", "export", "--to", str(given))
        assert daemon.json("services", "import", str(given))["unchanged"] == 1


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


def test_incidents_and_maintenance_by_command(tmp_path: Path, target: Target) -> None:
    with running(tmp_path) as daemon:
        daemon.json("services", "add", "--name", "web", "--url", target.url("/"), "--interval", "1s", "--tag", "prod")
        target.answer("/", status=503)
        wait_for(lambda: status_of(daemon, "web") == "down")
        (listed,) = daemon.json("incidents", "list", "--open", "--service", "web")
        assert (listed["service"], listed["detail"], listed["acknowledged_by"]) == ("web", "[STATUS] (503) < 400", None)
        seen = daemon.json("incidents", "ack", "1", "--note", "looking")
        assert seen["acknowledged_by"].endswith("(claudeopsctl)")
        noted = daemon.json("incidents", "note", "1", "the disk is full")
        assert [entry["kind"] for entry in noted["entries"]] == ["began", "told", "acknowledged", "note", "note"]
        shown = daemon.ctl("incidents", "show", "1").stdout
        assert "the disk is full" in shown
        assert "goes on" in shown
        assert "web" in daemon.ctl("incidents", "list").stdout
        # "30 minutes now"
        window = daemon.json("maintenance", "add", "--for", "30m", "--tag", "prod", "--title", "new disk")
        assert (window["active"], window["window"]["minutes"]) == (True, 30)
        wait_for(lambda: status_of(daemon, "web") == "maintenance")
        # On a day that is seldom today: one that goes on would be the first.
        rare = daemon.json(
            "maintenance", "add", "--for", "2h", "--service", "web", "--cron", "0 3 29 2 *", "--zone", "Europe/Berlin"
        )
        once = daemon.json(
            "maintenance", "add", "--for", "2h", "--tag", "*", "--start", "2099-07-01T22:00", "--zone", "Europe/Berlin"
        )
        assert once["window"]["starts_at"] == "2099-07-01T20:00:00.000Z"
        assert [one["id"] for one in daemon.json("maintenance", "list")] == [window["id"], rare["id"], once["id"]]
        assert "new disk" in daemon.ctl("maintenance", "list").stdout
        daemon.json("maintenance", "rm", str(window["id"]))
        wait_for(lambda: status_of(daemon, "web") == "down")
        for arguments, said in (
            (("maintenance", "add", "--for", "30m"), "say what it is for"),
            (("maintenance", "add", "--for", "0m", "--tag", "*"), "say for how long"),
            (("maintenance", "add", "--for", "30m", "--tag", "*", "--start", "soon"), "write it like"),
            (("maintenance", "add", "--for", "30m", "--tag", "*", "--start", "2099-01-01", "--zone", "X"), "time zone"),
            (("maintenance", "add", "--for", "30m", "--tag", "*", "--cron", "never"), "never"),
            (("maintenance", "rm", "99"), "no maintenance window 99"),
            (("incidents", "show", "99"), "no incident 99"),
            (("incidents", "note", "1", " "), "say something"),
        ):
            refused = daemon.ctl(*arguments, check=False)
            assert refused.returncode != 0
            assert said in refused.stderr, refused.stderr


def test_incidents_and_maintenance_by_api(tmp_path: Path, target: Target) -> None:
    with running(tmp_path) as daemon:
        secret = daemon.json("token", "create", "--name", "ops", "--role", "operator")["token"]
        looks = daemon.json("token", "create", "--name", "looks", "--role", "viewer")["token"]

        def ask(method: str, path: str, body: Any = None, token: str = secret) -> tuple[int, Any]:
            sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            text = "" if body is None else json.dumps(body)
            status, _, found = daemon.request(method, f"/api/v1{path}", text, sent)
            return status, json.loads(found) if found else None

        definition = {"name": "web", "url": target.url("/"), "interval": 1.0, "session_tier": 0, "remind": 60.0}
        assert ask("POST", "/services", definition)[0] == 201
        target.answer("/", status=503)
        wait_for(lambda: status_of(daemon, "web") == "down")
        assert [one["service"] for one in ask("GET", "/incidents?open=true&service_id=1")[1]["incidents"]] == ["web"]
        assert ask("GET", "/incidents?service_id=2")[1]["incidents"] == []
        status, window = ask("POST", "/maintenance", {"title": "new disk", "minutes": 30, "tags": ["*"]})
        assert (status, window["active"], window["created_by"]) == (201, True, "token:ops")
        assert [one["id"] for one in ask("GET", "/maintenance", token=looks)[1]["windows"]] == [window["id"]]
        assert ask("POST", "/maintenance", {"title": "x", "minutes": 0, "tags": ["*"]})[0] == 400
        assert ask("POST", "/maintenance", {"title": "x", "minutes": 5, "tags": ["*"]}, looks)[0] == 403
        assert ask("DELETE", f"/maintenance/{window['id']}", token=looks)[0] == 403
        assert ask("DELETE", f"/maintenance/{window['id']}")[0] == 204
        assert ask("DELETE", f"/maintenance/{window['id']}")[0] == 404


def test_a_watched_file_is_taken_at_the_start_and_its_mistakes_are_told_by_log_status_and_doctor(
    tmp_path: Path, target: Target
) -> None:
    file = tmp_path / "services.yaml"
    good = f"services:\n  - name: web\n    url: {target.url('/')}\n    interval: 1s\n"
    file.write_text(good)
    with running(tmp_path / "daemon", CLAUDEOPS_SERVICES_FILE=str(file)) as daemon:
        wait_for(lambda: daemon.json("services", "list"), 20, "the file's service")
        wait_for(lambda: status_of(daemon, "web") == "healthy")
        refused = daemon.ctl("services", "edit", "web", "--interval", "2s", check=False)
        assert refused.returncode == 1
        assert str(file) in refused.stderr
        file.write_text(good.replace("1s", "never"))
        told = f"{file}:4:15: interval: "
        wait_for(lambda: told in daemon.log(), 20, "the mistake in the log")
        wait_for(lambda: told in daemon.ctl("doctor", check=False).stdout, 30, "the mistake by doctor")
        assert any(told in one for one in daemon.json("status")["warnings"])
        assert status_of(daemon, "web") == "healthy"
        file.write_text(good.replace("1s", "2s"))
        wait_for(lambda: not daemon.json("status")["warnings"], 20, "all is well again")


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
        daemon.json("status-pages", "edit", "shop", "--publish", "--description", "All of it", "--latency", "yes")
        page = wait_for(seen, 20)
        assert (page["title"], page["description"]) == ("The shop", "All of it")
        assert [service["name"] for service in page["services"]] == ["web"]
        (listed,) = daemon.json("status-pages", "list")
        assert listed["page"]["latency"] is True
        assert listed["version"] == 2
        assert "/status/shop  yes" in daemon.ctl("status-pages", "list").stdout
        refused = daemon.ctl("status-pages", "add", "shop", "--title", "Another", check=False)
        assert refused.returncode == 1
        assert "has the address 'shop' already" in refused.stderr
        assert daemon.ctl("status-pages", "edit", "nowhere", "--publish", check=False).returncode == 1
        daemon.json("status-pages", "rm", "shop")
        assert daemon.json("status-pages", "list") == []
        wait_for(lambda: seen() is None, 20)
