"""`python -m daemon.demo`: the daemon with scripted words of the model. Called by packaging/run.sh for `make run`."""

import argparse
import os
import sys
from pathlib import Path

from daemon.demo.launch import StageError, become_daemon


def main() -> int:
    """Becomes the daemon; returns the exit code when that fails."""
    parser = argparse.ArgumentParser(prog="python -m daemon.demo", description="Claude Ops with a scripted model.")
    state = os.environ.get("CLAUDEOPS_STATE_DIR") or ".claudeops/demo"
    claude = os.environ.get("CLAUDEOPS_CLAUDE_BIN") or ".claudeops/cli/node_modules/.bin/claude"
    parser.add_argument("--state", default=state, help="directory of everything the demo keeps (%(default)s)")
    parser.add_argument("--claude", default=claude, help="the claude CLI (%(default)s)")
    parser.add_argument(
        "--tempo", type=float, default=1.0, help="how slowly the model speaks; 0: at once (%(default)s)"
    )
    given = parser.parse_args()
    try:
        become_daemon(Path(given.state).absolute(), given.claude, given.tempo)
    except StageError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
