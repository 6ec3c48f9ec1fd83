"""The web process that stands by while somebody watches: when it is there, whom it serves, and that it hurts nobody."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.harness import Daemon, alive, running, wait_for
from tests.acceptance.stream import Reader
from tests.acceptance.supervisor.surroundings import children_of, patched

# A process that stands by says so with its title once all is imported.
TITLE = b"claudeops: web standby"


def standing_by(daemon: Daemon) -> int | None:
    """The process that stands by; None if there is none that has got so far."""
    for pid, _ in children_of(daemon.pid("supervisor")):
        with contextlib.suppress(OSError):
            if (Path(f"/proc/{pid}/cmdline").read_bytes()).startswith(TITLE):
                return pid
    return None


def wait_standing_by(daemon: Daemon) -> int:
    found: int = wait_for(lambda: standing_by(daemon), 10, "a web process that stands by")
    return found


@contextlib.contextmanager
def watched(directory: Path, **environment: str) -> Iterator[tuple[Daemon, Reader, int]]:
    """A daemon with a session that somebody watches until `directory/enough` is there, and the session's id."""
    with running(directory, **environment) as daemon:
        daemon.sign_in()
        session = daemon.trigger(until=f"{directory}/enough", interval=0.02)
        reader = Reader(daemon, session["id"])
        reader.start()
        try:
            yield daemon, reader, session["id"]
        finally:
            reader.stop.set()


def test_who_watches_is_served_by_the_one_that_stood_by_and_misses_nothing(tmp_path: Path) -> None:
    with watched(tmp_path) as (daemon, reader, session):
        for _ in range(3):
            waiting = wait_standing_by(daemon)
            time.sleep(0.5)
            old = daemon.kill("web")
            assert daemon.wait_replaced("web", old) == waiting
        (tmp_path / "enough").touch()
        ended = daemon.wait_ended(session)
        assert reader.done.wait(20)
        assert reader.numbers == list(range(ended["lines"] - 2))
        assert reader.refused == 0
        assert (daemon.process_of("web")["restarts"], daemon.process_of("worker")["restarts"]) == (3, 0)


def test_nobody_stands_by_while_nobody_watches(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        assert daemon.request("GET", "/")[0] == 200
        time.sleep(2.5)  # beats tell whether somebody watches
        assert standing_by(daemon) is None
        assert len(children_of(daemon.pid("supervisor"))) == 2
        old = daemon.kill("web")
        daemon.wait_replaced("web", old)


def test_the_one_that_stands_by_may_die_or_hang_and_web_is_served_all_the_same(tmp_path: Path) -> None:
    with watched(tmp_path) as (daemon, reader, _):
        # One that is stopped is put in web's place, can't serve, and makes room for a fresh one.
        waiting = wait_standing_by(daemon)
        os.kill(waiting, signal.SIGSTOP)
        seen = len(reader.first_at)
        killed = time.monotonic()
        daemon.kill("web")
        wait_for(lambda: len(reader.first_at) > seen, 20, "the stream resumed")
        assert reader.first_at[-1] - killed < 12
        assert not alive(waiting)
        assert "web does not get ready; aborting it" in daemon.log()
        # Both at once, as `pkill -9` of their common title would.
        waiting, old = wait_standing_by(daemon), daemon.pid("web")
        os.kill(waiting, signal.SIGKILL)
        os.kill(old, signal.SIGKILL)
        assert daemon.wait_replaced("web", old) != waiting


def test_a_restart_that_was_asked_for_and_an_upgrade_start_fresh_ones(tmp_path: Path) -> None:
    """What stands by has the code and the settings of its start."""
    with watched(tmp_path) as (daemon, _, _):
        waiting, old = wait_standing_by(daemon), daemon.pid("web")
        daemon.ctl("restart", "web")
        assert daemon.wait_replaced("web", old) != waiting
        wait_for(lambda: not alive(waiting), 5, "the end of the one that stood by")
        waiting, old = wait_standing_by(daemon), daemon.pid("web")
        daemon.kill("supervisor", signal.SIGUSR2)
        assert daemon.wait_replaced("web", old) != waiting
        wait_for(lambda: not alive(waiting), 5, "the end of the one that stood by")
        wait_standing_by(daemon)
        assert daemon.stop() == 0
        assert daemon.left_over() == []


def test_one_that_can_not_start_is_not_tried_again_and_again(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    broken = (
        "import os\n"
        "if MODULE == 'webui' and os.environ.get('CLAUDEOPS_STANDBY'):\n"
        "    open(HERE + '/tried', 'a').write('x')\n"
        "    os._exit(1)\n"
    )
    with watched(tmp_path, **patched(hooks, broken)) as (daemon, reader, _):
        wait_for(lambda: (hooks / "tried").exists(), 10, "a first try")
        time.sleep(3)
        assert (hooks / "tried").read_text() == "x"
        seen, old = len(reader.first_at), daemon.kill("web")
        daemon.wait_replaced("web", old)
        wait_for(lambda: len(reader.first_at) > seen, 10, "the stream resumed")
