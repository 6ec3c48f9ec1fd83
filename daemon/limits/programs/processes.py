"""Processes: what ends them, and whether the daemon's own may be among them."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import acts, every
from daemon.limits.words import NotUnderstood, Word

_ENDS = "ends processes"
# How the daemon's processes and its sessions show: their names, and with -f their command lines.
_NAMES = ("claudeops: work", "claudeops: supe", "claudeops: web", "claude", "claudeops")
_LINES = (
    "claudeops: worker", "claudeops: supervisor", "claudeops: web", "python -m daemon", "python3 -m daemon",
    "/usr/bin/python3 -m daemon.worker", "python3 -m webui", "claude",
)  # fmt: skip
_SIGNAL = re.compile(r"-(\d+|SIG[A-Z0-9+-]+|[A-Z][A-Z0-9+-]+)")


def _kill(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if texts[:1] in (["-l"], ["-L"], ["--list"]):
        return [command.found(Kind.READ, "lists signals")]
    operands = [text for text in texts if text is None or not re.fullmatch(r"-([A-Za-z]\w*|\d+)|--\w+=?\w*", text)]
    if texts[:1] == ["-s"] or texts[:1] == ["-n"]:
        operands = operands[1:]
    numbers = {int(text) for text in (*operands, *texts[1:]) if text and re.fullmatch(r"\s*[-+]?\d{1,9}\s*", text)}
    if numbers & {0, 1, -1}:
        return [command.found(Kind.HOST, "ends every process")]
    if any("PPID" in word.shown for word in command.args):
        return [command.found(Kind.STEER, "ends the session that it runs in")]
    if any(word.text is None and word.shown.strip('"') not in {"$!", "${!}"} for word in command.args):
        return command.unknown("which processes it ends can't be told")
    return [command.found(Kind.CHANGE, "ends processes")]


_PKILL = options(
    "-f -x -n -o -i -e -c -a -v -l -u= -U= -g= -G= -P= -s= -t= -r= --full --exact --newest --oldest --ignore-case"
    " --echo --count --signal= --uid= --euid= --group= --pgroup= --parent= --session= --terminal= --runstates="
    " --inverse --older="
)


def _pkill(command: Command) -> list[Found]:
    given = read([word for word in command.args if not _SIGNAL.fullmatch(word.text or "")], _PKILL)
    if given.has("-v", "--inverse") or len(given.operands) != 1:
        return command.unknown("which processes it ends can't be told")
    full = given.has("-f", "--full")
    return _matching(command, given.operands[0], given, _LINES if full else _NAMES)


def _matching(command: Command, word: Word, given: Given, names: tuple[str, ...]) -> list[Found]:
    """What ending all processes that a pattern fits means."""
    pattern = word.text
    # What Python and the C library read differently: classes by name, and letters behind a backslash.
    if pattern is None or re.search(r"\[[:.=]|\\[A-Za-z0-9<>`']|\(\?", pattern):
        raise NotUnderstood("which processes are meant can't be told")
    try:
        expression = re.compile(pattern, re.IGNORECASE if given.has("-i", "-I", "--ignore-case") else 0)
    except re.error as fault:
        raise NotUnderstood("a pattern that can't be read") from fault
    whole = given.has("-x", "--exact")
    if any(expression.fullmatch(name) if whole else expression.search(name) for name in names):
        return [command.found(Kind.STEER, "may end the daemon or one of its sessions")]
    return [command.found(Kind.CHANGE, _ENDS)]


_KILLALL = options(
    "-e -I -i -g -q -r -v -w -s= -u= -o= -y= --exact --ignore-case --interactive --process-group --quiet --regexp"
    " --signal= --user= --verbose --wait --older-than= --younger-than="
)


def _killall(command: Command) -> list[Found]:
    given = read([word for word in command.args if not _SIGNAL.fullmatch(word.text or "")], _KILLALL)
    if not given.operands:
        return command.unknown("which processes it ends can't be told")
    if given.has("-r", "--regexp"):
        return [it for word in given.operands for it in _matching(command, word, given, _NAMES)]
    if any(word.text in {"claude", "claudeops"} for word in given.operands):
        return [command.found(Kind.STEER, "may end the daemon or one of its sessions")]
    return [command.found(Kind.CHANGE, _ENDS)]


def _fuser(command: Command) -> list[Found]:
    if any("k" in word.prefix or "M" in word.prefix for word in command.args if word.may_be_option):
        return [command.found(Kind.CHANGE, "ends processes")]
    read(command.args, options("-v -u -m -n= -a -l -4 -6 -c -s"))
    return [command.found(Kind.READ, "lists processes")]


PROGRAMS: dict[str, Program] = {
    "kill": _kill,
    "pkill": _pkill,
    "killall": _killall,
    "fuser": _fuser,
    **every("skill renice", acts(Kind.CHANGE, _ENDS)),
}
