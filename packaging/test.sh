#!/usr/bin/env bash
# All tests, beside each other; called by `make test`. What failed is tried three times more, alone: on a loaded machine
# the time that a test waits for a process may run out. It is named either way, and what fails once more fails.
set -u
python=.venv/bin/python
MOST=5 # failures that may be the machine's
again=.pytest_cache/again

rm -f .pytest_cache/v/cache/lastfailed "$again"
"$python" -m pytest
code=$?
[ "$code" -eq 1 ] || exit "$code"
# By name, so that what can't be found (a file that can't be imported, say) is an error and not all tests once more.
"$python" -c 'import json; print(*json.load(open(".pytest_cache/v/cache/lastfailed")), sep="\n")' >"$again" || exit 1
failed=$(wc -l <"$again")
if [ "$failed" -gt "$MOST" ]; then
    echo "$failed tests failed." >&2
    exit 1
fi
echo "$failed failed, as shown above, and are tried three times more, alone:" >&2
for _ in 1 2 3; do
    "$python" -m pytest -n 0 -v "@$again" || exit 1
done
