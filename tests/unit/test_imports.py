"""What worker and web carry while nothing happens: nothing heavy that few need, and nothing of each other's."""

import subprocess
import sys
from functools import cache

import pytest

PROCESSES = {
    "worker": "daemon.worker",
    "web": "webui.__main__, webui.server",
}
LATER = {
    "worker": ["aiohttp", "apprise", "cronsim", "ctypes", "yaml", "zoneinfo"],
    "web": ["argon2", "markdown_it", "nh3", "prometheus_client", "rich", "webui.api.openapi", "yaml", "zoneinfo"],
}


@cache
def loaded(process: str) -> frozenset[str]:
    program = f"import sys, {PROCESSES[process]}; print('\\n'.join(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return frozenset(found.stdout.split())


@pytest.mark.parametrize(("process", "name"), [(process, name) for process in LATER for name in LATER[process]])
def test_what_few_need_is_not_loaded_at_the_start(process: str, name: str) -> None:
    assert name not in loaded(process)


def test_the_daemon_is_never_loaded_by_web() -> None:
    assert not [name for name in loaded("web") if name.split(".")[0] == "daemon"]
