"""`claudeopsctl check-command`: what the rules would say of a command. Its exit codes are the verdict's."""

import argparse
import shlex

from ipc.ctl.calls import found_table
from ipc.ctl.connection import Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.limit_commands import CHECK_USAGE
from ipc.ctl.terminal import one_line, show_json, toned

VERDICTS = {"allow": 0, "deny": 1, "ask": 2}
NO_VERDICT = 70  # not 1, which would be taken for `deny`


def check(connection: Connection, arguments: argparse.Namespace) -> int:
    """Prints the verdict, its reason and what the command was understood to do; 0 allow, 1 deny, 2 ask."""
    words = arguments.line
    line = words[0] if len(words) == 1 else shlex.join(words)
    if not line.strip():
        advice = "give one behind --, as in `claudeopsctl check-command --tier 2 -- docker restart web`"
        raise CtlError(CHECK_USAGE, "invalid", f"there is no command; {advice}")
    try:
        judgement = connection.call("commands.check", {"tier": arguments.tier, "command": line})
    except CtlError as error:
        if error.exit_code != REFUSED:
            raise
        raise CtlError(NO_VERDICT, error.code, error.message, error.data) from error
    code = VERDICTS.get(judgement["decision"])
    if code is None:
        text = f"the worker's verdict {judgement['decision']!r} is not known here; use the daemon's own claudeopsctl"
        raise CtlError(NO_VERDICT, "proto.unsupported", text)
    if arguments.json:
        show_json(judgement)
        return code
    print(f"{toned(judgement['decision'])}: {one_line(judgement['reason'])} (rule {one_line(judgement['rule'])})")
    if judgement["found"]:
        print(f"\n{found_table(judgement['found'])}")
    return code
