"""What holds for all tests: property tests judge behaviour, never speed, and try the same examples each time.

`make fuzz` tries others, and more of them.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "claudeops", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fuzz", settings.get_profile("claudeops"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "claudeops"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many tests run beside each other: two for a processor, for half of their time they wait for processes.

    Unit tests wait for nothing, and each worker takes seconds to find them all.
    """
    processors = len(os.sched_getaffinity(0))
    return max(2, min(8, processors if _units_alone(config) else 2 * processors))


def _units_alone(config: pytest.Config) -> bool:
    return all("unit" in Path(asked.partition("::")[0]).parts for asked in config.args)


def pytest_configure(config: pytest.Config) -> None:
    """The library that makes requests from the API's document takes a third of a second to import in each process."""
    if not _units_alone(config):
        config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


# Whoever starts the tests in the background has SIGINT ignored, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are in no test's name: what is compressed holds the second it was made in, and each worker makes its own.

    Workers that name one test differently run none of them.
    """
    return argname if isinstance(val, bytes) else None


# The slowest first, dealt to all workers, so that at the end none is left alone with them.
SLOWEST_FIRST = ("acceptance", "evaluations", "browser", "integration", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with an equal piece of the list: files are put so that each piece begins with slow ones."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    pieces: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, path in enumerate(sorted(files, key=_slowness)):
        piece = min(pieces, key=len) if "unit" in path.parts else pieces[number % workers]
        piece += files[path]
    items[:] = [item for piece in pieces for item in piece]


def _slowness(path: Path) -> tuple[int, str]:
    return min((SLOWEST_FIRST.index(part) for part in path.parts if part in SLOWEST_FIRST), default=0), str(path)
