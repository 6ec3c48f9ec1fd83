"""What a program is told of a service that fails, measured at its receiver: once, under one id, whatever goes wrong."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.stored import rows
from tests.fakes.target import Target
from tests.integration.notifications.receiver import Receiver

# Its first pause is ten seconds, its second twenty, each up to a quarter longer.
PATIENCE = 60


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    made = Receiver(), Receiver()
    yield made
    for one in made:
        one.close()


def watching(directory: Path, target: Target, path: str, receiver: Receiver) -> Daemon:
    """A daemon that has found one service healthy, and tells a program of it."""
    daemon = Daemon(
        directory,
        CLAUDEOPS_WEBHOOK_URLS=receiver.address,
        CLAUDEOPS_WEBHOOK_SIGNING_SECRET="made up for this test",
        CLAUDEOPS_NOTIFY_RULES="webhook=warning+service",
    ).start()
    daemon.json("services", "add", "--name", "web", "--url", target.url(path), "--interval", "1s")
    wait_for(lambda: daemon.json("services", "list")[0]["status"] == "healthy", 15, "healthy")
    return daemon


def tries(receiver: Receiver) -> list[tuple[str, Any]]:
    """Of each request that came: the id in its head, and the id and the title in its body."""
    found = []
    for headers, body in receiver.raw:
        data = json.loads(body)["data"]
        named = {name.lower(): value for name, value in headers.items()}
        found.append((named["webhook-id"], (data["id"], data["title"])))
    return found


def kill_all(daemon: Daemon) -> None:
    """All of its processes at once, so that none can finish anything for another."""
    assert daemon.process is not None
    pids = [daemon.process.pid, daemon.pid("worker"), daemon.pid("web")]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it has ended with its parent
            os.kill(pid, signal.SIGKILL)
    daemon.process.wait(10)


def test_a_program_that_answers_500_twice_has_it_once_and_one_that_was_to_be_told_when_all_is_killed_has_it_too(
    tmp_path: Path, target: Target, receivers: tuple[Receiver, Receiver]
) -> None:
    refuses, away = receivers
    # Two daemons beside each other, for the one waits as long as the other.
    first = watching(tmp_path / "first", target, "/first", refuses)
    second = watching(tmp_path / "second", target, "/second", away)
    try:
        refuses.refuse = 2
        away.close()
        target.answer("/first", status=503)
        target.answer("/second", status=503)
        query = "SELECT n.id, n.title FROM notifications n JOIN incidents i ON n.key = 'incident:' || i.id || ':began'"
        told = wait_for(lambda: rows(second, query), 15, "the change is stored")
        # The status, the incident and what is to be told are there; nothing has left the machine.
        kill_all(second)
        assert away.raw == []
        assert rows(second, "SELECT status FROM service_states") == [{"status": "down"}]
        target.answer("/second")  # it works again before anybody is told that it did not
        away.open()
        second.start()
        wait_for(lambda: len(away.bodies) >= 2, PATIENCE, "what was to be told, and that it is over")
        wait_for(lambda: len(refuses.bodies) >= 1, PATIENCE, "what it refused before")
        time.sleep(2.0)  # no more must come
        id_ = rows(first, "SELECT id FROM notifications WHERE kind = 'service'")[0]["id"]
        assert [row["status"] for row in rows(first, "SELECT status FROM deliveries")] == ["sent"]
    finally:
        first.close()
        second.close()
    # Three tries under one id, of which the third was taken.
    refused = tries(refuses)
    assert len(refused) == 3
    assert len(set(refused)) == 1
    assert refused[0][1] == (id_, "web is down")
    assert len(refuses.bodies) == 1
    # After the kill: the same notification, by the id that it had before.
    assert (told[0]["id"], told[0]["title"]) == tries(away)[0][1]
    assert [title for _, (_, title) in tries(away)] == ["web is down", "web works again"]
