"""Services through the whole daemon, measured where it counts: at the target, which notes when it is asked."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from schema.database import Database
from schema.definitions import Definition
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.services_filled import fill
from tests.acceptance.stored import rows
from tests.fakes import target as targets
from tests.fakes.target import Target


@pytest.fixture
def target() -> Iterator[Target]:
    with targets.beside() as made:
        yield made


def lateness(times: list[float], interval: float) -> list[float]:
    """How late each came against the beat that the promptest of them tells; a beat left out is an interval late."""
    beats = [round((at - times[0]) / interval) for at in times]
    offsets = [at - beat * interval for at, beat in zip(times, beats, strict=True)]
    missing = beats[-1] + 1 - len(set(beats))
    return [offset - min(offsets) for offset in offsets] + [interval] * missing


@contextmanager
def stalls() -> Iterator[list[float]]:
    """How much longer than asked for each sleep of another thread took, meanwhile."""
    found, ended = [0.0], Event()

    def sleep() -> None:
        while not ended.is_set():
            began = time.monotonic()
            time.sleep(0.05)
            found.append(time.monotonic() - began - 0.05)

    thread = Thread(target=sleep)
    thread.start()
    yield found
    ended.set()
    thread.join()


def test_five_of_fifty_that_hang_delay_no_other_and_no_more_are_asked_at_once_than_there_are_places(
    tmp_path: Path, target: Target
) -> None:
    daemon = Daemon(tmp_path, CLAUDEOPS_PROBES_AT_ONCE="12")
    wanted = []
    for number in range(50):
        target.answer(f"/{number}", hang=number < 5, delay=0.05)
        wanted.append(Definition(name=f"s{number}", url=target.url(f"/{number}"), interval=2.5, timeout=5.0))
    fill(daemon, wanted)
    try:
        daemon.start()
        wait_for(lambda: len(target.arrivals) >= 45, 20, "the first round")
        with stalls() as own:
            time.sleep(11)
        assert daemon.stop() == 0
    finally:
        daemon.close()
    late: list[float] = []
    for number in range(5, 50):
        # Without the first round, in which the worker has just started and imports what it needs.
        times = [one.at for one in target.to(f"/{number}")][1:]
        assert len(times) >= 3
        late += lateness(times, 2.5)
    late.sort()
    # Beyond what this machine kept a program waiting that does nothing but sleep.
    assert late[int(len(late) * 0.99) - 1] < 0.5 + max(own), late[-10:]
    assert target.most_open <= 12
    for number in range(5):
        hung = [one.at for one in target.to(f"/{number}")]
        # Never two at once for one service: each is waited for until its timeout.
        assert all(after - before >= 4.9 for before, after in pairwise(hung)), hung


def test_a_hundred_services_are_first_asked_all_over_their_interval(tmp_path: Path, target: Target) -> None:
    daemon = Daemon(tmp_path)
    fill(daemon, (Definition(name=f"s{number}", url=target.url(f"/{number}"), interval=10.0) for number in range(100)))
    try:
        daemon.start()
        wait_for(lambda: len({one.path for one in target.arrivals}) == 100, 25, "each of them once")
    finally:
        daemon.close()
    firsts: dict[str, float] = {}
    for one in target.arrivals:
        firsts.setdefault(one.path, one.at)
    begin = min(firsts.values())
    assert max(firsts.values()) - begin <= 10.5
    seconds = Counter(int(at - begin) for at in firsts.values())
    assert max(seconds.values()) <= 30, seconds


def test_after_an_hour_of_standstill_nothing_false_is_told_and_the_gap_is_shown_as_unknown(
    tmp_path: Path, target: Target
) -> None:
    daemon = Daemon(tmp_path)
    asked_for = [Definition(name=f"s{number}", url=target.url(f"/{number}"), interval=1.0) for number in range(20)]
    fill(daemon, [*asked_for, Definition(name="job", url="heartbeat:", interval=10.0, grace=10.0)])
    try:
        daemon.start()
        push = daemon.json("services", "push-url", "job")["push_path"]
        assert daemon.request("GET", push)[0] in (200, 204)
        wait_for(lambda: standing(daemon) == Counter(healthy=21), 20, "all healthy")
        assert daemon.stop() == 0
        an_hour_ago(daemon)
        asked = len(target.arrivals)
        daemon.start()
        wait_for(lambda: len(target.arrivals) >= asked + 40, 20, "probes again")
        assert daemon.request("GET", push)[0] in (200, 204)
        wait_for(lambda: standing(daemon) == Counter(healthy=21), 20, "all healthy again")
        assert rows(daemon, "SELECT * FROM notifications WHERE kind = 'service'") == []
        assert rows(daemon, "SELECT * FROM incidents") == []
        for service in range(1, 21):
            changes = rows(daemon, f"SELECT at, status FROM service_changes WHERE service_id = {service} ORDER BY at")
            assert [row["status"] for row in changes[-3:]] == ["healthy", "unknown", "healthy"]
            assert 3_500_000 < changes[-1]["at"] - changes[-2]["at"] < 3_700_000
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
            "service_states": ("since", "checked_at", "heard_at"),
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
