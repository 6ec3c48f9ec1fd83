"""What restarts are counted for: one plain name, or nothing, so that a person is asked."""

import pytest

from daemon.limits.kinds import Kind
from daemon.limits.understanding import understand


@pytest.mark.parametrize("name", ["web", "db1", "cafe", "redis-2", "cache"])
def test_a_restart_is_counted_for_the_container_that_it_names(name: str) -> None:
    for command in (f"docker restart {name}", f"podman start {name}", f"docker container restart -t 5 {name}"):
        (found,) = understand(command)
        assert (found.kind, found.target) == (Kind.RESTART, name), command


@pytest.mark.parametrize("name", ["3f2a", "a1b2c3", "0", "deadbeefcafe", "4c01db0b339c" * 5 + "abcd"])
def test_a_container_given_by_its_id_can_not_be_counted(name: str) -> None:
    for command in (f"docker restart {name}", f"docker start {name}", f"ssh web1 docker restart {name}"):
        (found,) = understand(command)
        assert (found.kind, found.target) == (Kind.RESTART, None), command


def test_all_services_are_no_restart_of_one() -> None:
    for command in ("supervisorctl restart all", "supervisorctl restart web:*", "supervisorctl start web all"):
        (found,) = understand(command)
        assert found.kind is Kind.CHANGE, command
