"""What keeps others from the daemon's state: its sockets answer only its own, and one process alone can write."""

import json
import os
from pathlib import Path

from tests.acceptance.harness import Daemon, running
from tests.fixtures.strangers import as_nobody


def test_another_user_who_gets_through_to_a_daemon_commands_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.runtime.chmod(0o755)
        (daemon.runtime / "rpc.sock").chmod(0o666)
        _, kind, _, _, *_, body = json.loads(as_nobody(daemon.runtime, daemon.environment))
        assert (kind, body["code"]) == ("err", "forbidden")
        assert daemon.json("sessions", "list") == []


def test_the_worker_writes_the_database_and_the_web_process_can_not(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        assert daemon.request("GET", "/sessions")[0] == 200
        assert modes(daemon, "worker") == {os.O_RDWR}
        assert modes(daemon, "web") == {os.O_RDONLY}


def modes(daemon: Daemon, name: str) -> set[int]:
    """How a process has opened the database."""
    process = Path(f"/proc/{daemon.pid(name)}")
    database = str(daemon.state / "claudeops.db")
    numbers = [one.name for one in (process / "fd").iterdir() if os.readlink(one) == database]
    flags = [(process / "fdinfo" / number).read_text().split("flags:")[1].split()[0] for number in numbers]
    return {int(one, 8) & os.O_ACCMODE for one in flags}
