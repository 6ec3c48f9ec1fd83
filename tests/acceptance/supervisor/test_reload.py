"""SIGHUP: what is valid is taken over, what is not changes nothing, and a storm of them costs nothing."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import descriptors, threads


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "env"
    path.write_text("CLAUDEOPS_INTERVAL=1000\n")
    return path


@pytest.fixture
def reloading(tmp_path: Path, file: Path) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", CLAUDEOPS_ENV_FILE=str(file)) as daemon:
        yield daemon


def value(daemon: Daemon, name: str) -> str:
    return str(daemon.json("config", "get", name)["value"])


def test_valid_settings_are_taken_over_while_a_session_goes_on(reloading: Daemon, file: Path, tmp_path: Path) -> None:
    session = reloading.trigger(until=str(tmp_path / "over"), interval=0.05)
    shim, _ = reloading.run_pids(session)
    worker, web = reloading.pid("worker"), reloading.pid("web")
    file.write_text("CLAUDEOPS_INTERVAL=2000\n")
    reloading.kill("supervisor", signal.SIGHUP)
    reloading.wait_replaced("web", web)  # which shows the interval
    assert reloading.pid("worker") == worker
    assert value(reloading, "interval") == "2000"
    assert alive(shim)
    (tmp_path / "over").touch()
    assert reloading.wait_ended(session["id"])["status"] == "completed"
    new = reloading.kill("worker")
    reloading.wait_replaced("worker", new)
    assert value(reloading, "interval") == "2000"


def test_invalid_settings_are_told_and_change_nothing(reloading: Daemon, file: Path) -> None:
    worker, web = reloading.pid("worker"), reloading.pid("web")
    file.write_text("CLAUDEOPS_INTERVAL=2000\nCLAUDEOPS_RESTART_LIMIT=many\n")
    reloading.kill("supervisor", signal.SIGHUP)
    wait_for(lambda: "the settings stay as they were: CLAUDEOPS_RESTART_LIMIT" in reloading.log(), 5)
    found = reloading.ctl("reload", check=False)
    assert found.returncode != 0
    assert "CLAUDEOPS_RESTART_LIMIT" in found.stderr
    assert value(reloading, "interval") == "1000"
    # What only the web process works with must not reach it either: it would end again and again, and be given up.
    file.write_text("CLAUDEOPS_INTERVAL=2000\nCLAUDEOPS_TRUSTED_PROXIES=nginx\n")
    found = reloading.ctl("reload", check=False)
    assert found.returncode != 0
    assert "CLAUDEOPS_TRUSTED_PROXIES: 'nginx' is no address or network" in found.stderr
    file.unlink()
    assert reloading.ctl("reload", check=False).returncode != 0
    assert (reloading.pid("worker"), reloading.pid("web")) == (worker, web)
    old = reloading.kill("worker")
    reloading.wait_replaced("worker", old)
    assert value(reloading, "interval") == "1000"


def at_rest(*pids: int) -> list[tuple[int, int]]:
    """(descriptors, threads) of processes once they have been the same for a second."""
    seen: list[list[tuple[int, int]]] = []

    def same() -> bool:
        seen.append([(descriptors(pid), threads(pid)) for pid in pids])
        time.sleep(0.1)
        return len(seen) > 10 and all(look == seen[-1] for look in seen[-10:])

    wait_for(same, 20, "descriptors and threads at rest")
    return seen[-1]


def storm(supervisor: int, file: Path, reloads: int) -> None:
    for number in range(reloads):
        file.write_text(f"CLAUDEOPS_RESTART_LIMIT={number + 10}\n" if number % 3 else "nonsense")
        os.kill(supervisor, signal.SIGHUP)
        time.sleep(0.005)


def test_a_storm_of_a_hundred_leaves_descriptors_and_threads_as_they_were(
    reloading: Daemon, file: Path, tmp_path: Path
) -> None:
    over = tmp_path / "over"
    session = reloading.trigger(until=str(over), interval=0.05)  # it holds descriptors for as long as it runs
    supervisor, worker = reloading.pid("supervisor"), reloading.pid("worker")
    reloading.run_pids(session)
    storm(supervisor, file, 10)  # what is opened once and kept has been opened then
    before = at_rest(supervisor, worker)
    storm(supervisor, file, 100)
    file.write_text("CLAUDEOPS_RESTART_LIMIT=555\n")
    reloading.kill("supervisor", signal.SIGHUP)
    wait_for(lambda: value(reloading, "restart_limit") == "555", 10, "the last one")
    assert reloading.pid("worker") == worker
    now = at_rest(supervisor, worker)
    # What one of them kept open would be there a hundred times; what the daemon opens by and by is a few.
    grown = [one - other for pair in zip(now, before, strict=True) for one, other in zip(*pair, strict=True)]
    assert max(grown) < 10, f"{before} before, {now} after"
    wait_for(lambda: '"line 20"' in Path(session["log_file"]).read_text(), 10, "twenty lines, on a quick machine too")
    over.touch()
    ended = reloading.wait_ended(session["id"])
    said = [int(number) for number in re.findall(r'"line (\d+)"', Path(ended["log_file"]).read_text())]
    assert ended["status"] == "completed"
    assert said == list(range(ended["lines"] - 2)), "between the first event and the result, each line once"
