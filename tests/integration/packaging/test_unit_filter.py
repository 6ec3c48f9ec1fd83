"""The system call filter of the unit leaves the daemon and the CLI what they need, and takes away what it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import machine

ROOT = Path(__file__).parents[3]
FILTERED = [sys.executable, str(ROOT / "tests" / "fakes" / "under_unit_filter.py")]
CLAUDE = ROOT / ".claudeops" / "cli" / "node_modules" / ".bin" / "claude"
# What aborts or fails without a call that it needs: libzmq's threads, a database, a process of a session of its own.
WORK = """
import asyncio, sys, zmq.asyncio, apsw
async def main():
    context = zmq.asyncio.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    router.bind(f"ipc://{sys.argv[1]}/s")
    dealer.connect(f"ipc://{sys.argv[1]}/s")
    await dealer.send(b"hello")
    assert (await router.recv_multipart())[1] == b"hello"
    child = await asyncio.create_subprocess_exec("true", start_new_session=True)
    assert await child.wait() == 0
    context.destroy(0)
asyncio.run(main())
database = apsw.Connection(f"{sys.argv[1]}/x.db")
database.pragma("journal_mode", "wal")
database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
print("all well")
"""


def under_filter(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    machine.need_program("systemd-analyze", "systemd")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        [*FILTERED, *command], env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=60
    )


def test_what_the_worker_is_made_of_works(tmp_path: Path) -> None:
    told = under_filter(sys.executable, "-c", WORK, str(tmp_path), home=tmp_path)
    assert (told.returncode, told.stdout) == (0, "all well\n"), told.stderr


def test_the_claude_cli_starts(tmp_path: Path) -> None:
    if not CLAUDE.exists():
        pytest.fail("the claude CLI is missing; install it with: make cli")
    told = under_filter(str(CLAUDE), "--version", home=tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("2.")


@pytest.mark.parametrize("code", ["os.chroot('/')", "os.setuid(os.getuid())", "os.chown('.', -1, -1)"])
def test_what_only_an_intruder_wants_is_refused(code: str, tmp_path: Path) -> None:
    told = under_filter(sys.executable, "-c", f"import os; {code}", home=tmp_path)
    assert told.returncode == 1
    assert "PermissionError" in told.stderr
