"""Services through the whole daemon that stands still, stops and is stopped; measured at the target."""

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from schema import timestamps
from schema.database import Database
from schema.definitions import Definition
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.services_filled import fill
from tests.acceptance.stored import rows
from tests.fakes.target import Target


def test_after_an_hour_of_standstill_all_are_asked_before_anything_is_told_and_the_gap_shows_as_no_data(
    tmp_path: Path, target: Target
) -> None:
    # A channel that nobody answers at: who was not told that something fails need not hear that it works.
    daemon = Daemon(tmp_path, CLAUDEOPS_APPRISE_URLS="json://127.0.0.1:9/")
    fails, works_again = "s01", "s02"
    target.answer("/2", status=503)
    asked_for = [Definition(name=f"s{n:02d}", url=target.url(f"/{n}"), interval=1.0, remind=60.0) for n in range(1, 21)]
    jobs = [f"job{number}" for number in range(5)]
    fill(daemon, [*asked_for, *(Definition(name=name, url="heartbeat:", interval=10.0, grace=1.0) for name in jobs)])
    wall = time.time() - time.monotonic()
    try:
        daemon.start()
        pushes = [daemon.json("services", "push-url", name)["push_path"] for name in jobs]
        for push in pushes:
            assert daemon.request("GET", push)[0] in (200, 204)
        wait_for(lambda: standing(daemon) == Counter(healthy=24, down=1), 20, "all healthy but one")
        assert daemon.stop() == 0
        an_hour_ago(daemon)
        told = rows(daemon, "SELECT coalesce(max(id), 0) AS id FROM notifications")[0]["id"]
        target.answer("/1", status=503)
        target.answer("/2")
        began = time.monotonic()
        daemon.start()
        wait_for(lambda: len({one.path for one in target.arrivals if one.at > began}) == 20, 20, "each asked again")
        # The jobs go on, each ten seconds, and so may not come for ten seconds more: far beyond their grace.
        time.sleep(max(0.0, began + 7.0 - time.monotonic()))
        assert standing(daemon)["down"] == 1
        for push in pushes:
            assert daemon.request("GET", push)[0] in (200, 204)
        wait_for(lambda: standing(daemon) == Counter(healthy=24, down=1), 20, "all healthy again but one")
        query = f"SELECT title, created_at FROM notifications WHERE kind = 'service' AND id > {told}"
        found = rows(daemon, query)
        # What has changed meanwhile is told, and nothing else is; and not before it was asked.
        assert sorted(row["title"] for row in found) == [f"{fails} is down", f"{works_again} works again"]
        for row in found:
            path = f"/{int(row['title'][1:3])}"
            first = next(one.at for one in target.to(path) if one.at > began)
            assert timestamps.parse(row["created_at"]).timestamp() >= first + wall
        assert len(rows(daemon, "SELECT * FROM incidents")) == 2
        for service in range(3, 21):
            changes = rows(daemon, f"SELECT at, status FROM service_changes WHERE service_id = {service} ORDER BY at")
            assert [row["status"] for row in changes[-3:]] == ["healthy", "unknown", "healthy"]
            assert 3_500_000 < changes[-1]["at"] - changes[-2]["at"] < 3_700_000
        daemon.sign_in()
        listed = daemon.request("GET", "/services")[2].decode()
        for name in [*(one.name for one in asked_for), *jobs]:
            line = listed.split(f"Pick {name}<")[1].split("</li>")[0]
            assert re.search(r'aria-label="Last \d+ checks: [^"]*\. No data in between, once\."', line), line
            head = daemon.request("GET", f"/services/{name}")[2].decode().split('id="probed-head"')[1]
            gap = re.search(r"No data from ([\d :-]+) to ([\d :-]+) UTC, (\S+ \S+)", head.split("</section>")[0])
            assert gap is not None, head[:3000]
            assert gap[3] in ("1 h", "59 m"), gap[0]
    finally:
        daemon.close()


def standing(daemon: Daemon) -> Counter[str]:
    return Counter(row["status"] for row in rows(daemon, "SELECT status FROM service_states"))


def an_hour_ago(daemon: Daemon) -> None:
    """All that was found was found an hour earlier: as if the daemon had stood still since."""
    database = Database(daemon.state / "claudeops.db", readonly=False)
    with database.transaction():
        for table, columns in {
            "results": ("at",),
            "service_changes": ("at",),
            "service_states": ("since", "checked_at", "heard_at", "rolled_to"),
        }.items():
            database.script(f"UPDATE {table} SET {', '.join(f'{name} = {name} - 3600000' for name in columns)}")
    database.close()


def test_a_stop_with_checks_in_flight_is_prompt_and_leaves_nothing_half_done(tmp_path: Path, target: Target) -> None:
    daemon = Daemon(tmp_path)
    for number in range(10):
        target.answer(f"/slow-{number}", delay=20.0)
    slow = [Definition(name=f"slow-{n}", url=target.url(f"/slow-{n}"), interval=1.0, timeout=60.0) for n in range(10)]
    fast = [Definition(name=f"fast-{n}", url=target.url(f"/fast-{n}"), interval=1.0) for n in range(20)]
    fill(daemon, [*slow, *fast])
    try:
        daemon.start()
        wait_for(lambda: sum(one.path.startswith("/slow") for one in target.arrivals) == 10, 20, "all under way")
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 30
        found: list[dict[str, Any]] = rows(
            daemon,
            "SELECT d.name, s.status, s.checked_at, s.beats,"
            " (SELECT max(at) FROM results WHERE service_id = d.id) AS at,"
            " (SELECT count(*) FROM results WHERE service_id = d.id) AS count"
            " FROM services d JOIN service_states s ON s.service_id = d.id",
        )
        for row in found:
            # What stands of a service is what its last finding says, and there is nothing between them.
            assert (row["checked_at"], len(row["beats"])) == (row["at"], row["count"])
            assert row["status"] in ("unknown", "healthy")
        assert {row["status"] for row in found if row["name"].startswith("slow")} == {"unknown"}
        daemon.start()
        wait_for(lambda: standing(daemon)["healthy"] >= 20, 20, "those that answer are healthy")
    finally:
        daemon.close()
