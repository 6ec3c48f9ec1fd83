"""The supervisor stays small: it is there for as long as the host, and forks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
# What each of these costs is more than all that the supervisor does.
HEAVY = {"argparse", "asyncio", "dataclasses", "hashlib", "inspect", "logging", "multiprocessing", "msgspec", "shutil",
         "ssl", "subprocess", "tempfile", "threading", "tomllib", "traceback", "zmq", "apsw", "aiohttp",
         "jinja2"}  # fmt: skip


def test_it_is_the_standard_library_and_setproctitle_alone() -> None:
    """All of it, whatever it imports first when it is needed."""
    text = """
import pkgutil, sys
before = set(sys.modules)
import daemon.__main__, daemon.supervisor
for module in pkgutil.walk_packages(daemon.supervisor.__path__, "daemon.supervisor."):
    __import__(module.name)
print(*{name.split(".")[0] for name in set(sys.modules) - before})
"""
    found = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
    )
    loaded = set(found.stdout.split())
    assert {"daemon", "schema"} <= loaded
    assert loaded <= sys.stdlib_module_names | {"daemon", "ipc", "schema", "setproctitle"}


def test_nothing_heavy_is_imported_before_the_loop_runs() -> None:
    text = "import sys, daemon.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
    )
    loaded = set(found.stdout.split())
    assert "daemon" in loaded
    assert not loaded & HEAVY
