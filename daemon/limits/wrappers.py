"""Programs that run another one, given as words: sudo, env, timeout, nice, nsenter and their like.

Each finds where its own options end and hands the rest back to be judged. An option that isn't in its table, or a
word that may become one, makes the whole not understood.
"""

import re
from dataclasses import replace

from daemon.limits.command import Command, Program, named
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import exportable
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every
from daemon.limits.words import NotUnderstood, Word

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


def _after(table: str, *, skip: int = 0) -> Program:
    """A wrapper whose options are in the table and that takes `skip` operands before the command."""
    known = options(table)

    def judge(command: Command) -> list[Found]:
        given = read(command.args, known, first=True)
        if len(given.operands) <= skip:
            return command.unknown("nothing to run")
        if any(word.splits for word in given.operands[:skip]):
            raise NotUnderstood("where the command begins can't be told")
        return command.inner.argv(given.operands[skip:], command.frame.within(command.name), command.stdin)

    return judge


def _assignments(words: list[Word]) -> list[Word]:
    """The words behind `NAME=value`, which must be harmless."""
    while words and (match := _ASSIGNMENT.match(words[0].prefix)):
        if not exportable(match[1], words[0].text and words[0].text[match.end() :]):
            raise NotUnderstood(f"a command with {match[1]} set for it")
        words = words[1:]
    return words


_SUDO = options(
    "-A -b -E -H -K -k -n -P -S -B -i -s -l -v -V -u= -g= -p= -h= -C= -T= -U= -D= -r= -t= --user= --group="
    " --non-interactive --stdin"
    "  --preserve-env --login --shell --list --validate --background --set-home --prompt= --reset-timestamp"
    " --version --preserve-env?="
)


def _sudo(command: Command) -> list[Found]:
    given = read(command.args, _SUDO, first=True)
    if given.has("-h", "-D", "-T", "-r", "-t", "-C") or any(value.text is None for _, value in given.options if value):
        raise NotUnderstood("an option that changes where it runs")
    words = _assignments(given.operands)
    if given.has("-S", "--stdin"):
        raise NotUnderstood("the first line of its input is a password, and what the command gets can't be told")
    if words:
        # With -i or -s the words go through a shell, for which sudo quotes all but dollar signs.
        if given.has("-i", "-s", "--login", "--shell") and any("$" in (word.text or "$") for word in words):
            raise NotUnderstood("a word that the other user's shell may expand")
        frame = command.frame.within(command.name)
        if given.has("-i", "--login"):
            frame = replace(frame, directories=("~",))
        return command.inner.argv(words, frame, command.stdin)
    if given.has("-l", "-v", "-V", "-K", "-k", "--list", "--validate", "--version") and not given.has("-i", "-s"):
        return [command.found(Kind.READ, "asks what it may do")]
    return command.unknown("a shell of another user")


_ENV = options("-i -0 -v -u= -C= -S= --ignore-environment --unset= --chdir= --split-string= --debug")


def _env(command: Command) -> list[Found]:
    given = read(command.args, _ENV, first=True)
    if given.has("-S", "--split-string", "-C", "--chdir"):
        raise NotUnderstood("an option that makes the command anew")
    words = _assignments([word for word in given.operands if word.text != "-"])
    if not words:
        return [command.found(Kind.SECRET, "prints the environment, where credentials are")]
    return command.inner.argv(words, command.frame.within("env"), command.stdin)


def _command(command: Command) -> list[Found]:
    """`command -v name` only looks."""
    given = read(command.args, options("-p -v -V"), first=True)
    if given.has("-v", "-V"):
        return [command.found(Kind.READ, "looks for a program")]
    if not given.operands:
        return [command.found(Kind.READ, "does nothing")]
    return command.inner.argv(given.operands, command.frame.within(command.name), command.stdin)


def _exec(command: Command) -> list[Found]:
    if not command.args:
        if command.fed or command.stdin is not None:
            raise NotUnderstood("from here on the shell reads something else")
        return [command.found(Kind.READ, "does nothing")]
    return _after("-c -l -a=")(command)


def _nsenter(command: Command) -> list[Found]:
    table = (
        "-t= -a -m?= -u?= -i?= -n?= -p?= -U?= -C?= -T?= -F --target= --all --mount?= --uts?="
        " --ipc?= --net?= --pid?= --user?= --cgroup?= -r?= -w?= -S= -G="
    )
    given = read(command.args, options(table), first=True)
    if not given.operands:
        return command.unknown("a shell in another namespace")
    # The namespaces and the root may be our own.
    return command.inner.argv(given.operands, command.frame.within("nsenter", at=("", "/")))


def _chroot(command: Command) -> list[Found]:
    given = read(command.args, options("--userspec= --groups= --skip-chdir"), first=True)
    if len(given.operands) < 2:
        return command.unknown("a shell in another root")
    return command.inner.argv(
        given.operands[1:], command.frame.within(f"chroot {named(given.operands[0]) or '…'}", at=("", "/"))
    )


_SYSTEMD_RUN = options(
    "--scope --user --quiet -q --collect -G --wait --pipe -P --pty -t --unit= -u= --slice= -d --same-dir"
)


def _systemd_run(command: Command) -> list[Found]:
    given = read(command.args, _SYSTEMD_RUN, first=True)
    if not given.operands:
        return command.unknown("nothing to run")
    frame = command.frame.within(command.name)
    if not given.has("--scope", "-d", "--same-dir"):
        frame = replace(frame, directories=("/", "~"))
    return command.inner.argv(given.operands, frame, command.stdin)


def _busybox(command: Command) -> list[Found]:
    if not command.args:
        return [command.found(Kind.READ, "lists what it has")]
    if command.args[0].may_be_option:
        return command.unknown("an option of busybox")
    return command.inner.argv(command.args, command.frame.within("busybox"), command.stdin)


PROGRAMS: dict[str, Program] = {
    "sudo": _sudo,
    "env": _env,
    "command": _command,
    "exec": _exec,
    "nsenter": _nsenter,
    "chroot": _chroot,
    "doas": _after("-n -u="),
    "nice": _after("-n= --adjustment="),
    "nohup": _after(""),
    "time": _after("-p"),
    "ionice": _after("-c= -n= -t --class= --classdata= --ignore"),
    "setsid": _after("-c -f -w --wait --fork --ctty"),
    "builtin": _after(""),
    "timeout": _after("-k= -s= -v --kill-after= --signal= --foreground --preserve-status --verbose", skip=1),
    "stdbuf": _after("-i= -o= -e= --input= --output= --error="),
    "chrt": _after("-f -r -o -b -i -a -m -v", skip=1),
    "taskset": _after("-a -c", skip=1),
    "unshare": _after("-m -u -i -n -p -U -C -r -f --mount --net --pid --fork --user --map-root-user --mount-proc"),
    **every("unbuffer prlimit catchsegv eatmydata", _after("")),
    "systemd-run": _systemd_run,
    "systemd-inhibit": _after("--what= --who= --why= --mode="),
    **every("busybox toybox", _busybox),
}
