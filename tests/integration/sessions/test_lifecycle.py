"""Sessions from their start to their end, with real runs: what is stopped while it starts, what they leave behind."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from daemon.runs import launch
from daemon.runs.spec import RunSpec
from daemon.sessions import prepare
from ipc.errors import CallError
from schema.states import SessionStatus
from tests.integration.sessions.stage import Stage


async def starting(stage: Stage) -> tuple[int, "asyncio.Task[object]"]:
    """A session whose row is there and whose run is not; let `stage.gate` and the task ends."""
    stage.gate.let.clear()
    task = asyncio.create_task(stage.start())
    await stage.gate.asked.wait()
    (row,) = await stage.store.read(lambda db: db.rows("sessions.running"))
    return row["id"], task


async def test_a_session_that_is_stopped_while_it_starts_ends_as_stopped(stage: Stage) -> None:
    id_, task = await starting(stage)
    assert (await stage.sessions.stop(id_, "bob")).id == id_
    for again in ("bob", "carol"):
        await stage.sessions.stop(id_, again)
    stage.gate.let.set()
    await task
    over = await stage.over(id_)
    assert (over.status, over.reason) == (SessionStatus.STOPPED, "stopped by bob")
    lines = await stage.store.read(lambda db: db.rows("audit.page", before=1 << 62, limit=50))
    assert [line["actor"] for line in lines if line["action"] == "session.stopped"] == ["bob"]
    with pytest.raises(CallError, match=f"session {id_} is over: stopped"):
        await stage.sessions.stop(id_, "bob")


async def test_what_can_never_run_ends_the_session_and_leaves_the_tier_free(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> RunSpec:
        raise ValueError("log_path of run r1 must be an absolute, printable path")

    with monkeypatch.context() as patched:
        patched.setattr(prepare, "run_spec", refuse)
        session = await stage.start()
    over = await stage.sessions.show(session.id)
    assert (over.status, stage.sessions.is_idle(1)) == (SessionStatus.FAILED, True)
    assert over.reason is not None
    assert over.reason.endswith("log_path of run r1 must be an absolute, printable path")
    assert (await stage.start()).status is SessionStatus.RUNNING


async def test_a_shim_that_hangs_at_the_start_ends_the_session_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = stage.directory / "hangs.py"
    hangs.write_text("import time; time.sleep(600)")
    with monkeypatch.context() as patched:
        patched.setattr(launch, "SHIM", str(hangs))
        patched.setattr(launch, "START_SECONDS", 0.5)
        session = await stage.start()
    over = await stage.sessions.show(session.id)
    assert (over.status, stage.sessions.is_idle(1)) == (SessionStatus.FAILED, True)
    assert "has not started within 0.5 s" in (over.reason or "")
    state = stage.directory / "state"
    await stage.until(lambda: not [*(state / "runs").iterdir(), *(state / "system-prompts").iterdir()])


async def test_a_directory_that_cannot_be_removed_ends_neither_the_worker_nor_its_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr("daemon.runs.adopt.shutil.rmtree", refuse)
    session = await stage.start()
    await stage.sessions.stop(session.id, "bob")
    assert (await stage.over(session.id)).status is SessionStatus.STOPPED
    await stage.until(lambda: "can't remove" in capsys.readouterr().err)
    assert stage.failed == []
    await stage.sessions.adopt()
    assert f".removed-{session.run_id}: [Errno 1] Operation not permitted" in capsys.readouterr().err
    assert stage.failed == []


async def test_what_no_session_wants_and_cannot_be_removed_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (stage.directory / "state" / "runs" / "20260101-000000-00000000").mkdir(parents=True)

    def refuse(path: Path, aside: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    await stage.sessions.adopt()
    said = ""

    def told() -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return "run 20260101-000000-00000000: can't remove what it leaves behind: [Errno 30]" in said

    await stage.until(told)
    assert "it is tried again at the next start" in said
    assert stage.failed == []


async def test_processes_that_cannot_be_ended_are_told_to_people_and_looked_for_seldom(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[str] = []

    async def stuck(run_dir: Path) -> int:
        waits.append(run_dir.name)
        raise TimeoutError("processes of the run can't be ended, even by SIGKILL: 7")

    session = await stage.start()
    monkeypatch.setattr("daemon.runs.run.sweep", stuck)
    (run,) = stage.sessions._runs.values()
    assert run.processes is not None
    os.kill(run.processes.pid, signal.SIGKILL)
    await stage.until(stage.sessions.warnings)
    assert stage.sessions.warnings() == ["processes of the run can't be ended, even by SIGKILL: 7"]
    await asyncio.sleep(1.5)
    assert len(waits) == 1
    assert "even by SIGKILL" in capsys.readouterr().err
    monkeypatch.undo()
    assert (await stage.sessions.show(session.id)).status is SessionStatus.RUNNING


async def test_a_run_that_never_began_and_cannot_be_cleared_does_not_keep_the_worker_from_its_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(run_dir: Path) -> int:
        raise TimeoutError(f"processes of run {run_dir.name} can't be ended, even by SIGKILL: 7")

    id_, task = await starting(stage)
    task.cancel()
    session = await stage.sessions.show(id_)
    directory = stage.directory / "state" / "runs" / (session.run_id or "")
    directory.mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr("daemon.runs.run.sweep", stuck)
        async with asyncio.timeout(10):
            await stage.sessions.adopt()
        assert (await stage.sessions.show(id_)).status is SessionStatus.INTERRUPTED
        await stage.until(stage.sessions.warnings)
    assert stage.sessions.is_idle(1)
