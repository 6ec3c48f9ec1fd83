"""What an idle web process carries: nothing heavy that only some requests need, and nothing of the daemon."""

import subprocess
import sys

import pytest

LATER = ["argon2", "markdown_it", "nh3", "prometheus_client", "rich", "webui.api.openapi", "yaml"]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    program = "import sys, webui.__main__, webui.server; print('\\n'.join(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


@pytest.mark.parametrize("name", LATER)
def test_what_few_requests_need_is_not_loaded_at_the_start(loaded: set[str], name: str) -> None:
    assert name not in loaded


def test_the_daemon_is_never_loaded(loaded: set[str]) -> None:
    assert not [name for name in loaded if name.split(".")[0] == "daemon"]
