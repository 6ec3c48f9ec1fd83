"""How the CLI says that a call did not run, for it has no field for that. Used by `schema.transcript.parse`."""

import re

# How a result begins that tells why its call did not run. The CLI has hundreds of such sentences and no field for it;
# one that isn't known here is shown as an error, and the result event names the call all the same. A command that ran
# and failed begins with its exit code, whatever it printed.
DENIALS = re.compile(
    r"(?!Exit code |<tool_use_error>)"
    r"(?:Permission to |PreToolUse:|Claude requested permissions|Accesses /proc/|Dangerous \w+ operation detected"
    r"|Contains (?:shell syntax \(|[a-z]+(?:_[a-z]+)+\Z)"
    r"|.*\b(?:requires?(?: \w+)? approval|was blocked\. For security|approval-time safety checks"
    r"|cannot be (?:statically \w+|auto-allowed)))"
)
DENIAL_CHARS = 2000  # of a result that are looked at for it
