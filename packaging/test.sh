#!/usr/bin/env bash
# All tests, beside each other; called by `make test`. What failed is tried once more, alone: on a loaded machine the
# time that a test waits for a process may run out. It is named either way, and what fails alone fails.
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
echo "$failed failed, as shown above, and are tried once more alone:" >&2
exec "$python" -m pytest -n 0 -v --last-failed --last-failed-no-failures none
