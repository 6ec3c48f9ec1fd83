"""Deaths around a run: of the worker, of the shim. What lives is adopted, what is lost is swept up and recorded."""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from daemon import procfs
from daemon.runs import files
from daemon.runs import sweep as sweeping
from daemon.runs.adopt import RunAlive, adopt, lock_held, remove
from daemon.runs.follow import follow
from daemon.runs.rules import Verdict
from daemon.runs.run import RunClosed
from daemon.runs.states import EndReason
from daemon.runs.sweep import processes_of, sweep
from tests.integration.runs.place import Place

# A worker that starts one run; `fault` replaces one step of it by its death.
WORKER = """
import asyncio, os, signal, sys
from pathlib import Path
from daemon.runs.launch import launch
from daemon.runs.spec import RunSpec

directory, fault, *argv = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    loop = asyncio.get_running_loop()
    send, receive = loop.sock_sendall, loop.sock_recv

    async def half(channel, document):
        await send(channel, document[: len(document) // 2])
        die()

    async def nothing(channel, document):
        die()

    async def whole(channel, size):
        die()

    if fault == "half":
        loop.sock_sendall = half
    elif fault == "nothing":
        loop.sock_sendall = nothing
    elif fault == "whole":
        loop.sock_recv = whole
    spec = RunSpec(
        run_id="r1", argv=tuple(argv), env={"PATH": "/usr/bin:/bin"}, cwd="/", log_path=directory + "/r1.log",
        timeout_s=60, grace_int_s=0.3, grace_term_s=0.3, labels={"session": "42"},
    )
    run = await launch(spec, Path(directory) / "runs")
    die()

asyncio.run(main())
"""


def worker_dies(place: Place, fault: str, *argv: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.getcwd(), "LANG": "C.UTF-8"}
    died = subprocess.run(
        [sys.executable, "-c", WORKER, str(place.directory), fault, *argv], env=environment, check=False, timeout=30
    )
    assert died.returncode == -signal.SIGKILL


async def test_a_run_outlives_the_worker_and_is_adopted_by_another(place: Place) -> None:
    worker_dies(place, "later", "sh", "-c", "echo before; sleep 0.5; echo after; exit 5")
    (found,) = await place.adopt()
    assert found.verdict is Verdict.LIVE
    assert found.spec is not None
    assert found.spec.labels == {"session": "42"}
    texts = [line.data async for chunk in follow(found.run.run_dir, found.run.log_path) for line in chunk.lines]
    assert [text.split(b"\t")[1] for text in texts] == [b"before", b"after"]
    record = await place.end(found.run)
    assert (record.exit_code, record.reason) == (5, EndReason.EXITED)


async def test_an_adopted_run_can_be_stopped(place: Place) -> None:
    worker_dies(place, "later", "sleep", "1000")
    (found,) = await place.adopt()
    found.run.stop(by="ann")
    record = await place.end(found.run)
    assert (record.reason, record.by, record.signal) == (EndReason.STOPPED, "ann", signal.SIGINT)


async def test_a_worker_that_dies_when_all_is_told_leaves_a_run(place: Place) -> None:
    worker_dies(place, "whole", "sh", "-c", "echo ran; sleep 1000")
    (found,) = await place.adopt()
    assert found.verdict is Verdict.LIVE
    await place.until(found.run, b"ran")


@pytest.mark.parametrize("fault", ["nothing", "half"])
async def test_a_worker_that_dies_before_all_is_told_starts_nothing(place: Place, fault: str) -> None:
    mark = place.directory / "ran"
    worker_dies(place, fault, "touch", str(mark))
    (found,) = await place.adopt()
    assert found.verdict is Verdict.LOST
    record = await place.end(found.run)
    assert record.reason is EndReason.INTERRUPTED
    assert record.error is not None
    assert "nothing was started" in record.error
    assert not mark.exists()
    assert not lock_held(found.run.run_dir)


async def test_a_run_that_ended_meanwhile_is_found_ended(place: Place) -> None:
    worker_dies(place, "later", "sh", "-c", "exit 9")
    for _ in range(500):
        if (place.runs_dir / "r1" / files.EXIT).exists():
            break
        await asyncio.sleep(0.01)
    (found,) = await place.adopt()
    assert found.verdict is Verdict.ENDED
    assert (await place.end(found.run)).exit_code == 9


async def test_the_timeout_holds_without_a_worker(place: Place) -> None:
    mark = place.directory.name
    run = await place.start("sleep", "1000", timeout_s=0.5)
    shim = place.shim(run)
    run.close()  # nobody watches
    for _ in range(500):
        if (run.run_dir / files.EXIT).exists():
            break
        await asyncio.sleep(0.01)
    assert json.loads((run.run_dir / files.EXIT).read_text())["reason"] == "timed_out"
    assert place.processes(mark) == []
    os.waitpid(shim.pid, 0)
    assert (await place.end(run)).reason is EndReason.TIMED_OUT


async def test_a_run_that_was_let_go_cannot_be_waited_for(place: Place) -> None:
    run = await place.start("sleep", "1000")
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)
    run.close()
    with pytest.raises(RunClosed, match="adopt it again"):
        await waiting
    with pytest.raises(RunClosed):
        await run.wait()
    assert not run.stop()
    place.started.clear()
    shim = place.shim(run)
    (found,) = await place.adopt()
    assert found.verdict is Verdict.LIVE
    found.run.kill()
    await place.end(found.run)
    os.waitpid(shim.pid, 0)


async def test_kill_9_of_the_shim_takes_the_command_and_its_tree(place: Place) -> None:
    mark = place.directory.name
    run = await place.start("python3", str(place.fakes / "command_stubborn.py"), mark)
    await place.until(run, b"ready")
    shim = place.shim(run)
    assert len(place.processes(mark)) == 3
    os.kill(shim.pid, signal.SIGKILL)
    record = await place.end(run)
    assert record.reason is EndReason.INTERRUPTED
    assert record.started_at == shim.started_at
    assert place.processes(mark) == []
    assert place.text(run) == [b"ready"]
    assert place.text(run, "run") == [record.error.encode() if record.error else b""]
    assert await place.end(run) == record
    assert json.loads((run.run_dir / files.EXIT).read_text())["reason"] == "interrupted"


async def test_the_command_dies_with_its_shim_although_nobody_sweeps(place: Place) -> None:
    run = await place.start("sleep", "1000")
    shim = place.shim(run)
    os.kill(shim.pid, signal.SIGKILL)
    deadline = time.monotonic() + 2
    while procfs.start_time(shim.command_pid) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_following_ends_when_the_shim_was_killed(place: Place) -> None:
    run = await place.sh("echo one; sleep 1000")
    await place.until(run, b"one")
    shim = place.shim(run)
    os.kill(shim.pid, signal.SIGKILL)

    async def read() -> list[bytes]:
        return [line.data async for chunk in follow(run.run_dir, run.log_path) for line in chunk.lines]

    lines, _ = await asyncio.gather(asyncio.wait_for(read(), 10), run.wait())
    assert len(lines) == 2
    assert b"\t[run] the process that kept this run was killed" in lines[1]


async def test_a_torn_last_line_of_a_killed_shim_is_ended_before_the_remark(place: Place) -> None:
    run = await place.python("import os, time; os.write(1, b'x' * 600000); time.sleep(1000)")
    await place.until(run, b"xxxx")
    shim = place.shim(run)
    os.kill(shim.pid, signal.SIGKILL)
    await place.end(run)
    (text,) = place.text(run)
    assert set(text) == {ord("x")}
    assert len(place.text(run, "run")) == 1


async def test_a_sweep_ends_processes_of_this_run_alone(place: Place) -> None:
    run_dir = place.runs_dir / "r10"
    other = subprocess.Popen(["sleep", "1000"], env={"PATH": "/usr/bin:/bin", "CLAUDEOPS_RUN_DIR": str(run_dir)})
    try:
        for name in ("r1", "r100", "10"):
            assert processes_of(place.runs_dir / name) == []
            assert await sweep(place.runs_dir / name) == 0
        assert other.poll() is None
        assert await sweep(run_dir) == 1
        assert other.wait(5) == -signal.SIGTERM
    finally:
        other.kill()
        other.wait()


async def test_a_sweep_in_vain_looks_beside_the_loop_and_seldom_and_says_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def stuck(run_dir: Path) -> list[tuple[int, int]]:
        threads.append(threading.get_ident())
        return [(7, 1)]

    monkeypatch.setattr(sweeping, "processes_of", stuck)
    monkeypatch.setattr("daemon.procfs.signal_process", lambda *_: True)
    monkeypatch.setattr(sweeping, "KILL_PATIENCE_S", 0.5)
    with pytest.raises(TimeoutError, match=r"even by SIGKILL: 7; .* that does not answer: bring it back"):
        await sweep(place.runs_dir / "r1", 0.5)
    assert threading.get_ident() not in threads
    assert len(threads) < 12


async def test_a_pid_that_was_given_out_again_is_never_signalled(place: Place) -> None:
    run = await place.start("true")
    await place.end(run)
    victim = subprocess.Popen(["sleep", "1000"])
    lock = os.open(run.run_dir / files.LOCK, os.O_RDWR)
    try:
        started = procfs.start_time(victim.pid)
        assert started is not None
        (run.run_dir / files.EXIT).unlink()
        stale = {"pid": victim.pid, "start_time": started - 1}
        files.write_json(
            run.run_dir / files.SHIM,
            stale | {"command_pid": victim.pid, "command_start_time": started - 1, "started_at": "x"},
        )
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.pwrite(lock, json.dumps(stale).encode().ljust(100), 0)
        found = await adopt(run.run_dir)
        assert found.verdict is Verdict.LOST
        assert not found.run.stop()
        assert not found.run.kill()
        assert (await place.end(found.run)).reason is EndReason.INTERRUPTED
        assert victim.poll() is None
    finally:
        os.close(lock)
        victim.kill()
        victim.wait()


async def test_a_shim_that_hangs_before_it_starts_anything_is_ended(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.runs.adopt.START_PATIENCE_S", 0.3)
    run_dir = place.runs_dir / "r1"
    run_dir.mkdir(parents=True)
    lock = os.open(run_dir / files.LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    hanging = subprocess.Popen(["sleep", "1000"], pass_fds=(lock,))
    os.pwrite(lock, json.dumps({"pid": hanging.pid, "start_time": procfs.start_time(hanging.pid)}).encode(), 0)
    os.close(lock)
    found = await adopt(run_dir)
    assert found.verdict is Verdict.LOST
    assert hanging.wait(5) == -signal.SIGKILL
    assert found.spec is None
    assert (await place.end(found.run)).reason is EndReason.INTERRUPTED


async def test_an_exit_record_that_cannot_be_read_is_replaced(place: Place) -> None:
    run = await place.start("true")
    await place.end(run)
    (run.run_dir / files.EXIT).write_bytes(b"\0" * 100)
    (found,) = await place.adopt()
    assert found.verdict is Verdict.LOST
    assert (await place.end(found.run)).reason is EndReason.INTERRUPTED
    (found,) = await place.adopt()
    assert found.verdict is Verdict.ENDED


async def test_a_run_is_removed_once_its_shim_is_gone_and_its_log_stays(place: Place) -> None:
    run = await place.sh("echo kept; sleep 1000")
    await place.until(run, b"kept")
    with pytest.raises(RunAlive, match="stop it first"):
        remove(run.run_dir)
    run.kill()
    await place.end(run)
    remove(run.run_dir)
    place.started.clear()
    assert list(place.runs_dir.iterdir()) == []
    assert Path(run.log_path).exists()


async def test_a_removal_that_was_cut_short_is_finished_at_the_next_start(place: Place) -> None:
    half = place.runs_dir / ".removed-r1"
    half.mkdir(parents=True)
    (half / files.SPEC).write_text("{}")
    assert await place.adopt() == []
    assert not half.exists()


async def test_the_command_is_no_holder_of_the_lock(place: Place) -> None:
    run = await place.sh("ls -l /proc/self/fd; echo listed; sleep 1000")
    await place.until(run, b"listed")
    assert lock_held(run.run_dir)
    assert not [text for text in place.text(run) if str(run.run_dir).encode() in text]
