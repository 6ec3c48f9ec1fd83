"""What a check means for a service's cooldowns, and which service needs eyes first."""

import pytest

from daemon.health.rules import cleared_by, clears, counted_as, counts, names, refused, worst_first
from ipc.messages.knowledge import ServiceHealth


@pytest.mark.parametrize(
    ("status", "dry_run", "counted"),
    [("healthy", False, 1), ("healthy", True, 0), ("degraded", False, 0), ("down", True, 0), ("unreachable", False, 0)],
)
def test_only_a_healthy_check_of_a_real_run_counts(status: str, dry_run: bool, counted: int) -> None:
    assert counts(status, dry_run=dry_run) == counted


@pytest.mark.parametrize(
    ("streak", "since", "cleared"), [(2, 2, True), (9, 1, False), (1, 9, False), (3, 2, True), (0, 0, False)]
)
def test_cooldowns_are_cleared_by_healthy_checks_in_a_row_after_the_last_action(
    streak: int, since: int, cleared: bool
) -> None:
    assert clears(streak, since, 2) is cleared


def test_a_refused_call_explains_a_failure_of_the_same_action_and_service() -> None:
    found: list[dict[str, object]] = [{"kind": "read", "target": None}, {"kind": "restart", "target": "web"}]
    assert refused(found, "restart", ("web",))
    assert refused(found, "restart", names("shop-web-1"))
    assert not refused(found, "restart", ("db",))
    assert not refused(found, "redeployment", ("web",))
    assert refused([{"kind": "redeployment", "target": None}], "redeployment", ("web",))
    assert not refused([], "restart", ("web",))


@pytest.mark.parametrize(
    ("service", "counted", "every", "cleared"),
    [
        ("web", ("web",), ("web",), ("web",)),
        ("shop-web-1", ("web",), ("shop-web-1", "web"), ("shop-web-1", "web")),
        ("a-b-c-2", ("b-c", "c"), ("a-b-c-2", "b-c", "c"), ("a-b-c-2",)),
    ],
)
def test_words_about_a_container_of_compose_are_about_its_service(
    service: str, counted: tuple[str, ...], every: tuple[str, ...], cleared: tuple[str, ...]
) -> None:
    assert (counted_as(service), names(service), cleared_by(service)) == (counted, every, cleared)


def test_the_worst_service_stands_first() -> None:
    words = ("healthy", "unknown", "down", "degraded", "unreachable", "odd")
    found = worst_first([ServiceHealth(service=f"s{n}", status=word, checked_at="t") for n, word in enumerate(words)])
    assert [health.status for health in found] == ["down", "unreachable", "degraded", "unknown", "odd", "healthy"]
