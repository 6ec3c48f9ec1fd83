from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.runs.redaction import Redactor
from daemon.runs.shim import output as output_module
from daemon.runs.shim.logfile import LogFile
from daemon.runs.shim.output import Output, stamp_ns

STAMP = b"2026-01-31T08:05:00.000000007Z"
NOW_NS = 1_769_846_700_000_000_007
UNLIMITED = 1 << 60


class Bench:
    """An Output on a file of its own, with clocks that stand still until told otherwise."""

    def __init__(self, path: Path, secrets: list[tuple[str, str]], max_bytes: int) -> None:
        self.path = path
        self.now = 100.0
        self.log = LogFile(str(path), clock=lambda: self.now)
        self.output = Output(self.log, Redactor(secrets), max_bytes, clock=lambda: self.now, wall_ns=lambda: NOW_NS)

    def out(self, chunk: bytes) -> None:
        self.output.feed(self.output.stdout, chunk)

    def err(self, chunk: bytes) -> None:
        self.output.feed(self.output.stderr, chunk)

    def text(self) -> bytes:
        return self.path.read_bytes()

    def lines(self) -> list[bytes]:
        """The lines after their stamps; each must have one."""
        text = self.text()
        assert text == b"" or text.endswith(b"\n")
        assert self.log.lines == text.count(b"\n")
        lines = []
        for line in text.split(b"\n")[:-1]:
            stamp, _, rest = line.partition(b"\t")
            assert stamp == STAMP
            lines.append(rest)
        return lines


Maker = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path: Path) -> Maker:
    def make(secrets: list[tuple[str, str]] | None = None, max_bytes: int = UNLIMITED) -> Bench:
        return Bench(tmp_path / f"log-{len(list(tmp_path.iterdir()))}", secrets or [], max_bytes)

    return make


def test_a_stamp_is_rfc_3339_with_nanoseconds() -> None:
    assert stamp_ns(NOW_NS) == STAMP


def test_each_line_gets_a_stamp_and_stderr_its_tag(bench: Maker) -> None:
    here = bench()
    here.out(b"one\ntwo\n")
    here.err(b"three\n")
    here.output.remark("four")
    assert here.lines() == [b"one", b"two", b"[stderr] three", b"[run] four"]


def test_bytes_stay_as_they_are(bench: Maker) -> None:
    here = bench()
    here.out(b"\xff\xfe\x00 \x1b[31m\r\x0b\x0c \xe2\x80\xa8\n\n")
    assert here.lines() == [b"\xff\xfe\x00 \x1b[31m\r\x0b\x0c \xe2\x80\xa8", b""]


def test_an_unfinished_line_is_kept_back_and_ends_with_a_newline(bench: Maker) -> None:
    here = bench()
    here.out(b"half")
    assert here.text() == b""
    here.err(b"in between\n")
    here.out(b" and half, no end")
    here.output.end(here.output.stdout)
    assert here.lines() == [b"[stderr] in between", b"half and half, no end"]


def test_a_line_without_end_is_written_in_pieces_as_one_line(bench: Maker) -> None:
    here = bench()
    piece = b"x" * 200_000
    for _ in range(50):
        here.out(piece)
        assert len(here.output.stdout.pending) <= output_module.LINE_HELD
    here.out(b"\nnext\n")
    assert here.lines() == [piece * 50, b"next"]


def test_the_other_stream_waits_for_the_end_of_a_long_line(bench: Maker) -> None:
    here = bench()
    here.out(b"x" * 300_000)
    here.err(b"problem\n")
    here.output.remark("remark")
    assert here.output.waiting()
    here.out(b"y\nafter\n")
    assert not here.output.waiting()
    assert here.lines() == [b"x" * 300_000 + b"y", b"after", b"[run] remark", b"[stderr] problem"]


def test_a_long_line_that_never_ends_is_broken_off_for_the_other_stream(bench: Maker) -> None:
    here = bench()
    here.out(b"x" * 300_000)
    here.err(b"problem\n")
    here.output.tick()
    assert here.output.waiting()
    here.now += output_module.HOLD_S
    here.output.tick()
    here.out(b"y\n")
    assert here.lines() == [
        b"x" * 300_000,
        b"[run] an unfinished line of stdout was broken off here, and goes on below",
        b"[stderr] problem",
        b"y",
    ]


def test_a_stream_that_waits_is_not_read_without_bound(bench: Maker) -> None:
    here = bench()
    here.out(b"x" * 300_000)
    here.err(b"e\n" * 600_000)
    assert not here.output.wants(here.output.stderr)
    assert here.output.wants(here.output.stdout)
    here.output.tick()
    assert here.output.wants(here.output.stderr)


def test_the_quota_keeps_whole_lines_and_counts_the_rest(bench: Maker) -> None:
    here = bench(max_bytes=100)
    here.out(b"first\n" + b"second\n" + b"third\n" * 10 + b"part")
    assert here.output.over
    here.out(b"more\n")
    here.err(b"and more\n")
    here.output.end(here.output.stdout)
    here.output.close("the end")
    kept = here.lines()
    assert kept == [b"first", b"second", b"[run] the end"]
    assert here.output.cut == len(b"third\n" * 10 + b"part" + b"more\n" + b"and more\n")


@pytest.mark.parametrize("held", [0, 300_000])
def test_the_quota_cuts_a_line_that_is_longer_than_itself(bench: Maker, held: int) -> None:
    here = bench(max_bytes=400_000)
    if held:
        here.out(b"x" * held)
    here.out(b"x" * (500_000 - held) + b"\n")
    here.output.close()
    assert here.output.over
    (line,) = here.lines()
    assert set(line) == {ord("x")}
    assert len(here.text()) == 400_001
    assert here.output.cut == 500_001 - len(line)


def test_a_quota_below_one_stamp_leaves_no_torn_stamp(bench: Maker) -> None:
    here = bench(max_bytes=10)
    here.out(b"line\n")
    here.output.close("limit")
    assert here.lines() == [b"[run] limit"]
    assert here.output.cut == 5


def test_remarks_are_redacted_and_stay_on_one_line(bench: Maker) -> None:
    here = bench([("KEY", "hunter2hunter2")])
    here.output.remark("cannot start hunter2hunter2\nnow")
    assert here.lines() == [b"[run] cannot start [REDACTED:KEY] now"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    parts=st.lists(st.sampled_from([b"s3cr3t-value", b"s3cr3t", b"-value", b"\n", b"text ", b"\x00\xff"]), max_size=40),
    cuts=st.lists(st.integers(0, 300), max_size=12),
)
def test_no_way_of_cutting_output_lets_a_secret_through(
    bench: Maker, monkeypatch: pytest.MonkeyPatch, parts: list[bytes], cuts: list[int]
) -> None:
    monkeypatch.setattr(output_module, "LINE_HELD", 16)
    data = b"".join(parts)
    here = bench([("KEY", "s3cr3t-value"), ("PART", "s3cr3t")])
    before = 0
    for cut in [*sorted(cuts), len(data)]:
        here.out(data[before:cut])
        before = max(before, cut)
    here.output.end(here.output.stdout)
    wanted = data.replace(b"s3cr3t-value", b"[REDACTED:KEY]").replace(b"s3cr3t", b"[REDACTED:PART]")
    expected = wanted.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert here.lines() == expected


class Disk:
    """Stands for os.write on a disk with little room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        import errno
        import os

        real = os.write
        self.room = room

        def write(fd: int, data: bytes) -> int:
            if self.room <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            count = real(fd, bytes(data)[: self.room])
            self.room -= count
            return count

        monkeypatch.setattr("daemon.runs.shim.logfile.os.write", write)


def test_what_a_full_disk_does_not_take_is_written_once_there_is_room(
    bench: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = bench()
    disk = Disk(monkeypatch, 20)
    here.out(b"one\ntwo\n")
    assert not here.output.wants(here.output.stdout)
    here.now += 3
    assert here.log.failing_for() == 3
    here.log.retry()
    disk.room = 1000
    here.log.retry()
    assert here.log.failing_for() == 0
    here.out(b"three\n")
    assert here.lines() == [b"one", b"two", b"three"]
    assert here.log.lost == 0
    assert here.log.lines == 3
    assert here.log.size == len(here.text())


def test_what_is_given_up_is_counted_and_the_last_remark_still_tried(
    bench: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = bench()
    disk = Disk(monkeypatch, 33)
    here.out(b"one two three\n")
    here.log.give_up()
    here.out(b"four\n")
    disk.room = 1000
    here.output.close("something is lost")
    torn, last = here.text().split(b"\n")[:2]
    assert torn == STAMP + b"\ton"
    assert last == STAMP + b"\t[run] something is lost"
    assert here.log.lost == len(b"e two three\n") + len(STAMP + b"\tfour\n")
