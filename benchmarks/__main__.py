"""Runs every benchmark, compares it with its bar, and writes docs/performance.md. Called by `make bench`.

Names on the command line run only those, and write nothing.
"""

import asyncio
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import (
    big_pages,
    ctl_cold_start,
    idle,
    probing,
    reading,
    service_pages,
    service_storage,
    session_list,
    shim_throughput,
    sse,
    web_restart,
)

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
Figures = dict[str, float]


class Bar(NamedTuple):
    """What a figure must be at least, or at most."""

    what: str
    figure: str
    limit: float
    least: bool
    unit: str = ""

    def met(self, figures: Figures) -> bool:
        """Whether it is."""
        value = figures[self.figure]
        return value >= self.limit if self.least else value <= self.limit


class Benchmark(NamedTuple):
    """One measurement and its bars."""

    name: str
    measure: Callable[[], Figures]
    bars: tuple[Bar, ...]
    note: str = ""  # what the figures need to be understood


def _asynchronous(measure: Callable[[], Any]) -> Callable[[], Figures]:
    return lambda: asyncio.run(measure())


BENCHMARKS = (
    Benchmark("shim_throughput", shim_throughput.measure, (
        Bar("lines of 120 B from a command to its log", "shim_lines_per_s", 300_000, least=True, unit="/s"),
        Bar("the same against `command > file`", "ratio", 0.25, least=True, unit="×"),
    ), shim_throughput.NOTE),
    Benchmark("reading", reading.measure, (
        Bar("transcript lines parsed and stored by the worker", "lines_per_s", 20_000, least=True, unit="/s"),
    )),
    Benchmark("sse.latency", _asynchronous(sse.latency), (
        Bar("line written → read by 100 clients at 100 lines/s, p99", "p99_ms", 50, least=False, unit=" ms"),
    )),
    Benchmark("sse.throughput", _asynchronous(sse.throughput), (
        Bar("events to 100 clients against `aiohttp_sse.send`", "ratio", 10, least=True, unit="×"),
    )),
    Benchmark("sse.stalled", _asynchronous(sse.stalled), (
        Bar("what a fast client loses beside 20 stalled ones", "lost_percent", 5, least=False, unit=" %"),
        Bar("what the web process grows by meanwhile", "grown_mib", 5, least=False, unit=" MiB"),
    )),
    Benchmark("web_restart", web_restart.measure, (
        Bar("`kill -9` of web → first byte of the resumed stream, median", "median_ms", 300, least=False, unit=" ms"),
        Bar("connections refused meanwhile", "refused", 0, least=False),
    )),
    Benchmark("ctl_cold_start", ctl_cold_start.measure, (
        Bar("`claudeopsctl status` against `python -c 'import zmq'`", "ratio", 2.5, least=False, unit="×"),
    )),
    Benchmark("idle", idle.measure, (
        Bar("memory of the idle daemon (PSS of three processes)", "total_pss_mib", 75, least=False, unit=" MiB"),
        Bar("processor time of the idle daemon", "total_cpu_percent", 0.5, least=False, unit=" % of a core"),
    )),
    Benchmark("session_list", session_list.measure, (
        Bar("list of sessions with 100,000 rows, slowest page", "worst_ms", 20, least=False, unit=" ms"),
    )),
    Benchmark("big_pages", big_pages.measure, (
        Bar("every page over 1,000,000 events and checks and 100,000 sessions, slowest", "worst_ms", big_pages.BAR_MS,
            least=False, unit=" ms"),
        Bar("the overview with its styles and scripts, compressed", "overview_kb", 60, least=False, unit=" kB"),
    )),
    Benchmark("probing.cost", probing.cost, (
        Bar("processor time of an HTTP check, stored and summed up, every 10 s for 1,000 services", "check_ms", 1.0,
            least=False, unit=" ms"),
        Bar("the same against aiohttp alone", "against_floor", 3.5, least=False, unit="×"),
        Bar("the same against SimpleMonitor", "against_simplemonitor", 1.0, least=False, unit="×"),
        Bar("the same against what is published of Uptime Kuma", "against_uptime_kuma", 1.0, least=False, unit="×"),
    ), probing.COST_NOTE),
    Benchmark("probing.late", probing.late, (
        Bar("lateness at the target, 1,000 services every 10 s, 5 % of them hanging, p99", "p99_ms", 250, least=False,
            unit=" ms"),
        Bar("until each of them was asked once", "first_round_intervals", 1.0, least=False, unit=" intervals"),
    ), probing.HANGING_NOTE),
    Benchmark("probing.many", probing.many, (
        Bar("10,000 services every 60 s: checks made of those that are due", "sustained", 0.99, least=True, unit="×"),
        Bar("their lateness at the target, p99", "p99_ms", 1000, least=False, unit=" ms"),
        Bar("memory of the worker meanwhile", "worker_mib", 300, least=False, unit=" MiB"),
        Bar("a session's line written → read meanwhile, p99, beyond what it is without services", "output_added_ms",
            50, least=False, unit=" ms"),
    ), probing.LATENESS_NOTE),
    Benchmark("service_storage", service_storage.measure, (
        Bar("a raw result", "result_bytes", 120, least=False, unit=" B"),
        Bar("a service and year, with what is kept by default", "year_mb", 6, least=False, unit=" MB"),
    ), service_storage.NOTE),
    Benchmark("service_pages", service_pages.measure, (
        Bar("list of 1,000 services with 100 findings each, slowest address", "worst_ms", 150, least=False, unit=" ms"),
        Bar("the same, before compression", "heaviest_kb", 500, least=False, unit=" kB"),
        Bar("a row's update by SSE", "row_bytes", 3000, least=False, unit=" B"),
    )),
)  # fmt: skip


def shown(value: float) -> str:
    """A figure as people read it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}".rstrip("0").rstrip(".")


def page(results: list[tuple[Benchmark, Figures]]) -> str:
    """docs/performance.md."""
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; each row can be run alone: `python -m benchmarks NAME`. Machines differ, so look at",
        "the ratios, which compare with a floor or a peer in the same run, rather than at absolute figures.",
        "",
        f"This run: {os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}.",
        "",
        "| what | measured | bar | name |",
        "|---|---|---|---|",
    ]
    for benchmark, figures in results:
        for bar in benchmark.bars:
            limit = f"{'≥' if bar.least else '≤'} {shown(bar.limit)}{bar.unit}"
            missed = "" if bar.met(figures) else " (missed)"
            value = f"{shown(figures[bar.figure])}{bar.unit}"
            lines.append(f"| {bar.what} | {value}{missed} | {limit} | {benchmark.name} |")
    lines += ["", "All figures of this run:", ""]
    for benchmark, figures in results:
        told = ", ".join(f"{name} {shown(value)}" for name, value in figures.items())
        lines.append(f"- **{benchmark.name}**: {told}{f'. {benchmark.note}' if benchmark.note else ''}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs them; 1 if a bar is missed."""
    wanted = sys.argv[1:]
    unknown = set(wanted) - {benchmark.name for benchmark in BENCHMARKS}
    if unknown:
        names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {names}", file=sys.stderr)
        return 2
    results, missed = [], 0
    for benchmark in BENCHMARKS:
        if wanted and benchmark.name not in wanted:
            continue
        figures = benchmark.measure()
        results.append((benchmark, figures))
        for bar in benchmark.bars:
            met = bar.met(figures)
            missed += not met
            sign = ">=" if bar.least else "<="
            word = "ok    " if met else "MISSED"
            print(f"{word} {bar.what}: {shown(figures[bar.figure])}{bar.unit} ({sign} {shown(bar.limit)})", flush=True)
    if not wanted:
        PAGE.write_text(page(results), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
