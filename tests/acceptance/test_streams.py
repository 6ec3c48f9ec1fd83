"""Browsers that watch a session: whatever dies or dawdles, each ends with the transcript that the log holds.

`make kills` kills the web process two hundred times.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.acceptance.harness import KEY, alive, running
from tests.acceptance.stream import Reader
from tests.acceptance.test_worker_killed import numbers

KILLS = int(os.environ.get("CLAUDEOPS_TEST_KILLS", "100"))


@pytest.mark.timeout(240 + 6 * KILLS)  # so many starts of a process, on whatever machine
def test_kills_of_web_lose_and_repeat_no_line(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.02)
        _, command = daemon.run_pids(session)
        reader = Reader(daemon, session["id"])
        reader.start()
        chance = random.Random(3)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.2))
            web = daemon.kill("web")
            daemon.wait_replaced("web", web)
        assert daemon.run_pids(session)[1] == command
        (tmp_path / "enough").touch()
        ended = daemon.wait_ended(session["id"], 60)
        assert ended["status"] == "completed"
        reader.join(120)
        assert reader.done.is_set()
        assert reader.numbers == list(range(ended["lines"] - 2))
        assert len(reader.numbers) > 5 * KILLS
        assert reader.refused == 0
        assert reader.connections > KILLS / 2
        assert daemon.process_of("web")["restarts"] >= KILLS
        assert daemon.process_of("worker")["restarts"] == 0


def test_three_browsers_one_slow_one_restless_end_with_the_same_transcript(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        session = daemon.trigger(lines=2000, interval=0.006)
        readers = [
            Reader(daemon, session["id"]),
            Reader(daemon, session["id"], pause=0.02),
            Reader(daemon, session["id"], drop=20_000),
        ]
        for reader in readers:
            reader.start()
        ended = daemon.wait_ended(session["id"], 120)
        for reader in readers:
            reader.join(90)
            assert reader.done.is_set()
            assert reader.numbers == numbers(Path(ended["log_file"]))
        assert len(readers[0].numbers) == 2000
        assert readers[2].connections > 5


def test_a_reader_that_comes_after_the_end_sees_the_same(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        session = daemon.trigger(lines=500)
        daemon.wait_ended(session["id"])
        reader = Reader(daemon, session["id"])
        reader.start()
        reader.join(20)
        assert reader.done.is_set()
        assert reader.numbers == list(range(500))


def test_hostile_output_never_breaks_the_stream_or_the_page(tmp_path: Path) -> None:
    import base64

    from tests.acceptance.test_output import HOSTILE

    with running(tmp_path) as daemon:
        daemon.sign_in()
        raw = [base64.b64encode(line).decode() for line in HOSTILE]
        session = daemon.trigger(raw=raw, leak=["ANTHROPIC_API_KEY"], lines=5, interval=0.1)
        reader = Reader(daemon, session["id"])
        reader.start()
        daemon.wait_ended(session["id"])
        reader.join(20)
        assert reader.done.is_set()
        assert reader.numbers == [0, 1, 2, 3, 4]
        assert b"<script>alert" not in reader.raw
        assert KEY.encode() not in reader.raw
        status, _, page = daemon.request("GET", f"/sessions/{session['id']}")
        assert status == 200
        assert b"<script>alert" not in page
        assert b"&lt;script&gt;alert" in page
        assert KEY.encode() not in page


def test_streams_go_on_with_the_worker_dead(tmp_path: Path) -> None:
    """The web process reads files, so it shows what grows while nobody tells it."""
    with running(tmp_path, CLAUDEOPS_HEARTBEAT_TIMEOUT="60") as daemon:
        daemon.sign_in()
        session = daemon.trigger(lines=200, interval=0.03)
        reader = Reader(daemon, session["id"])
        reader.start()
        import signal

        worker = daemon.kill("worker", signal.SIGSTOP)
        seen = len(reader.numbers)
        time.sleep(2)
        assert len(reader.numbers) > seen + 20
        assert alive(worker)
        import os

        os.kill(worker, signal.SIGCONT)
        daemon.wait_ended(session["id"])
        reader.join(30)
        assert reader.numbers == list(range(200))
