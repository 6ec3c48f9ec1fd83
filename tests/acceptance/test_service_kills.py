"""The worker is killed while services flap: what is known of them is what they answered, and every alert is told once.

`make kills` kills it two hundred times. The target's own log is what the history is compared with.
"""

import contextlib
import math
import os
import random
import signal
import time
from collections import defaultdict
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from schema.definitions import Definition
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.services_filled import fill
from tests.acceptance.stored import rows
from tests.fakes.target import Arrival, Target
from tests.integration.notifications.receiver import Receiver

KILLS = int(os.environ.get("CLAUDEOPS_TEST_KILLS", "12"))
SERVICES = 60
# Beyond this many a service comes and goes, and people are told of that instead.
OUTAGES_MAX = 3
# A worker that is killed takes along what it was about to store, which is a tenth of a second's; the rest is for a busy
# machine, on which the target may also note a request only after who sent it was killed.
LOST_SECONDS = 1.0
NOTED_SECONDS = 0.25


class End(NamedTuple):
    """A worker's end: the moment of a kill, or the time that it took to stop (monotonic)."""

    begun: float
    over: float

    def explains(self, at: float) -> bool:
        """Whether what was asked at a time may have been lost with it."""
        return self.begun - LOST_SECONDS <= at <= self.over + NOTED_SECONDS


class Flapping:
    """Services that go out and come back by the dice, each a few times."""

    def __init__(self, target: Target, dice: random.Random) -> None:
        self._target, self._dice = target, dice
        self._outages = dict.fromkeys(range(SERVICES), 0)
        self._out: set[int] = set()

    def flip(self) -> None:
        """Some are another now."""
        for number in self._dice.sample(range(SERVICES), 6):
            if number in self._out:
                self._out.discard(number)
                self._target.answer(f"/{number}")
            elif self._outages[number] < OUTAGES_MAX:
                self._outages[number] += 1
                self._out.add(number)
                self._target.answer(f"/{number}", status=500)

    def rest(self) -> None:
        """All work."""
        for number in range(SERVICES):
            self._target.answer(f"/{number}")


def kill_often(daemon: Daemon, flapping: Flapping, dice: random.Random) -> list[End]:
    """At random points of the worker's life, from its very first moment on; most of them while it probes."""
    old, ends = 0, []
    for _ in range(KILLS):
        flapping.flip()
        pid = wait_for(partial(new_pid, daemon, old), 30, "another worker")
        if dice.random() < 0.8:
            wait_for(lambda: daemon.process_of("worker").get("state") == "running", 30, "a worker that serves")
            # Often for longer than is explained by the kill that ends it.
            time.sleep(dice.uniform(0.0, 2 * LOST_SECONDS + 1.0))
        else:
            time.sleep(dice.uniform(0.0, 0.6))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        ends.append(End(time.monotonic(), time.monotonic()))
        old = pid
    return ends


def new_pid(daemon: Daemon, old: int) -> int | None:
    pid = daemon.process_of("worker").get("pid")
    return pid if pid not in (None, old) else None


@pytest.mark.timeout(240 + 6 * KILLS)
def test_kills_of_the_worker_while_services_flap_lose_and_double_no_alert_and_the_history_is_the_targets_log(
    tmp_path: Path, target: Target, receiver: Receiver
) -> None:
    dice = random.Random(KILLS)
    daemon = Daemon(
        tmp_path,
        CLAUDEOPS_WEBHOOK_URLS=receiver.address,
        CLAUDEOPS_WEBHOOK_SIGNING_SECRET="made up for this test",
        CLAUDEOPS_NOTIFY_LEVEL="info",
    )
    wall = time.time() - time.monotonic()
    fill(
        daemon,
        (
            Definition(name=f"s{number}", url=target.url(f"/{number}"), interval=1.0, timeout=10.0)
            for number in range(SERVICES)
        ),
    )
    flapping = Flapping(target, dice)
    try:
        daemon.start()
        wait_for(lambda: all_healthy(daemon), 60, "all of them healthy")
        ends = kill_often(daemon, flapping, dice)
        time.sleep(3.0)
        flapping.rest()
        wait_for(lambda: all_healthy(daemon), 60, "all of them healthy")
        wait_for(lambda: delivered(daemon) is None, 120, "every alert delivered")
        stops = time.monotonic()
        assert daemon.stop() == 0
        ends.append(End(stops, time.monotonic()))
        histories = history(daemon)
        incidents = rows(daemon, "SELECT id, service_id, ended_at FROM incidents ORDER BY id")
        told = rows(daemon, "SELECT id, key FROM notifications WHERE kind = 'service' ORDER BY id")
    finally:
        daemon.close()
    # Each stretch of failures is one incident with its begin and its end, and people hear of each exactly once.
    stretches: dict[int, int] = {}
    lost = 0
    for id_ in range(1, SERVICES + 1):
        asked = target.to(f"/{id_ - 1}")
        found = [(at - wall, beat) for at, beat in histories[id_]]
        known = with_a_finding(asked, [at for at, _ in found])
        assert [beat for _, beat in found] == ["h" if one.status == 200 else "d" for one in known]
        refuse_unexplained([one.at for one in asked if one not in known], ends)
        stretches[id_] = sum(fails for fails, _ in groupby(one.status != 200 for one in known))
        lost += len(asked) - len(known)
    opened: dict[int, int] = defaultdict(int)
    for incident in incidents:
        opened[incident["service_id"]] += 1
        assert incident["ended_at"]
    assert {id_: opened[id_] for id_ in stretches} == stretches
    assert sum(stretches.values()) >= KILLS / 4
    wanted = {f"incident:{incident['id']}:{end}" for incident in incidents for end in ("began", "ended")}
    assert sorted(row["key"] for row in told) == sorted(wanted)
    heard = [body["data"] for body in receiver.bodies if body["data"]["kind"] == "service"]
    assert {one["id"] for one in heard} == {row["id"] for row in told}
    assert len({(one["id"], one["title"]) for one in heard}) == len(told)
    print(
        f"{KILLS} kills, {len(incidents)} incidents, {len(target.arrivals)} requests, {lost} of them lost with a"
        f" worker, {len(heard) - len(told)} alerts repeated with their own id"
    )


def all_healthy(daemon: Daemon) -> bool:
    found = rows(daemon, "SELECT status, count(*) AS count FROM service_states GROUP BY status")
    return found == [{"status": "healthy", "count": SERVICES}]


def delivered(daemon: Daemon) -> Any:
    """An alert that has not arrived yet."""
    query = (
        "SELECT n.id FROM notifications n LEFT JOIN deliveries d ON d.notification_id = n.id"
        " WHERE n.kind = 'service' AND coalesce(d.status, '') <> 'sent'"
    )
    return next(iter(rows(daemon, query)), None)


def history(daemon: Daemon) -> dict[int, list[tuple[float, str]]]:
    """(seconds since 1970, beat) of each finding, by service."""
    found: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for row in rows(daemon, "SELECT service_id, at, beat FROM results ORDER BY service_id, at"):
        found[row["service_id"]].append((row["at"] / 1000, row["beat"]))
    return found


def with_a_finding(asked: list[Arrival], begun: list[float]) -> list[Arrival]:
    """The request of each finding: the first after its begin (in whole ms), and before the begin of the next one."""
    known = []
    for begin, following in pairwise([*begun, math.inf]):
        found = next((one for one in asked if begin - 0.002 <= one.at < following - 0.002), None)
        assert found is not None, f"there is a finding of {begin}, and no request"
        known.append(found)
    return known


def refuse_unexplained(lost: list[float], ends: list[End]) -> None:
    """A worker takes along what is under way, which is one request of a service at most; nothing else is lost."""
    left = list(ends)
    for at in lost:
        end = next((one for one in left if one.explains(at)), None)
        assert end is not None, f"the request of {at} has no finding, and its worker was not killed"
        left.remove(end)
