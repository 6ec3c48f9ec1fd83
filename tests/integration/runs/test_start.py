"""How a command is started, and what it finds."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from daemon import procfs
from daemon.runs import files
from daemon.runs import launch as launching
from daemon.runs.disk import NoSpace
from daemon.runs.executor import LocalExecutor
from daemon.runs.launch import LaunchError, launch
from daemon.runs.spec import Secret
from daemon.runs.states import EndReason
from tests.integration.runs.place import Place


async def test_a_command_runs_and_its_end_is_recorded(place: Place) -> None:
    run = await place.sh("echo out; echo err >&2; exit 7")
    record = await place.end(run)
    assert (record.exit_code, record.signal, record.reason) == (7, None, EndReason.EXITED)
    assert not record.succeeded
    assert sorted((line.stream, line.text) for line in place.log(run)) == [("stderr", b"err"), ("stdout", b"out")]
    assert record.bytes == os.path.getsize(run.log_path)
    assert record.lines == 2
    assert record.started_at <= record.ended_at
    assert json.loads((run.run_dir / files.EXIT).read_text())["exit_code"] == 7


async def test_an_exit_by_signal_is_recorded_as_such(place: Place) -> None:
    run = await place.sh("kill -9 $$")
    record = await place.end(run)
    assert (record.exit_code, record.signal, record.reason) == (None, 9, EndReason.EXITED)


async def test_kill_9_of_the_command_from_outside_is_recorded(place: Place) -> None:
    run = await place.start("sleep", "1000")
    os.kill(place.shim(run).command_pid, 9)
    record = await place.end(run)
    assert (record.exit_code, record.signal, record.reason) == (None, 9, EndReason.EXITED)


async def test_a_missing_program_is_reported_with_its_name(place: Place) -> None:
    run = await place.start("/nonexistent/program")
    record = await place.end(run)
    assert record.reason is EndReason.SPAWN_FAILED
    assert record.exit_code is None
    assert record.error == "/nonexistent/program cannot be started: No such file or directory (errno 2)"
    assert place.text(run, "run") == [record.error.encode()]


async def test_a_program_that_is_no_program_is_reported(place: Place, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no program")
    (tmp_path / "data").chmod(0o755)
    record = await place.end(await place.start(str(tmp_path / "data")))
    assert record.error is not None
    assert record.error.endswith("Exec format error (errno 8)")


async def test_a_missing_working_directory_is_reported_with_its_path(place: Place) -> None:
    run = await place.start("true", cwd="/nonexistent/place")
    record = await place.end(run)
    assert record.reason is EndReason.SPAWN_FAILED
    assert record.error is not None
    assert record.error.startswith("the working directory /nonexistent/place cannot be entered")


async def test_a_log_that_cannot_be_opened_starts_nothing(place: Place, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    run = await place.start("touch", str(mark), log_path="/nonexistent/place/log")
    record = await place.end(run)
    assert record.reason is EndReason.SPAWN_FAILED
    assert record.error is not None
    assert "/nonexistent/place/log" in record.error
    assert not mark.exists()


async def test_the_command_gets_its_environment_and_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED_TO_CHILD", "yes")
    run = await place.start("env", env={"A": "1", "PATH": "/usr/bin:/bin"})
    await place.end(run)
    assert sorted(place.text(run)) == [
        b"A=1",
        f"CLAUDEOPS_RUN_DIR={run.run_dir}".encode(),
        f"CLAUDEOPS_RUN_ID={run.run_id}".encode(),
        b"PATH=/usr/bin:/bin",
    ]


async def test_the_command_gets_its_input_and_default_signals_and_no_descriptor_of_ours(place: Place) -> None:
    program = """
import os, signal, sys
print(len(sys.stdin.read()))
print(open('/proc/self/status').read())
print('fds', sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:4])
print('session', os.getsid(0) == os.getpid())
"""
    run = await place.python(program, stdin="ä" * 200_000)
    await place.end(run)
    lines = place.text(run)
    assert lines[0] == b"200000"
    status = dict(line.split(b":\t", 1) for line in lines if b":\t" in line)
    # Python itself ignores SIGPIPE and SIGXFSZ and catches SIGINT.
    assert int(status[b"SigIgn"], 16) & 0x7FFFFFFF & ~((1 << 12) | (1 << 24)) == 0
    assert int(status[b"SigBlk"], 16) == 0
    assert b"fds [0, 1, 2, 3]" in lines  # 3 is the listing itself
    assert b"session True" in lines


async def test_without_input_stdin_is_empty(place: Place) -> None:
    run = await place.start("cat")
    assert (await place.end(run)).succeeded


async def test_the_shim_shows_its_title_and_keeps_secrets_to_itself(place: Place) -> None:
    secret = "s3cr3t-of-the-run"
    run = await place.start("sleep", "1000", env={"KEY": secret}, stdin="prompt", secrets=(Secret("KEY", secret),))
    shim = place.shim(run).pid
    assert Path(f"/proc/{shim}/cmdline").read_bytes().startswith(b"claudeops: run " + run.run_id.encode())
    assert secret.encode() not in Path(f"/proc/{shim}/environ").read_bytes()
    for file in run.run_dir.iterdir():
        assert secret.encode() not in file.read_bytes(), file
    assert procfs.resident_bytes(shim) < 20 << 20
    assert os.getsid(shim) == shim


async def test_a_run_directory_is_private_and_used_once(place: Place) -> None:
    run = await place.start("true")
    await place.end(run)
    assert run.run_dir.stat().st_mode & 0o777 == 0o700
    spec = place.spec("true", run_id=run.run_id)
    with pytest.raises(LaunchError, match="exists already"):
        await launch(spec, place.runs_dir)


async def test_a_shim_that_cannot_be_started_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    spec = place.spec("true")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LaunchError, match="no shim can be started"):
        await launch(spec, place.runs_dir)
    assert list(place.runs_dir.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before


HANGS = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[3], "here").touch()
time.sleep(600)
"""


async def until_no_descriptor_is_left(before: int) -> None:
    async with asyncio.timeout(10):
        while len(os.listdir("/proc/self/fd")) > before:
            await asyncio.sleep(0.01)


async def test_a_shim_that_hangs_before_it_has_started_anything_is_killed_and_told(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does whose command lies on a mount that does not answer."""
    (tmp_path / "hangs.py").write_text(HANGS)
    monkeypatch.setattr(launching, "SHIM", str(tmp_path / "hangs.py"))
    monkeypatch.setattr(launching, "START_SECONDS", 1.0)
    before = len(os.listdir("/proc/self/fd"))
    spec = place.spec("true")
    async with asyncio.timeout(10):
        with pytest.raises(LaunchError, match=rf"run {spec.run_id} has not started within 1 s; .* mount"):
            await launch(spec, place.runs_dir)
    await until_no_descriptor_is_left(before)
    assert place.processes(str(tmp_path / "hangs.py")) == []


async def test_a_run_that_cannot_be_told_what_to_run_leaves_no_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    before = len(os.listdir("/proc/self/fd"))
    spec = place.spec("sleep", "600")
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "sock_recv", refuse)
        with pytest.raises(LaunchError, match=rf"the shim of run {spec.run_id} can't be talked to: .*Input/output"):
            await launch(spec, place.runs_dir)
    await until_no_descriptor_is_left(before)
    assert place.processes(str(place.runs_dir / spec.run_id)) == []


async def test_a_shim_that_cannot_be_watched_is_ended_and_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(24, "Too many open files")

    before = len(os.listdir("/proc/self/fd"))
    spec = place.spec("sleep", "600")
    with monkeypatch.context() as patched:
        patched.setattr(os, "pidfd_open", refuse)
        with pytest.raises(LaunchError, match=r"no shim can be started .*Too many open files"):
            await launch(spec, place.runs_dir)
    assert list(place.runs_dir.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert place.processes(str(place.runs_dir / spec.run_id)) == []


async def test_many_runs_leave_no_descriptor_and_no_thread(place: Place) -> None:
    await place.end(await place.start("true"))
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(5):
        runs = await asyncio.gather(*(place.start("true") for _ in range(4)))
        for run in runs:
            assert (await place.end(run)).succeeded
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before


async def test_an_environment_larger_than_a_pipe_reaches_the_command(place: Place) -> None:
    env = {f"VARIABLE_{number}": "v" * 1000 for number in range(1000)} | {"PATH": "/usr/bin:/bin"}
    run = await place.sh("env | wc -l", env=env)
    await place.end(run)
    assert place.text(run) == [b"1004"]  # with CLAUDEOPS_RUN_ID and _DIR, and the shell's PWD


async def test_too_little_free_space_refuses_the_start(place: Place) -> None:
    executor = LocalExecutor(place.runs_dir, free_floor_bytes=1 << 60)
    spec = place.spec("true")
    with pytest.raises(NoSpace, match="MiB free"):
        await executor.start(spec)
    assert not (place.runs_dir / spec.run_id).exists()


async def test_the_executor_starts_stops_and_tells_results(place: Place) -> None:
    executor = LocalExecutor(place.runs_dir)
    run = await executor.start(place.spec("sleep", "1000"))
    record = await executor.stop(run, EndReason.STOPPED, "ann")
    assert (record.reason, record.by) == (EndReason.STOPPED, "ann")
    assert await executor.result(run) == record
    run = await executor.start(place.spec("sleep", "1000"))
    record = await executor.stop(run, EndReason.INTERRUPTED, "shutdown", at_once=True)
    assert (record.reason, record.signal) == (EndReason.INTERRUPTED, 9)
