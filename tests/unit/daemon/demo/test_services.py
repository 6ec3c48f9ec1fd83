"""What a container engine knows of the demo's services, on a clock that is set by hand."""

from daemon.demo.engine import ago
from daemon.demo.launch import DEFAULTS
from daemon.demo.services import REDEPLOYED_S, RESTARTED_S, Container

CHECK_S = 30
"""How long a check lasts at the pace of a model, generously."""


class Clock:
    """Seconds, as told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_breaking_one_is_broken_until_it_is_started_and_breaks_again() -> None:
    clock = Clock()
    container = Container("payments", breaks=True, clock=clock)
    clock.now += 3600
    seen = [container.is_down]
    container.start(RESTARTED_S)
    seen.append(container.is_down)
    for seconds in (RESTARTED_S - 1, 1):
        clock.now += seconds
        seen.append(container.is_down)
    assert seen == [True, False, False, True]
    assert container.up_s == RESTARTED_S


def test_each_check_finds_a_restarted_one_broken_and_two_find_a_new_container_well() -> None:
    interval = int(DEFAULTS["CLAUDEOPS_INTERVAL"])
    assert interval > RESTARTED_S
    assert 2 * (interval + CHECK_S) < REDEPLOYED_S


def test_the_others_never_break() -> None:
    container = Container("shop", breaks=False, clock=Clock())
    container.fail_after(0)
    assert not container.is_down


def test_the_log_tells_what_has_happened_and_not_what_will() -> None:
    clock = Clock()
    container = Container("payments", breaks=True, clock=clock)
    clock.now += 10
    container.start(60)
    lost = "ERROR connection to ledger:5432 lost, and not opened again"
    assert container.log() == [(10, "payments started"), (10, lost), (0, "payments started")]
    clock.now += 5
    container.fail_after(0)
    clock.now += 100
    assert [line for _, line in container.log()][2:] == ["payments started", lost]


def test_durations_are_told_as_docker_tells_them() -> None:
    assert [ago(3.2), ago(119), ago(121)] == ["3 seconds", "119 seconds", "2 minutes"]
