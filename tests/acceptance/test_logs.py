"""The daemon's own log: JSON of every process, in a file that is begun anew, without secrets, and never in the way."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import KEY, Daemon, wait_for
from tests.acceptance.supervisor.surroundings import patched

# Faults that only a patched Python gives: a task that nobody awaits, an exception that nobody handles, a secret.
FAULTS = """
import asyncio, gc, os
if MODULE in ("daemon.worker", "webui"):
    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            loop = super().new_event_loop()
            loop.call_later(0.5, lambda: loop.create_task(lost()))
            loop.call_later(0.5, raises)
            loop.call_later(1.0, gc.collect)
            return loop
    async def lost():
        raise KeyError("nobody awaited this in " + MODULE)
    def raises():
        print("a line with", os.environ.get("ANTHROPIC_API_KEY", "nothing"), flush=True)
        raise LookupError("a callback of " + MODULE)
    asyncio.set_event_loop_policy(Policy())
"""


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_of_every_process_is_a_json_object(daemon: Daemon, tmp_path: Path) -> None:
    daemon.environment |= patched(tmp_path / "patch", FAULTS) | {"CLAUDEOPS_LOG_FORMAT": "json"}
    daemon.start()

    def wait_said(process: str, text: str) -> None:
        def said() -> bool:
            return (process, text) in {(found["process"], found["message"]) for found in records(daemon.log())}

        try:
            wait_for(said, 20, text)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{daemon.log()}") from None

    for process, module in (("worker", "daemon.worker"), ("web", "webui")):
        text = f"KeyError: 'nobody awaited this in {module}'"
        wait_said(process, text)
        text = f"LookupError: a callback of {module}"
        wait_said(process, text)
    web = daemon.kill("web", signal.SIGABRT)
    daemon.wait_replaced("web", web)
    assert daemon.stop() == 0
    found = records(daemon.log())
    assert {record["process"] for record in found} == {"supervisor", "worker", "web"}
    for record in found:
        assert {"time", "level", "process", "message"} <= set(record)
        assert record["level"] in ("info", "warning", "error")
    errors = [record for record in found if "traceback" in record]
    assert any("raises" in record["traceback"] and record["level"] == "error" for record in errors)
    assert any(record["message"].startswith("Fatal Python error: Aborted") for record in errors)
    assert KEY not in daemon.log()
    assert any("a line with [REDACTED:ANTHROPIC_API_KEY]" in record["message"] for record in found)


def test_a_log_file_is_bounded_and_stands_beside_standard_error(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "claudeops.log"
    daemon.environment |= {
        "CLAUDEOPS_LOG_FILE": str(file), "CLAUDEOPS_LOG_MAX_BYTES": "65536", "CLAUDEOPS_LOG_KEEP": "2",
    }  # fmt: skip
    daemon.environment |= patched(tmp_path / "patch", (
        "import os, sys\nif MODULE == 'webui':\n    for n in range(4000):\n"
        "        print(f'web: line {n:05d} ' + 'x' * 60, file=sys.stderr)\n"
    ))  # fmt: skip
    daemon.start()
    wait_for(lambda: "web serves" in file.read_text(), 20, "the last line")
    files = sorted(file.parent.iterdir())
    assert [path.name for path in files] == ["claudeops.log", "claudeops.log.1", "claudeops.log.2"]
    assert all(path.stat().st_size <= 65536 for path in files)
    kept = "".join(path.read_text() for path in (files[2], files[1], files[0]))
    numbers = [int(line.split("line ")[1][:5]) for line in kept.splitlines() if " web: line " in line]
    assert numbers == list(range(numbers[0], 4000))
    assert daemon.log().count(" info web: line ") == 4000
    # claudeopsctl shows the file, and goes on over the next beginning.
    assert "web serves" in daemon.ctl("logs").stdout


def test_a_log_that_was_moved_away_is_begun_anew_by_a_reload(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "claudeops.log"
    daemon.environment["CLAUDEOPS_LOG_FILE"] = str(file)
    daemon.start()
    file.rename(tmp_path / "moved")
    os.kill(daemon.pid("supervisor"), signal.SIGHUP)
    wait_for(lambda: file.exists() and "settings read anew" in file.read_text(), 10, "a new file")
    assert "worker serves" in (tmp_path / "moved").read_text()


def test_a_log_on_a_full_disk_costs_lines_and_nothing_else(daemon: Daemon) -> None:
    daemon.environment["CLAUDEOPS_LOG_FILE"] = "/dev/full"
    daemon.environment["CLAUDEOPS_LOG_FORMAT"] = "json"
    daemon.start()
    assert daemon.wait_ended(daemon.trigger(lines=3)["id"])["status"] == "completed"
    told = [record for record in records(daemon.log()) if "lines are lost there" in record["message"]]
    assert len(told) == 1
    assert daemon.stop() == 0


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_upgrade_in_place_goes_on_with_the_log(daemon: Daemon, tmp_path: Path, form: str) -> None:
    file = tmp_path / "claudeops.log"
    daemon.environment |= {"CLAUDEOPS_LOG_FILE": str(file), "CLAUDEOPS_LOG_FORMAT": form}
    daemon.start()
    session = daemon.trigger(lines=400, interval=0.02)
    web, worker = daemon.pid("web"), daemon.pid("worker")
    os.kill(daemon.pid("supervisor"), signal.SIGUSR2)
    daemon.wait_replaced("web", web)
    daemon.wait_replaced("worker", worker, 40)
    assert daemon.wait_ended(session["id"])["status"] == "completed"
    assert "re-executing in place" in file.read_text()
    before = file.stat().st_size
    daemon.kill("web")
    wait_for(lambda: "SIGKILL" in file.read_text()[before:], 10, "the next line")
    if form == "json":
        records(file.read_text())
    time.sleep(0.2)
    assert daemon.stop() == 0
