#!/usr/bin/env bash
# All tests, beside each other; called by `make test`. What failed is tried three times more, alone: on a loaded machine
# the time that a test waits for a process may run out. It is named either way, and what fails once more fails.
set -u
python=.venv/bin/python
MOST=5 # failures that may be the machine's

"$python" -m pytest
code=$?
[ "$code" -eq 1 ] || exit "$code"
failed=$("$python" -c 'import json; print(len(json.load(open(".pytest_cache/v/cache/lastfailed"))))')
if [ "$failed" -gt "$MOST" ]; then
    echo "$failed tests failed." >&2
    exit 1
fi
echo "$failed failed, as shown above, and are tried three times more, alone:" >&2
cp .pytest_cache/v/cache/lastfailed .pytest_cache/failed
for _ in 1 2 3; do
    # One that passes leaves the list of what failed.
    cp .pytest_cache/failed .pytest_cache/v/cache/lastfailed
    "$python" -m pytest -n 0 -v --last-failed --last-failed-no-failures none || exit 1
done
