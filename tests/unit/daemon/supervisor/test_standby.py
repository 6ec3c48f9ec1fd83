"""When a web process stands by: a real child is started, and never has to get anywhere."""

import os
import sys
import time
from collections.abc import Iterator

import pytest

from daemon.supervisor import rules
from daemon.supervisor.children import Child, Program
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.standby import VARIABLE, Standby

# Ends well if it was told that it stands by, and then got a word.
WAITS = f"""
import os, sys
word = os.read(int(os.environ["CLAUDEOPS_CONTROL_FD"]), 99)
sys.exit(os.environ["{VARIABLE}"] != "1" or word != b'{{"command": "serve"}}\\n')
"""


@pytest.fixture
def web() -> Iterator[Child]:
    child = Child("web", Program([sys.executable, "-c", WAITS], dict, {}))
    child.become(ProcessState.STARTING)
    child.become(ProcessState.RUNNING)
    yield child
    child.kill_at = 0.0
    child.kill_if_due(1.0)
    child.hang_up()


def ended(standby: Standby, pid: int) -> int:
    """Waits for the end of the process that stood by; its status."""
    found, status = os.waitpid(pid, 0)
    assert standby.reaped(found, status)
    return status


def test_it_is_there_while_somebody_watches_and_a_minute_longer(web: Child) -> None:
    standby = Standby(web)
    standby.keep(0.0)
    assert not standby.pid
    web.note = {"live": 1}
    standby.keep(10.0)
    pid = standby.pid
    assert pid is not None
    web.note = {"live": 0}
    standby.keep(10.0 + rules.UNWATCHED_SECONDS)
    assert standby.pid == pid
    standby.keep(10.1 + rules.UNWATCHED_SECONDS)
    assert ended(standby, pid) == 9
    standby.keep(11.0 + rules.UNWATCHED_SECONDS)
    assert not standby.pid


def test_it_takes_the_place_of_web_with_the_word_to_serve(web: Child) -> None:
    standby = Standby(web)
    web.note = {"live": 2}
    standby.keep(5.0)
    pid = standby.pid
    assert pid is not None
    web.become(ProcessState.BACKOFF)
    assert standby.serve(6.0)
    assert (web.pid, web.state, web.restarts, web.stood_by, standby.pid) == (pid, ProcessState.STARTING, 0, True, None)
    web.say()

    deadline = time.monotonic() + 10
    while (found := os.waitpid(pid, os.WNOHANG))[0] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found[1] == 0  # it read a word
    web.pid = None
    assert not standby.serve(7.0)


def test_one_that_is_about_to_end_does_not_take_the_place_of_web(web: Child) -> None:
    standby = Standby(web)
    web.note = {"live": 1}
    standby.keep(5.0)
    pid = standby.pid
    assert pid is not None
    standby.end()
    standby.end()
    web.become(ProcessState.BACKOFF)
    assert not standby.serve(6.0)
    assert ended(standby, pid) == 9
    assert not standby.reaped(pid, 9)


def test_one_that_ended_by_itself_is_tried_again_only_after_a_while(web: Child) -> None:
    standby = Standby(web)
    web.note = {"live": 1}
    web.program.argv[:] = [sys.executable, "-c", "raise SystemExit(3)"]
    standby.keep(5.0)
    assert ended(standby, standby.pid or 0) == 3 << 8
    standby.keep(5.0 + rules.STANDBY_PAUSE - 0.1)
    assert not standby.pid
    standby.keep(5.0 + rules.STANDBY_PAUSE)
    ended(standby, standby.pid or 0)


def test_one_that_stood_by_has_less_time_to_get_ready() -> None:
    assert rules.gets_ready(3.0, 3.0, stood_by=False)
    assert not rules.gets_ready(3.0, 3.0, stood_by=True)
    assert rules.gets_ready(1.5, 1.5, stood_by=True)
    assert rules.gets_ready(100.0, 1.0, stood_by=True)
    assert not rules.gets_ready(rules.PREPARE_SECONDS + 1, 0.0, stood_by=False)
