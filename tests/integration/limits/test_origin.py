"""Whether a request comes from inside a session, told by the processes above it: with real shims."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.limits.origin import BY_PEOPLE, keeps_its_user, people_only, refuse_session, run_of
from ipc.errors import CallError, Code
from ipc.messages.access import SetPassword, TokenUsed
from ipc.messages.envelope import Done, Request
from ipc.messages.limits import Decide, ListApprovals
from ipc.messages.tables import REQUESTS
from ipc.messages.users import SetUp, SignIn, SignInFailed, SignInSeen, SignOut
from ipc.server import Call, Peer
from tests.integration.runs.place import Place

# Runs away from its parent, into a session of its own, and writes down its pid.
AWAY = """
import os, sys, time
if os.fork(): time.sleep(60)
os.setsid()
if os.fork(): os._exit(0)
with open(sys.argv[1] + ".new", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""
PRETENDS = "from setproctitle import setproctitle; setproctitle('claudeops: run another')\n" + AWAY


def call(pid: int) -> Call:
    return Call("id", Peer(os.getuid(), os.getgid(), pid), 0.0, "")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path)
    yield here
    for run in here.started:
        run.kill(by="the test's end")
        await here.end(run)
        run.close()


async def pid_in(path: Path) -> int:
    for _ in range(500):
        if path.exists():
            return int(path.read_text())
        await asyncio.sleep(0.02)
    raise AssertionError("it did not start")


@pytest.mark.parametrize("program", [AWAY, PRETENDS], ids=["away", "pretends"])
async def test_a_process_of_a_session_is_known_however_far_it_runs(place: Place, tmp_path: Path, program: str) -> None:
    run = await place.start(sys.executable, "-c", program, str(tmp_path / "pid"))
    inside = await pid_in(tmp_path / "pid")
    assert run_of(inside) == run.run_id
    with pytest.raises(CallError) as refused:
        refuse_session(call(inside))
    assert (refused.value.code, refused.value.data) == (Code.FORBIDDEN, {"run_id": run.run_id})


def test_a_person_is_no_session() -> None:
    assert run_of(os.getpid()) is None
    refuse_session(call(os.getpid()))


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 7])
def test_whoever_can_not_be_seen_is_refused(pid: int) -> None:
    with pytest.raises(CallError) as refused:
        refuse_session(call(pid))
    assert refused.value.code is Code.FORBIDDEN


async def test_requests_by_people_are_refused_to_sessions_and_others_are_not(place: Place, tmp_path: Path) -> None:
    async def answer(call: Call, request: Request) -> Done:
        return Done()

    table = people_only({Decide: answer, ListApprovals: answer})
    await place.start(sys.executable, "-c", AWAY, str(tmp_path / "pid"))
    inside = await pid_in(tmp_path / "pid")
    assert await table[ListApprovals](call(inside), ListApprovals()) == Done()
    assert await table[Decide](call(os.getpid()), Decide(id=1, approve=True)) == Done()
    with pytest.raises(CallError, match="a person has to"):
        await table[Decide](call(inside), Decide(id=1, approve=True))


def test_a_session_can_end_no_sign_in_and_slow_nobody_down() -> None:
    assert {SignIn, SignInFailed, SignInSeen, SignOut, SetUp, SetPassword, TokenUsed} <= set(BY_PEOPLE)


def test_every_request_that_stores_a_change_is_one_of_people_or_named_here() -> None:
    """A request that is added has to be thought about."""
    changing = {kind for kind in REQUESTS.values() if kind.changes}
    assert changing - set(BY_PEOPLE) == set()


UNIT = b"Name:\tpython\nUid:\t997\t997\t997\t997\nCapPrm:\t0000000000000000\nNoNewPrivs:\t1\n"


@pytest.mark.parametrize(
    ("status", "keeps"),
    [
        (UNIT, True),
        (UNIT.replace(b"NoNewPrivs:\t1", b"NoNewPrivs:\t0"), False),
        (UNIT.replace(b"997\t997\t997\t997", b"0\t0\t0\t0"), False),
        (UNIT.replace(b"997\t997\t997\t997", b"997\t997\t0\t997"), False),
        (UNIT.replace(b"0000000000000000", b"0000000000000080"), False),
        (b"", False),
    ],
)
def test_only_where_no_session_can_become_another_user_is_one_who_can_not_be_seen_a_person(
    status: bytes, keeps: bool
) -> None:
    assert keeps_its_user(status) is keeps
