"""When services are asked, by the whole daemon, measured where it counts: at the target, which notes when it is asked.

Lateness is told against the daemon's schedule itself: each service's place in the interval is known from the rule, so
that one who is late every time is seen as late.
"""

import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest

from daemon.services.rules import schedule
from schema.definitions import Definition
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.services_filled import fill
from tests.acceptance.stored import rows
from tests.fakes.target import Target

# A program that does nothing but sleep, and tells in the end by how much it was woken too late at worst.
SLEEPER = """
import select, sys, time
worst = 0.0
while not select.select([sys.stdin], [], [], 0)[0]:
    began = time.monotonic()
    time.sleep(0.05)
    worst = max(worst, time.monotonic() - began - 0.05)
print(worst)
"""
# A machine on which that one was never woken later than this was no reason for anything to be late.
QUIET = 0.1
ROUNDS = 3


@contextmanager
def control() -> Iterator[list[float]]:
    """How late at worst a process of its own was woken meanwhile; known once it is over."""
    found: list[float] = []
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield found
        said, _ = sleeper.communicate(b"end\n", timeout=10)
        found.append(float(said))
    finally:
        sleeper.kill()
        sleeper.wait()


class Beats:
    """What the schedule asks of services of one interval, named by their number, and what the target saw of it."""

    def __init__(self, target: Target, numbers: range, interval: float) -> None:
        self._times = {number: [one.at for one in target.to(f"/{number}")] for number in numbers}
        self._interval = interval
        self._places = {number: schedule.first(number, interval, 0.0) for number in numbers}
        # The daemon does not tell when its schedule began: no arrival can be before its beat, so the promptest tells.
        some = min(at for times in self._times.values() for at in times)
        offsets = [
            (at - self._places[number] - some) % interval for number, times in self._times.items() for at in times
        ]
        turn = min(offsets, key=lambda offset: (sum((other - offset) % interval for other in offsets), offset))
        self._begin = some + turn

    def lateness(self, begin: float, end: float) -> list[float]:
        """Of each beat between two times, how late it came; one left out is an interval late. In their order."""
        found = []
        for number, times in self._times.items():
            due = self._begin + self._places[number]
            due += math.ceil((begin - due) / self._interval) * self._interval
            while due < end:
                # None is before its beat, but for what the beginning is known to.
                late = [at - due for at in times if -0.01 <= at - due < self._interval - 0.01]
                found.append(max(0.0, late[0]) if late else self._interval)
                assert len(late) <= 1, f"service {number} was asked {len(late)} times in one interval"
                due += self._interval
        return sorted(found)


def test_the_other_45_are_asked_every_5_s_while_5_of_50_hang_10_s(tmp_path: Path, target: Target) -> None:
    daemon = Daemon(tmp_path, CLAUDEOPS_PROBES_AT_ONCE="12")
    wanted = []
    for number in range(1, 51):
        target.answer(f"/{number}", hang=number <= 5, delay=0.05)
        wanted.append(Definition(name=f"s{number:02d}", url=target.url(f"/{number}"), interval=5.0, timeout=10.0))
    fill(daemon, wanted)
    try:
        daemon.start()
        wait_for(lambda: len({one.path for one in target.arrivals}) == 50, 20, "the first round")
        for _ in range(ROUNDS):
            begin = time.monotonic()
            with control() as stalled:
                time.sleep(20.5)
            late = Beats(target, range(6, 51), 5.0).lateness(begin, begin + 20.0)
            assert len(late) == 45 * 4
            p99 = late[math.ceil(len(late) * 0.99) - 1]
            # The bound itself, with nothing added to it. It is measured again only where a process that does nothing
            # but sleep was kept waiting, too, so that it says nothing of the daemon.
            if p99 < 0.5:
                break
            assert stalled[0] > QUIET, (p99, late[-10:])
        else:
            pytest.fail(f"late in each of {ROUNDS} rounds: {late[-10:]}")
        assert daemon.stop() == 0
    finally:
        daemon.close()
    for number in range(1, 6):
        hung = [one.at for one in target.to(f"/{number}")]
        # They did hang, for all of their ten seconds.
        assert len(hung) >= 2
        assert all(after - before >= 9.9 for before, after in pairwise(hung)), hung


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


PLACES = 8


def test_no_more_are_asked_at_once_than_there_are_places_and_none_twice_however_it_comes_to_be_asked(
    tmp_path: Path, target: Target
) -> None:
    daemon = Daemon(tmp_path, CLAUDEOPS_PROBES_AT_ONCE=str(PLACES))
    wanted = []
    for number in range(1, 31):
        # Slow, but they answer; ten that fail, and are tried again soon; two that hang. It is more than there are
        # places for.
        target.answer(f"/{number}", delay=0.8, status=500 if number <= 10 else 200, hang=number > 28)
        wanted.append(
            Definition(
                name=f"s{number}",
                url=target.url(f"/{number}"),
                interval=1.0,
                timeout=3.0,
                retries=5,
                retry_interval=0.2,
            )
        )
    # Alone on a path of its own, and due again before it has answered.
    target.answer("/slow", delay=1.7)
    wanted.append(Definition(name="slow", url=target.url("/slow"), interval=1.0, timeout=5.0))
    fill(daemon, wanted)
    try:
        daemon.start()
        page = daemon.sign_in().request("GET", "/services")[2].decode()
        form = urlencode({"csrf": page.partition('name="csrf" value="')[2].partition('"')[0]})
        wait_for(lambda: target.to("/slow"), 20, "the slow one is asked")
        before, end = len(target.to("/slow")), time.monotonic() + 12.0
        answers: list[int] = []
        # People who press "Test now", all of them at once, over and over; and some that was paused and is resumed.
        pressing = [Thread(target=press, args=(daemon, id_, form, answers, end)) for id_ in (31, 31, 31, 12, 1, 30)]
        for thread in pressing:
            thread.start()
        while time.monotonic() < end:
            for verb in ("pause", "resume"):
                daemon.json("services", verb, "s12", "s13")
            time.sleep(0.5)
        for thread in pressing:
            thread.join(60)
        assert daemon.stop() == 0
        stored = rows(daemon, "SELECT count(*) AS count FROM results WHERE service_id = 31")[0]["count"]
    finally:
        daemon.close()
    assert set(answers) == {200}
    # It was asked by the schedule and by people, one after the other, and neither kept the other from it.
    assert stored >= 2
    assert len(target.to("/slow")) - before >= stored + 2
    assert target.most_open_of == dict.fromkeys(target.most_open_of, 1)
    assert len(target.most_open_of) == 31
    # All places were taken, and never one more.
    assert target.most_open == PLACES


def press(daemon: Daemon, service_id: int, form: str, answers: list[int], end: float) -> None:
    """Presses "Test now" on a service's page, again as soon as it has answered."""
    while time.monotonic() < end:
        status, _, _ = daemon.request("POST", f"/services/{service_id}/test", form, timeout=60.0)
        answers.append(status)
