"""Hostile and plentiful output: kept, whole, in order, in bounded memory; secrets never reach the disk."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path

import msgspec

from daemon.runs.follow import follow
from daemon.runs.run import Run
from daemon.runs.spec import Secret
from daemon.runs.states import EndReason
from tests.integration.runs.place import Place


async def test_bursts_of_four_runs_at_once_lose_no_line(place: Place) -> None:
    def burst() -> Coroutine[None, None, Run]:
        return place.start("python3", str(place.fakes / "command_lines.py"), "50000", "120")

    runs = await asyncio.gather(*(burst() for _ in range(4)))
    for run in runs:
        assert (await place.end(run)).lines == 50_000
        assert [int(text[:9]) for text in place.text(run)] == list(range(50_000))


async def test_bytes_of_any_kind_are_kept(place: Place) -> None:
    hostile = [b"\xff\xfe\xc3", b"a\x00b", b"\x1b[31mred\x1b[0m", b"carriage\rreturn", b"data: x", b"event: done", b""]
    run = await place.python(
        "import os, sys; os.write(1, bytes.fromhex(sys.argv[1]))", b"\n".join([*hostile, b"tail"]).hex()
    )
    record = await place.end(run)
    assert place.text(run) == [*hostile, b"tail"]
    assert record.lines == len(hostile) + 1


async def test_a_line_of_10_mib_is_one_line_in_the_log(place: Place) -> None:
    run = await place.python("import sys; sys.stdout.write('first\\n' + 'x' * (10 << 20) + '\\nlast\\n')")
    record = await place.end(run)
    lines = Path(run.log_path).read_bytes().split(b"\n")
    assert [len(line.split(b"\t", 1)[1]) for line in lines[:-1]] == [5, 10 << 20, 4]
    assert record.lines == 3


async def test_a_line_without_end_needs_bounded_memory(place: Place) -> None:
    run = await place.python(
        "import sys, time; sys.stdout.write('x' * (100 << 20)); sys.stdout.flush();"
        "sys.stderr.write('written\\n'); time.sleep(1000)"
    )
    await place.until(run, b"[stderr] written")
    status = Path(f"/proc/{place.shim(run).pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < 32 * 1024
    assert place.text(run, "run") == [b"an unfinished line of stdout was broken off here, and goes on below"]


async def test_a_secret_is_redacted_wherever_writes_and_reads_cut_it(place: Place) -> None:
    secret = "s3cr3t/value+with=signs"
    program = """
import os, sys, time
secret = os.environ["KEY"]
for cut in range(len(secret)):
    os.write(1, b"split " + secret[:cut].encode())
    time.sleep(0.005)
    os.write(1, secret[cut:].encode() + b" end\\n")
for fill in range(262144 - 40, 262144 + 40):
    os.write(1, b"x" * fill + secret.encode() + b"y" * 300000 + b"\\n")
os.write(2, b"on stderr " + secret.encode())
"""
    run = await place.python(
        program, env={"KEY": secret, "PATH": "/usr/bin:/bin"}, secrets=(Secret("KEY", secret), Secret("OTHER", "none"))
    )
    await place.end(run)
    text = Path(run.log_path).read_bytes()
    assert text.count(b"[REDACTED:KEY]") == len(secret) + 80 + 1
    assert secret.encode() not in text
    for piece in (secret[:8], secret[-8:]):
        assert piece.encode() not in text


async def test_standard_output_and_error_never_share_a_line(place: Place) -> None:
    program = """
import os
for number in range(2000):
    os.write(1, b"out-"); os.write(2, b"err-")
    os.write(1, b"%d\\n" % number); os.write(2, b"%d\\n" % number)
"""
    run = await place.python(program)
    await place.end(run)
    assert place.text(run) == [b"out-%d" % number for number in range(2000)]
    assert place.text(run, "stderr") == [b"err-%d" % number for number in range(2000)]


async def test_a_command_that_fills_stderr_within_a_long_line_is_not_blocked(place: Place) -> None:
    program = """
import os
def put(fd, data):
    while data:
        data = data[os.write(fd, data):]
put(1, b"x" * 500_000)
put(2, b"e" * 99 + b"\\n" + (b"f" * 99 + b"\\n") * 50_000)
put(1, b"y\\n")
"""
    run = await place.python(program)
    record = await place.end(run)
    assert record.succeeded
    assert len(place.text(run, "stderr")) == 50_001
    assert b"".join(place.text(run)) == b"x" * 500_000 + b"y"


async def test_output_over_the_quota_is_cut_with_a_mark(place: Place) -> None:
    run = await place.start("yes", "0123456789", max_bytes=100_000)
    record = await place.end(run)
    assert record.reason is EndReason.QUOTA
    assert record.cut_bytes > 0
    remarks = place.text(run, "run")
    assert remarks[0].startswith(b"log limit of 100000 bytes reached")
    assert remarks[-1] == b"log limit reached, %d bytes cut" % record.cut_bytes
    assert set(place.text(run)) == {b"0123456789"}
    assert os.path.getsize(run.log_path) < 101_000


async def test_the_bytes_in_the_log_and_the_cut_ones_make_up_all_output(place: Place) -> None:
    program = 'trap "" INT TERM; exec python3 "$1" 5000 100'
    lines = str(place.fakes / "command_lines.py")
    run = await place.sh(program, lines, max_bytes=200_000, grace_int_s=10.0)
    record = await place.end(run)
    assert (record.reason, record.exit_code) == (EndReason.QUOTA, 0)
    kept = sum(len(text) + 1 for text in place.text(run))
    assert kept + record.cut_bytes == 500_000


async def test_following_gives_each_line_once_from_any_offset(place: Place) -> None:
    run = await place.start("python3", str(place.fakes / "command_lines.py"), "100000", "120")
    texts, offsets = [], [0]
    async for chunk in follow(run.run_dir, run.log_path):
        texts += [line.data for line in chunk.lines]
        offsets.append(chunk.next_offset)
    whole = Path(run.log_path).read_bytes()
    assert b"\n".join(texts) + b"\n" == whole
    middle = offsets[len(offsets) // 2]
    again = b"".join([line.data + b"\n" async for c in follow(run.run_dir, run.log_path, middle) for line in c.lines])
    assert again == whole[middle:]


async def test_following_shows_a_line_while_the_command_runs(place: Place) -> None:
    run = await place.sh("echo first; sleep 1000")
    follower = follow(run.run_dir, run.log_path)
    chunk = await asyncio.wait_for(anext(follower), 5)
    assert chunk.lines[0].data.endswith(b"\tfirst")
    await follower.aclose()


async def test_following_a_run_that_started_nothing_ends(place: Place) -> None:
    run = await place.start("true", log_path="/nonexistent/place/log")
    await place.end(run)
    assert [msgspec.structs.astuple(chunk) async for chunk in follow(run.run_dir, run.log_path)] == []
