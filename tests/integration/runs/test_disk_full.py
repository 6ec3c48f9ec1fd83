"""A disk that fills up under a run. On a small file system of its own, so these need the right to mount one."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.runs import files
from daemon.runs.states import EndReason
from tests.fixtures import machine
from tests.integration.runs.place import Place


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 512 KiB."""
    with machine.small_disk(tmp_path / "disk", "512k") as disk:
        yield disk


LINES = """
import os
for number in range(20000):
    data = b"%06d %s\\n" % (number, b"x" * 92)
    while data:
        data = data[os.write(1, data):]
"""


async def test_a_disk_that_is_full_for_a_while_costs_nothing(small_disk: Path, place: Place) -> None:
    run = await place.python(LINES, log_path=str(small_disk / "log"))
    await asyncio.sleep(1.0)
    assert not (run.run_dir / files.EXIT).exists()
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    record = await place.end(run)
    assert record.succeeded
    assert record.cut_bytes == 0
    assert [int(text[:6]) for text in place.text(run)] == list(range(20000))


async def test_a_disk_that_stays_full_ends_the_run_and_is_recorded(small_disk: Path, place: Place) -> None:
    # Log and run directory on the same full disk: the exit record has its room reserved.
    place.runs_dir = small_disk / "runs"
    run = await place.start("yes", "0123456789", log_path=str(small_disk / "log"), disk_patience_s=1.0)
    record = await place.end(run)
    assert os.statvfs(small_disk).f_bavail < 4  # what the record did not need of its 16 KiB
    assert record.reason is EndReason.DISK_FULL
    assert record.error == "the log could not be written for 1 s: No space left on device"
    assert record.cut_bytes > 0
    assert record.bytes == os.path.getsize(run.log_path)


async def test_a_timeout_holds_while_the_disk_is_full(small_disk: Path, place: Place) -> None:
    run = await place.start("yes", log_path=str(small_disk / "log"), timeout_s=1.0, disk_patience_s=2.0)
    record = await place.end(run)
    assert record.reason is EndReason.TIMED_OUT
    assert record.cut_bytes > 0
    assert record.error is not None


async def test_a_disk_without_room_for_the_record_starts_nothing(small_disk: Path, place: Place) -> None:
    place.runs_dir = small_disk / "runs"
    mark = place.directory / "ran"
    spec = place.spec("touch", str(mark))
    (small_disk / "filler").write_bytes(b"x" * (512 * 1024 - 4 * 4096 - 4096))
    run = await place.start("touch", str(mark), run_id=spec.run_id, log_path=str(place.directory / "log"))
    (small_disk / "filler").unlink()
    record = await place.end(run)
    assert record.reason is EndReason.SPAWN_FAILED
    assert "No space left on device" in (record.error or "")
    assert not mark.exists()
