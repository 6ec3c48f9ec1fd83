"""Interpreters: code is never judged, but a few of their own commands only print."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.programs.entries import every


def _interpreter(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if texts and set(texts) <= {"--version", "-V", "-version", "--help", "-VV"}:
        return [command.found(Kind.READ, "prints its version")]
    if len(texts) == 1 and texts[0] == "-v" and command.name in {"node", "php", "ruby", "lua"}:
        return [command.found(Kind.READ, "prints its version")]
    if re.fullmatch(r"python3?(\.\d+)?", command.name) and texts[:2] == ["-m", "json.tool"]:
        if all(text in {"--sort-keys", "--no-ensure-ascii", "--compact", "--json-lines"} for text in texts[2:]):
            return [command.found(Kind.READ, "prints JSON")]
        # Its second operand is a file that it writes.
        if len(texts) == 3 and texts[2] and not texts[2].startswith("-"):
            return command.reads(command.args[2]) or [command.found(Kind.READ, "prints JSON")]
    return command.unknown("code that isn't judged")


PROGRAMS: dict[str, Program] = every(
    "python python2 python3 python3.9 python3.10 python3.11 python3.12 python3.13 perl ruby node nodejs deno"
    " bun lua luajit php java"
    " pwsh tclsh expect osascript go npx make cmake gdb Rscript julia groovy",
    _interpreter,
)
