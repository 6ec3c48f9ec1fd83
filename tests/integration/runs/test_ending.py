"""Ending a run: timeout, stop, kill, stragglers. No process is ever left (the fixture looks, too)."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from daemon.runs import files, launch
from daemon.runs.states import EndReason
from schema import timestamps
from tests.integration.runs.place import Place


async def test_a_timeout_ends_the_whole_tree_of_a_tool_that_ignores_int_and_term(place: Place) -> None:
    mark = place.directory.name
    run = await place.start("python3", str(place.fakes / "command_stubborn.py"), mark, timeout_s=1.5)
    await place.until(run, b"ready")
    assert len(place.processes(mark)) == 3
    record = await place.end(run)
    assert record.reason is EndReason.TIMED_OUT
    assert record.signal == 9
    assert record.duration_ms is not None
    assert record.duration_ms >= 1500 + 600
    assert place.processes(mark) == []
    assert place.text(run, "run") == [b"timed out after 1.5 s: ending the command"]


# The shim's own program behind a wall clock that jumps as soon as a file is there, however Python reads it.
JUMPS = """
import datetime, os, runpy, time
def shift():
    return {shift} if os.path.exists({flag!r}) else 0
seconds, nanoseconds = time.time, time.time_ns
clock, clock_ns, moment = time.clock_gettime, time.clock_gettime_ns, datetime.datetime
time.time = lambda: seconds() + shift()
time.time_ns = lambda: nanoseconds() + shift() * 10**9
time.clock_gettime = lambda which: clock(which) + (shift() if which == time.CLOCK_REALTIME else 0)
time.clock_gettime_ns = lambda which: clock_ns(which) + (shift() * 10**9 if which == time.CLOCK_REALTIME else 0)
class Shifted(moment):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=shift())
datetime.datetime = Shifted
runpy.run_path({shim!r}, run_name="__main__")
"""


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_timeout_and_the_graces_after_it_hold_while_the_clock_jumps(
    place: Place, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    program, flag = place.directory / "jumps.py", place.directory / "jump"
    program.write_text(JUMPS.format(shift=hours * 3600, flag=str(flag), shim=launch.SHIM))
    monkeypatch.setattr(launch, "SHIM", str(program))
    mark = place.directory.name
    began = time.monotonic()
    run = await place.start(
        "python3", str(place.fakes / "command_stubborn.py"), mark, timeout_s=2.0, grace_int_s=0.6, grace_term_s=0.6
    )
    await place.until(run, b"ready")
    flag.touch()
    record = await place.end(run)
    took = time.monotonic() - began
    assert record.reason is EndReason.TIMED_OUT
    assert record.signal == 9
    assert took >= 2.0 + 0.6 + 0.6
    assert record.duration_ms is not None
    assert 3200 <= record.duration_ms <= took * 1000 + 100
    assert place.processes(mark) == []
    stamps = [timestamps.parse(line.at) for line in place.log(run) if line.at]
    jumped = (stamps[-1] - stamps[0]).total_seconds()
    assert abs(jumped - hours * 3600) < took + 1, "the clock did not jump"


async def test_a_stop_interrupts_first_and_keeps_what_the_command_has_to_say(place: Place) -> None:
    program = """
import os, signal, sys, time
def leave(*_):
    os.write(1, b"result with cost\\n")
    sys.exit(0)
signal.signal(signal.SIGINT, leave)
print("ready", flush=True)
time.sleep(1000)
"""
    run = await place.python(program, grace_int_s=10.0)
    await place.until(run, b"ready")
    assert run.stop(EndReason.STOPPED, "ann")
    record = await place.end(run)
    assert (record.reason, record.by, record.exit_code) == (EndReason.STOPPED, "ann", 0)
    assert place.text(run) == [b"ready", b"result with cost"]
    assert place.text(run, "run") == [b"stopped by ann: ending the command"]


async def test_a_second_stop_changes_nothing_and_a_kill_hurries(place: Place) -> None:
    mark = place.directory.name
    run = await place.start(
        "python3", str(place.fakes / "command_stubborn.py"), mark, grace_int_s=30.0, grace_term_s=30.0
    )
    await place.until(run, b"ready")
    assert run.stop(EndReason.STOPPED, "ann")
    assert not run.stop(EndReason.INTERRUPTED, "ben")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run.wait(), 0.5)
    assert len(place.processes(mark)) == 3
    assert run.kill(by="ben")
    record = await asyncio.wait_for(run.wait(), 2)
    assert (record.reason, record.by, record.signal) == (EndReason.STOPPED, "ann", 9)
    assert place.processes(mark) == []
    assert not run.kill()
    assert not run.stop()


async def test_sigterm_twice_to_the_shim_ends_everything_at_once(place: Place) -> None:
    mark = place.directory.name
    run = await place.start(
        "python3", str(place.fakes / "command_stubborn.py"), mark, grace_int_s=30.0, grace_term_s=30.0
    )
    await place.until(run, b"ready")
    os.kill(place.shim(run).pid, signal.SIGTERM)
    await place.until(run, b"interrupted by a signal")
    os.kill(place.shim(run).pid, signal.SIGTERM)
    record = await asyncio.wait_for(run.wait(), 2)
    assert (record.reason, record.by, record.signal) == (EndReason.INTERRUPTED, None, 9)
    assert place.processes(mark) == []


async def test_a_stopped_process_is_woken_to_be_ended(place: Place) -> None:
    run = await place.sh("echo ready; kill -STOP $$; echo woken")
    await place.until(run, b"ready")
    run.stop()
    assert (await place.end(run)).signal == signal.SIGINT


async def test_new_processes_that_appear_while_ending_are_ended_too(place: Place) -> None:
    mark = place.directory.name
    program = """
import signal, subprocess, sys, time
def again(*_):
    for _ in range(3):
        subprocess.Popen(["sh", "-c", "trap '' INT TERM; while :; do sleep 0.01; done", sys.argv[1]],
            start_new_session=True)
for signum in (2, 15):
    signal.signal(signum, again)
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""
    run = await place.python(program, mark)
    await place.until(run, b"ready")
    run.stop()
    assert (await place.end(run)).signal == 9
    assert place.processes(mark) == []


async def test_what_the_command_leaves_behind_is_ended_with_it(place: Place) -> None:
    mark = place.directory.name
    run = await place.sh(
        'setsid sh -c "trap : TERM INT; while :; do sleep 0.05; done" "$1" & echo started; exit 3', mark
    )
    began = time.monotonic()
    record = await place.end(run)
    assert (record.exit_code, record.reason) == (3, EndReason.EXITED)
    assert time.monotonic() - began < 5
    assert place.processes(mark) == []
    assert record.duration_ms is not None
    assert record.duration_ms < 1000


async def test_what_the_command_leaves_behind_may_finish_its_output(place: Place) -> None:
    run = await place.sh("(sleep 0.05; echo late) & echo early")
    await place.end(run)
    assert place.text(run) == [b"early", b"late"]


@pytest.mark.parametrize("busy", [False, True])
async def test_a_pipe_held_open_by_a_process_that_is_not_ours_does_not_hang_the_end(
    place: Place, tmp_path: Path, busy: bool
) -> None:
    # The command hands its stdout to this test, which keeps it open for longer than the run lives.
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        run = await place.python(
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "socket.send_fds(s, [b'x'], [1]); print('given', flush=True)",
            path,
        )
        peer, _ = listener.accept()
        with peer:
            _, (theirs,), _, _ = socket.recv_fds(peer, 1, 1)
            writer = subprocess.Popen(["yes", "y" * 10_000], stdout=theirs) if busy else None
            try:
                record = await asyncio.wait_for(run.wait(), 5)
                assert record.succeeded
                assert b"given" in place.text(run)
            finally:
                os.close(theirs)
                if writer:
                    assert writer.wait(5) == -signal.SIGPIPE


async def test_hundreds_of_orphans_leave_no_zombie(place: Place) -> None:
    run = await place.sh(
        "for i in $(seq 200); do (sh -c 'sleep 0.01 & exit' &); done; sleep 0.5; echo done; sleep 1000"
    )
    await place.until(run, b"done")
    shim = place.shim(run).pid
    states = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == shim:
                states.append(fields[0])
    assert "Z" not in states


async def test_a_stop_with_nonsense_in_stop_json_is_an_interruption(place: Place) -> None:
    run = await place.start("sleep", "1000")
    (run.run_dir / files.STOP).write_text("[nonsense")
    os.kill(place.shim(run).pid, signal.SIGTERM)
    assert (await place.end(run)).reason is EndReason.INTERRUPTED


async def test_only_two_reasons_can_be_given_for_a_stop(place: Place) -> None:
    run = await place.start("sleep", "1000")
    with pytest.raises(ValueError, match="only stopped or interrupted"):
        run.stop(EndReason.QUOTA)
    assert run.stop()


async def test_a_stop_whose_reason_cannot_be_written_still_ends_the_run(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await place.start("sleep", "1000")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    assert run.stop(EndReason.STOPPED, "ann")
    assert (await place.end(run)).reason is EndReason.INTERRUPTED
    assert "the reason of its stop is lost" in capsys.readouterr().err
