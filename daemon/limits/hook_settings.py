"""The settings file by which the claude CLI is told to ask our hook before every tool call.

Handed to the CLI by `--settings` together with `--setting-sources ''`, so that no other settings file counts. A hook
that does not answer leaves the call not allowed, because no tool that acts is in `--allowedTools`. Pure; written to
disk by `daemon.sessions.prepare`.
"""

import shlex
import sys
from pathlib import Path

import msgspec

from ipc import hook

HOOK = str(Path(hook.__file__).with_name("__main__.py"))
PATIENCE_SECONDS = 60.0  # beyond the hold: how long a worker may be away before the call counts as not allowed
MARGIN_SECONDS = 30.0  # the hook gives up first, and says why; the CLI's own limit only says that nothing was allowed


def content(*, runtime_dir: str, run_id: str, hold_s: float, patience_s: float = PATIENCE_SECONDS) -> str:
    """The file's JSON text. `hold_s` is CLAUDEOPS_APPROVAL_HOLD, at most 300 s.

    The CLI counts `timeout` in a 32-bit number of milliseconds: one of 25 days or more would end the hook at once.
    """
    patience = hold_s + patience_s
    words = [sys.executable, "-I", "-S", "-X", "utf8", HOOK, runtime_dir, run_id, f"{patience:g}"]
    hook_entry = {
        "type": "command",
        "command": "exec " + shlex.join(words),
        "timeout": int(patience + MARGIN_SECONDS),
    }
    settings = {
        "hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook_entry]}]},
        # Sessions that wait for a person resume from their transcript, days or weeks later.
        "cleanupPeriodDays": 365,
    }
    return msgspec.json.encode(settings).decode()
