#!/usr/bin/env bash
# Runs the daemon in the foreground, called by `make run`: without an argument in demo, with one (LIVE=1) for real.
set -euo pipefail
cd "$(dirname "$0")/.."
kept=$PWD/.claudeops
python=$PWD/.venv/bin/python
export CLAUDEOPS_CLAUDE_BIN="${CLAUDEOPS_CLAUDE_BIN:-$kept/cli/node_modules/.bin/claude}"

case "${1:-}" in
'' | 0 | no | false) exec "$python" -m daemon.demo ;;
esac

if [ -z "${ANTHROPIC_API_KEY:-}${ANTHROPIC_API_KEY_FILE:-}${ANTHROPIC_AUTH_TOKEN:-}${ANTHROPIC_AUTH_TOKEN_FILE:-}${CLAUDE_CODE_OAUTH_TOKEN:-}${CLAUDE_CODE_OAUTH_TOKEN_FILE:-}${CLAUDEOPS_ENV_FILE:-}" ]; then
    echo "Real sessions need a credential: set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN (or ..._FILE, a file that holds it), then run: make run LIVE=1" >&2
    exit 78
fi
export CLAUDEOPS_STATE_DIR="${CLAUDEOPS_STATE_DIR:-$kept/live}"
export CLAUDEOPS_RESULTS_DIR="${CLAUDEOPS_RESULTS_DIR:-$CLAUDEOPS_STATE_DIR/results}"
export CLAUDEOPS_REPOS_DIR="${CLAUDEOPS_REPOS_DIR:-$CLAUDEOPS_STATE_DIR/repos}"
export CLAUDEOPS_DASHBOARD_HOST="${CLAUDEOPS_DASHBOARD_HOST:-127.0.0.1}"
mkdir -p "$CLAUDEOPS_STATE_DIR" "$CLAUDEOPS_RESULTS_DIR" "$CLAUDEOPS_REPOS_DIR"
if [ -z "${CLAUDEOPS_APP_DIR:-}" ]; then
    # Prompts, checks, playbooks and skills as a container has them; what somebody changed there stays.
    export CLAUDEOPS_APP_DIR="$CLAUDEOPS_STATE_DIR/app"
    "$python" -c 'import pathlib, sys; from daemon.repositories.shipped import fill; fill(pathlib.Path(sys.argv[1]))' "$CLAUDEOPS_APP_DIR"
    export CLAUDEOPS_PROMPT="${CLAUDEOPS_PROMPT:-$CLAUDEOPS_APP_DIR/prompts/tier1-observe.md}"
    export CLAUDEOPS_TIER2_PROMPT="${CLAUDEOPS_TIER2_PROMPT:-$CLAUDEOPS_APP_DIR/prompts/tier2-investigate.md}"
    export CLAUDEOPS_TIER3_PROMPT="${CLAUDEOPS_TIER3_PROMPT:-$CLAUDEOPS_APP_DIR/prompts/tier3-remediate.md}"
    export CLAUDEOPS_SCHEMA_PATH="${CLAUDEOPS_SCHEMA_PATH:-$CLAUDEOPS_APP_DIR/schemas/agent-response.json}"
fi
exec "$python" -m daemon
