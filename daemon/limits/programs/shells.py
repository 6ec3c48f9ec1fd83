"""Programs that are given a script as text: shells, ssh, su, watch, flock, script."""

import re
from dataclasses import replace

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import every
from daemon.limits.words import NotUnderstood, literal

_SSH_VALUES = "-B= -b= -c= -D= -E= -e= -F= -I= -i= -J= -L= -l= -m= -O= -o= -P= -p= -Q= -R= -S= -W= -w="
_SSH = options("-4 -6 -A -a -C -f -G -g -K -k -M -N -n -q -s -T -t -V -v -X -x -Y -y " + _SSH_VALUES)


def _ssh(command: Command) -> list[Found]:
    """Everything behind the host is joined by blanks and read again by the shell there."""
    given = read(command.args, _SSH, first=True)
    if given.has("-V"):
        return [command.found(Kind.READ, "prints its version")]
    if not given.operands:
        return command.unknown("no host")
    host, *rest = given.operands
    if host.text is None or host.text.startswith("-"):
        raise NotUnderstood("which host can't be told")
    # ssh takes options behind the host as well.
    late = read(rest, _SSH, first=True)
    words = late.operands
    _check_ssh(Given(given.options + late.options, []))
    name = re.sub(r":\d+$", "", host.text.removeprefix("ssh://")).rpartition("@")[2]
    frame = command.frame.within(f"ssh {host.text}", host=name, remote=True, posix=True, at=("~",))
    if given.has("-t") and command.typed:
        raise NotUnderstood("keys are typed into a terminal on the other host")
    if not words:
        if command.stdin is None:
            return command.unknown("a shell on another host")
        return command.inner.script(command.stdin, replace(frame, script_input=True))
    if any(word.text is None for word in words):
        raise NotUnderstood("what runs on the other host can't be told")
    script = " ".join(word.text or "" for word in words)
    if command.stdin is not None and re.fullmatch(r"(sudo )?(/bin/)?(ba)?sh( -s)?", script):
        return command.inner.script(command.stdin, replace(frame, script_input=True))
    return command.inner.script(script, frame)


_SSH_OPTIONS = re.compile(
    r"(BatchMode|ConnectTimeout|ConnectionAttempts|StrictHostKeyChecking|ServerAlive\w+|LogLevel|User|Port|PasswordAuthentication"
    r"|IdentitiesOnly|IdentityFile|PreferredAuthentications|NumberOfPasswordPrompts|Compression|AddressFamily"
    r"|HostKeyAlgorithms|PubkeyAcceptedKeyTypes|PubkeyAuthentication|KbdInteractiveAuthentication"
    r"|RequestTTY|TCPKeepAlive|CheckHostIP|VisualHostKey)(=|\s+)[^|`$;&\n]*|UserKnownHostsFile(=|\s+)/dev/null",
    re.IGNORECASE,
)


def _check_ssh(given: Given) -> None:
    for name, value in given.options:
        if name == "-o" and not (value is not None and _SSH_OPTIONS.fullmatch(value.text or "")):
            raise NotUnderstood("an option of ssh that may run something")
        if name in listed("-f -N -M -D -L -R -W -w -O -S -F -E -I -X -Y -A -s -G -J -P"):
            allowed = name == "-J" and value is not None and re.fullmatch(r"[\w.@:,-]+", value.text or "-")
            if not allowed or (value is not None and (value.text or "").startswith("-")):
                raise NotUnderstood(f"ssh {name}, which opens more than a command")


def _shell(command: Command) -> list[Found]:
    """`bash -c 'script' name arguments`; a script file is not understood."""
    given = read(command.args, _SHELL, first=True)
    if any(value.text not in {"pipefail", "errexit", "nounset"} for value in given.values("-o")):
        raise NotUnderstood("an option of the shell")
    if given.has("--version", "--help") and not given.operands:
        return [command.found(Kind.READ, "prints its version")]
    if command.name in {"zsh", "ksh"} and not given.has("--version"):
        raise NotUnderstood(f"a script for {command.name}")
    name = f"{command.name} -c" if given.has("-c") else command.name
    frame = command.frame.within(name, posix=command.name not in {"bash", "rbash"})
    if given.has("-c"):
        script = given.operands[0].text if given.operands else None
        if script is None:
            raise NotUnderstood("which script can't be told")
        return command.inner.script(script, frame)
    if command.stdin is not None and (not given.operands or given.has("-s")):
        return command.inner.script(command.stdin, replace(frame, script_input=True))
    return command.unknown("a script that isn't in the command" if given.operands else "a script from its input")


_SHELL = options("-c -e -u -x -l -i -s -v -n --norc --noprofile --posix --login --version -o= --help")


def _watch(command: Command) -> list[Found]:
    """Without -x the words are joined and read by a shell."""
    given = read(
        command.args,
        options(
            "-n= -d -t -e -g -c -b -x -p -w --interval= --differences --no-title --errexit --chgexit --exec --color"
        ),
        first=True,
    )
    if any(word.text is None for word in given.operands) or not given.operands:
        raise NotUnderstood("what it runs can't be told")
    frame = command.frame.within("watch", posix=True)
    if given.has("-x", "--exec"):
        return command.inner.argv(given.operands, frame)
    return command.inner.script(" ".join(word.text or "" for word in given.operands), frame)


def _typescript(command: Command) -> list[Found]:
    """`script` writes what it sees into its operand, or into the file `typescript`."""
    if command.typed:
        raise NotUnderstood("keys are typed into the terminal of what it runs")
    given = read(command.args, options("-q -c= -e -f -a --command= --quiet --return --flush"))
    into = given.operands or [literal("typescript")]
    writes = command.writes(into) if [it.text for it in into] != ["/dev/null"] else []
    return writes + _script_option("-q -c= -e -f -a --command= --quiet --return --flush", "-c")(command)


def _script_option(table: str, option: str) -> Program:
    """`su -c 'script'`, `script -c 'script'`, `flock file -c 'script'`."""
    known = options(table)

    def judge(command: Command) -> list[Found]:
        given = read(command.args, known)
        scripts = given.values(option, "--command")
        if len(scripts) != 1 or scripts[0].text is None:
            return command.unknown("a shell of another user")
        frame = command.frame.within(f"{command.name} {option}", posix=True)
        if given.has("-l", "--login") or any(word.text == "-" for word in command.args):
            frame = replace(frame, directories=("~",))
        return command.inner.script(scripts[0].text, frame)

    return judge


def _flock(command: Command) -> list[Found]:
    given = read(
        command.args,
        options("-s -x -e -n -u -w= -o -F -v -E= -c= --shared --exclusive --nonblock --timeout= --wait="),
        first=True,
    )
    words = given.operands[1:]
    if not words:
        return command.unknown("nothing to run")
    # It makes the file if it isn't there: harmless where locks are, and not at /etc/nologin.
    lock = given.operands[0].text or ""
    usual = re.fullmatch(r"(/run|/var/run|/var/lock|/run/lock|/tmp)/[\w.-]+", lock)
    locked = [] if usual else command.writes(given.operands[:1])
    if words[0].text in {"-c", "--command"} and len(words) == 2 and words[1].text is not None:
        return locked + command.inner.script(words[1].text, command.frame.within("flock", posix=True))
    if words[0].may_be_option:
        raise NotUnderstood("where the command begins can't be told")
    return locked + command.inner.argv(words, command.frame.within("flock"))


def _runuser(command: Command) -> list[Found]:
    given = read(command.args, options("-u= -g= -l= -c= -m -p -s= -G= --user= --command= -"), first=True)
    if given.has("-s", "-l"):
        raise NotUnderstood("a shell of another user")
    if given.has("-c", "--command"):
        return _script_option("-u= -g= -c= -m -p --command= -", "-c")(command)
    if not given.has("-u", "--user") or not given.operands:
        return command.unknown("a shell of another user")
    return command.inner.argv(given.operands, command.frame.within("runuser"))


PROGRAMS: dict[str, Program] = {
    "ssh": _ssh, "watch": _watch, "script": _typescript, "flock": _flock, "runuser": _runuser,
    "su": _script_option("-c= -l -m -p - --command= --login", "-c"),
    **every("bash sh dash ash zsh ksh rbash", _shell),
}  # fmt: skip
