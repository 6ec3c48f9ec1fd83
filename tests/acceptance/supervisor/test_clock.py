"""The wall clock jumps, by hours, both ways: heartbeats, delays and timeouts go on, the schedule fires once."""

import time
from pathlib import Path

from tests.acceptance.harness import running, wait_for
from tests.acceptance.supervisor.surroundings import patched

# There is no way to set the clock of some processes only; so every place from which Python reads it is shifted.
SHIFT = """
import datetime, time
def shift(at=HERE + "/shift"):
    try:
        with open(at) as file:
            return float(file.read() or 0)
    except FileNotFoundError:
        return 0.0
clock = time.time
time.time = lambda: clock() + shift()
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=shift())
datetime.datetime = Shifted
"""


def test_jumps_of_the_clock_stop_nothing_and_fire_the_schedule_at_most_once(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    more = {
        "CLAUDEOPS_SCHEDULE_ENABLED": "true",
        "CLAUDEOPS_INTERVAL": "3600",
        "CLAUDEOPS_HEARTBEAT_TIMEOUT": "2",
        "CLAUDEOPS_SESSION_TIMEOUT": "600",
        **patched(hooks, SHIFT),
    }
    with running(tmp_path, **more) as daemon:
        first = wait_for(lambda: daemon.json("sessions", "list"), 15)[0]
        assert daemon.wait_ended(first["id"])["trigger"] == "scheduled"
        session = daemon.trigger(lines=60, interval=0.05)
        pids = {name: daemon.pid(name) for name in ("worker", "web")}
        written = set()
        for hours in (1, -1, 3, 0):
            (hooks / "shift").write_text(str(hours * 3600))
            time.sleep(0.5)
            daemon.wait_replaced("web", daemon.kill("web"), 3)
            written.add(daemon.file()["written_at"][11:13])
        assert len(written) >= 3, "the clock did not jump"
        assert daemon.pid("worker") == pids["worker"]
        assert "silent" not in daemon.log()
        assert daemon.wait_ended(session["id"])["status"] == "completed"
        (hooks / "shift").write_text("10800")
        daemon.wait_replaced("worker", daemon.kill("worker"))
        time.sleep(0.5)
        assert len(daemon.json("sessions", "list")) == 2
