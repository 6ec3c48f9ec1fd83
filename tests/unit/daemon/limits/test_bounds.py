"""How many calls a session may make, and how often the same one."""

import pytest

from daemon.limits.bounds import bound


@pytest.mark.parametrize(
    ("calls", "alike", "rule", "stops"),
    [
        (0, 0, None, False),
        (399, 7, None, False),
        (400, 0, "calls-max", False),
        (20, 8, "repeats", False),
        (20, 10, "repeats", False),
        (20, 11, "repeats", True),
        (400, 11, "repeats", True),
    ],
)
def test_bounds(calls: int, alike: int, rule: str | None, stops: bool) -> None:
    found = bound("Bash", "docker ps", calls=calls, alike=alike, calls_max=400, repeat_max=8)
    assert (None if found is None else found.rule) == rule
    assert (found is not None and found.stop is not None) == stops


def test_the_end_of_a_loop_can_be_read() -> None:
    found = bound("Bash", "docker ps", calls=20, alike=11, calls_max=400, repeat_max=8)
    assert found is not None
    assert found.stop == "stopped for making the same call 12 times: docker ps"
    assert "11 times already" in found.reason


def test_the_report_of_a_session_is_never_counted_out() -> None:
    assert bound("StructuredOutput", "x", calls=10**6, alike=10**6, calls_max=1, repeat_max=1) is None
