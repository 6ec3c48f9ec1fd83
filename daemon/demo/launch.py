"""Starts the demo: starts the stage, builds an environment from nothing, and becomes the daemon.

Called by `python -m daemon.demo`. Whoever runs it may have real credentials in the environment: none is read, none is
passed on. Only what CALLER_MAY_SET lists is taken over.
"""

import fcntl
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from daemon.demo.place import SERVICES_FILE, prepare
from daemon.demo.script import FILES
from daemon.demo.stage import KEY, Address
from schema.settings import Settings

STARTS_WITHIN_S = 30.0
SCHEMA = Path(__file__).parent.parent / "prompts" / "agent-response.json"
CALLER_MAY_SET = (
    "PATH",
    "TERM",
    "TZ",
    "CLAUDEOPS_DASHBOARD_HOST",
    "CLAUDEOPS_DASHBOARD_PORT",
    "CLAUDEOPS_INTERVAL",
    "CLAUDEOPS_RUNTIME_DIR",
)
DEFAULTS = {"CLAUDEOPS_DASHBOARD_HOST": "127.0.0.1", "CLAUDEOPS_DASHBOARD_PORT": "8080", "CLAUDEOPS_INTERVAL": "60"}
HOLD_S = 5
"""So short that the card of a call that waits for a person is soon seen with its session put aside."""


class StageError(Exception):
    """The demo can't start; the sentence says what to do, `exit_code` is the daemon's for the same trouble."""

    def __init__(self, sentence: str, exit_code: int = 78) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def environment(caller: Mapping[str, str], state: Path, claude: str, stage: Address) -> dict[str, str]:
    """The daemon's whole environment in the demo. `state` is an absolute path."""
    taken = {name: caller[name] for name in CALLER_MAY_SET if caller.get(name)}
    prompts = state / "app" / "prompts"
    return {
        "CLAUDEOPS_RUNTIME_DIR": str(state / "run"),
        **DEFAULTS,
        **taken,
        # The stand-in for docker comes before any real one.
        "PATH": f"{state / 'bin'}{os.pathsep}{taken.get('PATH', os.defpath)}",
        "HOME": str(state / "home"),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": stage.api_url,
        "CLAUDEOPS_DEMO": "true",
        "CLAUDEOPS_CLAUDE_BIN": claude,
        "CLAUDEOPS_STATE_DIR": str(state),
        "CLAUDEOPS_RESULTS_DIR": str(state / "results"),
        "CLAUDEOPS_REPOS_DIR": str(state / "repos"),
        "CLAUDEOPS_SERVICES_FILE": str(state / SERVICES_FILE),
        "CLAUDEOPS_APP_DIR": str(state / "app"),
        "CLAUDEOPS_PROMPT": str(prompts / FILES[1]),
        "CLAUDEOPS_TIER2_PROMPT": str(prompts / FILES[2]),
        "CLAUDEOPS_TIER3_PROMPT": str(prompts / FILES[3]),
        "CLAUDEOPS_APPROVAL_HOLD": str(HOLD_S),
        # Sessions ask the daemon what waits for a person.
        "CLAUDEOPS_SESSION_ENV": f"{Settings().session_env},CLAUDEOPS_RUNTIME_DIR",
        "CLAUDEOPS_SCHEMA_PATH": str(SCHEMA),
        "CLAUDEOPS_MCP_CONFIG": str(state / "app" / ".claude" / "mcp.json"),
    }


def refuse_second(runtime: Path) -> None:
    """Raises StageError when a daemon holds the lock: its sessions would get a prompt that names other services."""
    try:
        with (runtime / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return
    except BlockingIOError as error:
        raise StageError(f"A daemon runs already with its sockets in {runtime}. Stop it first.", 75) from error


def start_stage(tempo: float) -> tuple[subprocess.Popen[bytes], Address]:
    """Starts the stage and waits until it listens. Returns it and where it listens; raises StageError."""
    reading, writing = os.pipe()
    argv = [sys.executable, "-m", "daemon.demo.stage", "--announce-fd", str(writing)]
    argv += ["--parent", str(os.getpid()), "--tempo", str(tempo)]
    stage = subprocess.Popen(
        argv,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        pass_fds=[writing],
        start_new_session=True,  # Ctrl-C is the daemon's: the stage stays until the daemon has ended its sessions
    )
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], STARTS_WITHIN_S)
    line = os.read(reading, 65536) if ready else b""
    os.close(reading)
    if not line:
        stage.kill()
        stage.wait()
        raise StageError("The demo's stage did not start; its error stands above. Run it again.")
    return stage, Address.read(line)


def become_daemon(state: Path, claude: str, tempo: float = 1.0) -> NoReturn:
    """Does all of it; returns only by raising."""
    found = shutil.which(claude)
    if found is None:
        raise StageError(f"There is no claude CLI at {claude}. Install the pinned one with: make cli")
    refuse_second(Path(os.environ.get("CLAUDEOPS_RUNTIME_DIR") or state / "run"))
    _process, stage = start_stage(tempo)
    prepare(state, stage.services, stage.engine_url)
    os.execve(  # the same process, so that signals and the terminal are the daemon's
        sys.executable,
        [sys.executable, "-m", "daemon"],
        environment(os.environ, state, str(Path(found).absolute()), stage),
    )
