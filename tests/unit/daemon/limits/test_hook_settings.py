"""The settings file that makes the CLI ask our hook."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from daemon.limits.hook_settings import content

MILLISECONDS_MAX = 2**31 - 1


def hook_of(text: str) -> dict[str, object]:
    (entry,) = json.loads(text)["hooks"]["PreToolUse"]
    assert entry["matcher"] == "*"
    (hook,) = entry["hooks"]
    return dict(hook)


@pytest.mark.parametrize("hold", [0.0, 20.0, 300.0])
def test_the_hook_gives_up_before_the_cli_does_and_both_after_the_hold(hold: float) -> None:
    hook = hook_of(content(runtime_dir="/run/x", run_id="r-1", hold_s=hold))
    patience = float(shlex.split(str(hook["command"]))[-1])
    timeout = hook["timeout"]
    assert isinstance(timeout, int)
    assert hold + 30 < patience < timeout
    assert timeout * 1000 < MILLISECONDS_MAX


def test_the_hook_is_started_isolated_by_the_python_that_runs_the_daemon() -> None:
    hook = hook_of(content(runtime_dir="/run/a place", run_id="r-1", hold_s=20))
    words = shlex.split(str(hook["command"]))
    assert words[:4] == ["exec", sys.executable, "-I", "-S"]
    assert Path(words[6]).is_file()
    assert words[7:9] == ["/run/a place", "r-1"]
