"""What restarts are counted for: one plain name, or nothing, so that a person is asked."""

import pytest

from daemon.cooldowns.rules import counted, uncountable
from daemon.limits.kinds import Kind
from daemon.limits.understanding import understand


@pytest.mark.parametrize("name", ["web", "db1", "cafe", "redis-2", "cache"])
def test_a_restart_is_counted_for_the_container_that_it_names(name: str) -> None:
    for command in (f"docker restart {name}", f"podman start {name}", f"docker container restart -t 5 {name}"):
        (found,) = understand(command)
        assert (found.kind, found.target) == (Kind.RESTART, name), command


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("shop-web-1", ["web"]),
        ("shop_web_12", ["web"]),
        ("my_shop-web-1", ["web"]),
        ("my-shop-web-1", ["shop-web", "web"]),
        ("web-1", ["web-1"]),
        ("shop-web", ["shop-web"]),
        ("shop--1", ["shop--1"]),
    ],
)
def test_a_container_of_compose_is_counted_for_each_service_that_it_may_be_of(name: str, services: list[str]) -> None:
    for command in (f"docker restart {name}", f"sudo podman start {name}"):
        assert [(item.kind, item.target) for item in understand(command)] == [(Kind.RESTART, one) for one in services]
    assert [item.target for item in understand(f"systemctl restart {name}")] == [name]


@pytest.mark.parametrize(
    "name", ["3f2a", "a1b2c3", "0", "deadbeefcafe", "4c01db0b339c" * 5 + "abcd", "a-b-c-d-e-f-g-1"]
)
def test_a_container_given_by_its_id_or_that_may_be_of_many_services_can_not_be_counted(name: str) -> None:
    for command in (f"docker restart {name}", f"docker start {name}", f"ssh web1 docker restart {name}"):
        (found,) = understand(command)
        assert (found.kind, found.target) == (Kind.RESTART, None), command


def test_all_services_are_no_restart_of_one() -> None:
    for command in ("supervisorctl restart all", "supervisorctl restart web:*", "supervisorctl start web all"):
        (found,) = understand(command)
        assert found.kind is Kind.CHANGE, command


def test_each_of_several_workloads_is_counted() -> None:
    found = understand("kubectl rollout restart deployment web api")
    assert [item.target for item in found] == ["web", "api"]
    assert [item.target for item in understand("docker restart /web")] == ["web"]


@pytest.mark.parametrize(
    "command",
    [
        "while true; do docker restart web; done",
        "until docker restart web; do sleep 1; done",
        "for i in {1..9}; do docker restart web; done",
        "for i in *; do docker restart web; done",
        "for i in $(seq 9); do docker restart web; done",
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do docker restart web; done",
        "ls | while read -r x; do docker restart web; done",
        "f() { docker restart web; }; while true; do f; done",
        "while true; do bash -c 'docker restart web'; done",
        "watch docker restart web",
    ],
)
def test_it_can_not_be_counted_what_a_loop_restarts(command: str) -> None:
    found = understand(command)
    assert [item.kind for item in found if item.kind is not Kind.READ]
    why = uncountable(found)
    assert why is not None
    assert why[1] == "it can't be told how often it is done"


def test_a_loop_over_names_is_counted_name_by_name() -> None:
    found = understand("for i in web db; do docker restart $i; done; until curl -sf http://web/; do sleep 1; done")
    assert uncountable(found) is None
    assert [one.service for one in counted(found)] == ["web", "db"]
